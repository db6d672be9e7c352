import type { Readable } from "node:stream";
import { messageOf } from "../spawn.ts";
import type { Sandbox } from "../sandbox.ts";

export type Probed = { readonly kind: "works" } | { readonly kind: "fails"; readonly why: string };

/** Enough for bubblewrap's one line. */
const PROBE_COMPLAINT_BYTES_MAX = 1_024;

/**
 * Runs one process in the sandbox, with listeners and limits, as an instance would: many machines have bubblewrap and
 * deny what it needs (Ubuntu 24.04's restriction of user namespaces, most containers).
 */
export async function probe(launch: Sandbox["launch"]): Promise<Probed> {
  try {
    const probing = await launch({
      id: "probe",
      command: ["/bin/sh", "-c", "exit 0"],
      environment: {},
      memoryMb: 128,
      tmpMb: 512,
      network: "lambent",
      mounts: [],
    });
    probing.stdout.resume();
    const complaint = await beginning(probing.stderr);
    const { code, signal } = await probing.exited;
    if (code === 0) return { kind: "works" };
    return { kind: "fails", why: complaint || `a confined process ended with ${signal ?? code}` };
  } catch (error) {
    return { kind: "fails", why: messageOf(error) };
  }
}

async function beginning(stream: Readable): Promise<string> {
  let text = "";
  for await (const piece of stream) text = (text + String(piece)).slice(0, PROBE_COMPLAINT_BYTES_MAX);
  return text.trim();
}
