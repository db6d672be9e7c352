/**
 * Places where the crash rig kills the process, each between two effects that a crash can tell apart.
 *
 * `LAMBENT_FAILPOINT=commit.after:17` ends the process by SIGKILL when one of its threads passes `commit.after` the
 * 17th time. Without the variable, read once when this module is loaded, a failpoint is a call of an empty function.
 */
export const FAILPOINTS = [
  /** A transaction is begun, nothing of it is written. */
  "commit.begun",
  /** One of its rows is written. */
  "commit.half",
  /** All are, and nothing is durable. */
  "commit.before",
  /** It is durable, and nobody knows. */
  "commit.after",
  /** The store's owner knows, its callers do not. */
  "commit.told",
  /** What a crash left in the write-ahead log is in the database, and still in the log. */
  "open.copied",
  /** A new store is whole, and has no name. */
  "store.made",
  /** A body is durable, and has no name. */
  "blob.written",
  /** It has one, which is not durable. */
  "blob.named",
  /** A file of an object is durable, and has no name. */
  "body.written",
  /** It has one, which is not durable. */
  "body.named",
] as const;

export type Failpoint = (typeof FAILPOINTS)[number];

const armed = /^([a-z.]+):([1-9][0-9]{0,8})$/.exec(process.env["LAMBENT_FAILPOINT"] ?? "");

/** Ends the process here when this is the place, and the time, that `LAMBENT_FAILPOINT` names. */
export const failpoint: (name: Failpoint) => void = armed ? killer(armed[1] ?? "", Number(armed[2])) : () => undefined;

function killer(place: string, times: number): (name: Failpoint) => void {
  let left = times;
  return (name) => {
    if (name === place && --left === 0) process.kill(process.pid, "SIGKILL");
  };
}
