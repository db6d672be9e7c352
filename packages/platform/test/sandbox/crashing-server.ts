import { once } from "node:events";
import { systemClock } from "../../src/base/index.ts";
import { openSandbox, UID_RANGE_DEFAULT } from "../../src/sandbox/index.ts";

/** Starts an instance in the slots folder of the first argument, prints its pid and waits to be killed. */
const slotsFolder = process.argv[2] ?? "";
const sandbox = await openSandbox({
  wanted: "bubblewrap",
  slotsFolder,
  clock: systemClock,
  uidRange: UID_RANGE_DEFAULT,
  sdkTree: undefined,
});
const command = ["/bin/sh", "-c", "echo ready; while :; do sleep 1; done"] as const;
const running = await sandbox.launch({ id: "orphan", command, environment: {}, memoryMb: 128, tmpMb: 512, network: "lambent", mounts: [] });
await once(running.stdout, "data");
process.stdout.write(`${running.pid}\n`);
