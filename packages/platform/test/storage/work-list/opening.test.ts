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

it("leases of a process that is gone are free also behind a commit that the storage refused", async () => {
  let busy = false;
  const world = await openListWorld(
    {},
    { holders: "here", faults: ({ kind }) => (busy && kind === "commit" ? { kind: "busy" } : undefined) },
  );
  for (const id of ["a", "b"]) await world.list.enqueue([item(id)]);
  assert.deepEqual(idsOf(await leaseNow(world.list, 1, 1_000_000)), ["a"]);
  await world.restart();
  busy = true;
  await assert.rejects(world.list.enqueue([item("c")]), { code: "StorageBusy" });
  busy = false;
  const again = await leaseNow(world.list, 1, 1_000_000);
  assert.deepEqual(idsOf(again), ["a"]);
  // What this process leased itself is its own, whatever the storage refuses.
  busy = true;
  await assert.rejects(world.list.enqueue([item("c")]), { code: "StorageBusy" });
  busy = false;
  assert.deepEqual(idsOf(await leaseNow(world.list)), ["b"]);
});
