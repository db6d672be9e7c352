import assert from "node:assert/strict";
import { it } from "node:test";
import type { Fault, FaultStep } from "../../../src/storage/index.ts";
import { idsOf, item, leaseNow, openListWorld } from "./world.ts";

it("a lease that does not wait gets what is there while the list commits what its opening forgot", async () => {
  const faults = ({ kind }: FaultStep): Fault | undefined =>
    kind === "commit" ? { kind: "acknowledgeLate", until: new Promise((resolve) => setImmediate(resolve)) } : undefined;
  const world = await openListWorld({ ordering: "fifo" }, { faults });
  for (const id of ["a", "b"]) await world.list.enqueue([item(id, { group: id, deduplication: id })]);
  assert.deepEqual(idsOf(await leaseNow(world.list, 10, 1_000)), ["a", "b"]);
  // Both leases and both deduplication ids are over: every row is known at open, and there is something to commit at once.
  await world.clock.advance(400_000);
  await world.restart();
  assert.deepEqual(idsOf(await leaseNow(world.list)), ["a", "b"]);
});
