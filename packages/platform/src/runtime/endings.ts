import type { Departure } from "../model/index.ts";

/** Payloads of endings that no runtime could report itself, in the words AWS's users know. */

function payload(errorType: string, errorMessage: string): Buffer {
  return Buffer.from(JSON.stringify({ errorType, errorMessage }));
}

const prefix = (requestId: string | undefined): string => (requestId === undefined ? "" : `RequestId: ${requestId} `);

/** What the caller of a call gets whose instance went away under it. */
export function exitErrorPayload(requestId: string | undefined, departure: Departure): Buffer {
  const start = prefix(requestId);
  switch (departure.kind) {
    case "exited":
      return payload(
        "Runtime.ExitError",
        departure.code === 0
          ? `${start}Error: Runtime exited without providing a reason`
          : `${start}Error: Runtime exited with error: exit status ${departure.code}`,
      );
    case "killed":
      return payload("Runtime.ExitError", `${start}Error: Runtime exited with error: signal: ${signalWord(departure.signal)}`);
    case "outOfMemory":
      return payload("Runtime.OutOfMemory", `${start}Error: Runtime exited with error: signal: killed`);
    case "protocolBroken":
      return payload("Runtime.ExitError", `${start}Error: Runtime broke its protocol: ${departure.what}`);
    case "drained":
      return payload("Runtime.ExitError", `${start}Error: Runtime was stopped`);
    case "notStarted":
      return payload("Runtime.ExitError", `${start}Error: Runtime was not started: ${departure.what}`);
  }
}

/** What the caller gets whose call, or whose instance's init, was not done in time. */
export function timedOutPayload(requestId: string | undefined, timeoutMs: number): Buffer {
  return payload("Sandbox.Timedout", `${prefix(requestId)}Error: Task timed out after ${(timeoutMs / 1_000).toFixed(2)} seconds`);
}

/** `SIGKILL` as Go, and so AWS, writes it. */
function signalWord(signal: string): string {
  const words: Readonly<Record<string, string>> = {
    SIGKILL: "killed",
    SIGTERM: "terminated",
    SIGSEGV: "segmentation fault",
    SIGABRT: "aborted",
    SIGINT: "interrupt",
    SIGBUS: "bus error",
    SIGILL: "illegal instruction",
    SIGFPE: "floating point exception",
    SIGPIPE: "broken pipe",
    SIGHUP: "hangup",
  };
  return words[signal] ?? signal;
}
