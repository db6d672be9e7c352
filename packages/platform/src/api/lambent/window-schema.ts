import { boolean, inPath, integer, list, map, operation, optional, string, structure, timestamp, type TypeOf } from "../../wire/index.ts";

/** The part of Lambent's own API that is about managed windows. */

const name = () => string({ pattern: "[A-Za-z0-9._-]{1,64}" });
/** JSON: what `lambent.yaml` has under the window's name. */
const declaration = () => string({ min: 2, max: 65_536 });
/** `latest`, `earliest`, `here`, or a time. */
const start = () => string({ min: 4, max: 40 });

const partition = structure("WindowPartition", {
  Partition: integer(),
  /** The next record to be read. */
  Next: integer(),
  /** Records that are there and not read. */
  Lag: optional(integer()),
  Ended: boolean(),
  Watermark: optional(timestamp()),
});

const sink = structure("WindowSink", {
  /** `stream averages`, `function alert`, an ARN, an address. */
  Sink: string(),
  /** `results`, `anomalies`, `late` or `setAside`. */
  Lane: string(),
  /** Results that it has taken, and those that it is still to take. */
  Taken: integer(),
  Waiting: integer(),
  /** Of those taken: its function failed with them as often as it was to be called. */
  GivenUp: integer(),
  /** Why it takes none at the moment. */
  Problem: optional(string()),
});

const setAside = structure("WindowSetAside", {
  Reason: string(),
  Partition: integer(),
  Offset: optional(integer()),
  Key: optional(string()),
  Time: optional(timestamp()),
});

const progress = structure("WindowProgress", {
  StreamIsThere: boolean(),
  Partitions: list(partition),
  Watermark: optional(timestamp()),
  Keys: integer(),
  Panes: integer(),
  /** Records that wait for the watermark. */
  Buffered: integer(),
  StateBytes: integer(),
  Read: integer(),
  /** Records that the stream dropped before they were read. */
  Skipped: integer(),
  Late: integer(),
  /** By lane, how many were put out. */
  Emitted: map(integer()),
  Sinks: list(sink),
  /** By reason. */
  SetAside: map(integer()),
  LastSetAside: list(setAside),
  JournalRows: integer(),
  JournalBytes: integer(),
});

const window = structure("ManagedWindow", {
  Name: name(),
  WindowArn: string(),
  StreamName: string(),
  /** JSON: with all defaults. */
  Definition: string(),
  State: string({ enum: ["running", "paused", "failed"] }),
  /** Why it does nothing any more. */
  Failure: optional(string()),
  /** Rises with each reset. */
  Generation: integer(),
  CreatedAt: timestamp(),
  ModifiedAt: timestamp(),
});

const change = structure("WindowChange", {
  /** What became of what it had reckoned: `same` and `kept` as it is, `migrated` to the new definition, `restarted` without it. */
  Kind: string({ enum: ["same", "kept", "migrated", "restarted"] }),
  /** What is another one now. */
  Fields: list(string()),
});

const createRequest = structure("CreateWindowRequest", { Name: inPath(name()), Declaration: declaration(), Paused: optional(boolean()) });
const updateRequest = structure("UpdateWindowRequest", {
  Name: inPath(name()),
  Declaration: declaration(),
  /** From where it begins anew, should what it has reckoned mean nothing under the new definition; left out, such a change is refused. */
  Restart: optional(start()),
});
const updateResponse = structure("UpdateWindowResponse", { Window: window, Change: change });
const resetRequest = structure("ResetWindowRequest", { Name: inPath(name()), Start: start() });
const oneRequest = structure("WindowRequest", { Name: inPath(name()) });
const oneResponse = structure("WindowResponse", { Window: window });
const describeResponse = structure("DescribeWindowResponse", { Window: window, Progress: optional(progress) });
const listResponse = structure("ListWindowsResponse", { Windows: list(window) });

export type WindowShape = TypeOf<typeof window>;
export type WindowProgressShape = TypeOf<typeof progress>;
export type WindowChangeShape = TypeOf<typeof change>;
export type CreateWindowRequest = TypeOf<typeof createRequest>;
export type UpdateWindowRequest = TypeOf<typeof updateRequest>;
export type UpdateWindowResponse = TypeOf<typeof updateResponse>;
export type ResetWindowRequest = TypeOf<typeof resetRequest>;
export type WindowRequest = TypeOf<typeof oneRequest>;
export type WindowResponse = TypeOf<typeof oneResponse>;
export type DescribeWindowResponse = TypeOf<typeof describeResponse>;
export type ListWindowsResponse = TypeOf<typeof listResponse>;

const PATH = "/_lambent/v1/windows/{Name}";

export const WINDOW_OPERATIONS = [
  operation("CreateWindow", "POST", PATH, { input: createRequest, output: oneResponse }),
  operation("UpdateWindow", "PUT", PATH, { input: updateRequest, output: updateResponse }),
  operation("DescribeWindow", "GET", PATH, { input: oneRequest, output: describeResponse }),
  operation("ListWindows", "GET", "/_lambent/v1/windows", { output: listResponse }),
  operation("DeleteWindow", "DELETE", PATH, { input: oneRequest }),
  operation("PauseWindow", "POST", `${PATH}/pause`, { input: oneRequest, output: oneResponse }),
  operation("ResumeWindow", "POST", `${PATH}/resume`, { input: oneRequest, output: oneResponse }),
  operation("ResetWindow", "POST", `${PATH}/reset`, { input: resetRequest, output: oneResponse }),
];
