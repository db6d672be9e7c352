import { systemClock, systemSecureRandom, turnOfTheLoop } from "../base/index.ts";
import { openSandbox, UID_RANGE_DEFAULT } from "../sandbox/index.ts";
import { openFolders, openKeep } from "./keep.ts";
import { Opened } from "./opened.ts";
import type { RunningServer, ServerOptions } from "./options.ts";
import type { Begun } from "./platform.ts";

/**
 * The order of a start. What happens outside this thread, the store's threads and the sandbox's processes, is begun first; the
 * modules of everything else load meanwhile, which alone is a third of a start. `platform.ts` then puts it all together.
 */

/** Starts a server. Throws `PortTaken`, `DataFolderLocked`, `DataFolderUnusable`, `SandboxUnavailable` or `InvalidParameter`. */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const opened = new Opened();
  try {
    const begun = await begin(opened, options);
    // What was begun gets as far as it can without waiting.
    await turnOfTheLoop();
    const { openPlatform } = await import("./platform.ts");
    return await openPlatform(opened, options, begun);
  } catch (error) {
    await opened.closeAll();
    throw error;
  }
}

async function begin(opened: Opened, options: ServerOptions): Promise<Begun> {
  const folder = await openFolders(options.dataFolder);
  opened.push(() => folder.release());
  const sandbox = openSandbox({
    wanted: options.sandbox,
    slotsFolder: folder.slots,
    clock: systemClock,
    uidRange: UID_RANGE_DEFAULT,
    sdkTree: options.sdkTree,
  });
  closeWhenOpen(opened, sandbox);
  const keep = openKeep(folder, systemSecureRandom);
  closeWhenOpen(opened, keep);
  return { folder, sandbox, keep };
}

/** What fails to open needs no closing; whoever waits for it is told why. */
function closeWhenOpen(opened: Opened, opening: Promise<{ close(): Promise<void> }>): void {
  const open = opening.catch(() => undefined);
  opened.push(async () => (await open)?.close());
}
