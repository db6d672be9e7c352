import { LambentError } from "../../base/index.ts";
import type { ManagedWindow, RunnerReport, Start, WindowChange, WindowRecord, Windows } from "../../windows/index.ts";
import type { RequestContext } from "../operation.ts";
import type {
  CreateWindowRequest,
  DescribeWindowResponse,
  ListWindowsResponse,
  ResetWindowRequest,
  UpdateWindowRequest,
  UpdateWindowResponse,
  WindowChangeShape,
  WindowProgressShape,
  WindowRequest,
  WindowResponse,
  WindowShape,
} from "./window-schema.ts";

/** Managed windows: made, changed, looked at, begun anew. */
export function windowOperations(windows: () => Promise<Windows>) {
  const changed = (change: (open: Windows, context: RequestContext, name: string) => Promise<WindowRecord>) => {
    return async ({ Name }: WindowRequest, context: RequestContext): Promise<WindowResponse> => ({
      Window: windowShape(await change(await windows(), context, Name), context),
    });
  };
  return {
    async CreateWindow({ Name, Declaration, Paused = false }: CreateWindowRequest, context: RequestContext): Promise<WindowResponse> {
      const definition = await definitionOf(Declaration);
      const record = await (await windows()).create(context.realm, Name, definition, Paused ? "paused" : "running");
      return { Window: windowShape(record, context) };
    },

    async UpdateWindow({ Name, Declaration, Restart }: UpdateWindowRequest, context: RequestContext): Promise<UpdateWindowResponse> {
      const definition = await definitionOf(Declaration);
      const open = await windows();
      const restart = Restart === undefined ? undefined : await startOf(Restart);
      const change = await open.update(context.realm, Name, definition, { restart });
      return { Window: windowShape(open.get(context.realm, Name), context), Change: changeShape(change) };
    },

    async DescribeWindow({ Name }: WindowRequest, context: RequestContext): Promise<DescribeWindowResponse> {
      const { record, running, failed } = await (await windows()).describe(context.realm, Name);
      const shape = windowShape(record, context);
      const Window: WindowShape = failed === undefined ? shape : { ...shape, State: "failed", Failure: failed };
      return { Window, ...(running ? { Progress: progressShape(running) } : {}) };
    },

    async ListWindows(_input: object, context: RequestContext): Promise<ListWindowsResponse> {
      return { Windows: (await windows()).list(context.realm).map((record) => windowShape(record, context)) };
    },

    async DeleteWindow({ Name }: WindowRequest, { realm }: RequestContext): Promise<void> {
      await (await windows()).remove(realm, Name);
    },

    PauseWindow: changed((open, { realm }, name) => open.pause(realm, name)),
    ResumeWindow: changed((open, { realm }, name) => open.resumeWindow(realm, name)),

    async ResetWindow({ Name, Start }: ResetWindowRequest, context: RequestContext): Promise<WindowResponse> {
      return { Window: windowShape(await (await windows()).reset(context.realm, Name, await startOf(Start)), context) };
    },
  };
}

/** Loaded with the first window: nobody waits for it before. */
async function definitionOf(declaration: string): Promise<ManagedWindow> {
  const { readDeclaration } = await import("../../windows/index.ts");
  let declared: unknown;
  try {
    declared = JSON.parse(declaration);
  } catch (error) {
    throw new LambentError("InvalidParameter", `Declaration is no JSON: ${(error as Error).message}`);
  }
  return readDeclaration(declared);
}

async function startOf(text: string): Promise<Start> {
  const { startOf: read } = await import("../../windows/index.ts");
  return text === "here" ? { kind: "here" } : read(text);
}

function windowShape({ name, definition, state, generation, createdAt, modifiedAt }: WindowRecord, { realm }: RequestContext): WindowShape {
  return {
    Name: name,
    WindowArn: `arn:aws:lambent:${realm.region}:${realm.account}:window:${name}`,
    StreamName: definition.source.stream,
    // What is sealed is nobody's to see, sealed or not.
    Definition: JSON.stringify(definition, (name, value: unknown) => (name === "sealed" ? undefined : value)),
    State: state,
    Generation: generation,
    CreatedAt: new Date(createdAt),
    ModifiedAt: new Date(modifiedAt),
  };
}

function changeShape(change: WindowChange): WindowChangeShape {
  if (change.kind === "same") return { Kind: "same", Fields: [] };
  return { Kind: change.kind, Fields: [...(change.kind === "restarted" ? change.why : change.fields)] };
}

function progressShape(report: RunnerReport): WindowProgressShape {
  const { partitions, watermark, sinks, setAside, lastSetAside, emitted, journal } = report;
  return {
    StreamIsThere: report.streamIsThere,
    Partitions: partitions.map(({ partition, next, lag, ended, watermark: own }) => ({
      ...{ Partition: partition, Next: next, Ended: ended },
      ...(lag === undefined ? {} : { Lag: lag }),
      ...dated("Watermark", own),
    })),
    ...dated("Watermark", watermark),
    ...{ Keys: report.keys, Panes: report.panes, Buffered: report.buffered, StateBytes: report.bytes },
    ...{ Read: report.read, Skipped: report.skipped, Late: report.late, Emitted: { ...emitted } },
    Sinks: sinks.map(({ id, lane, sunk, waiting, givenUp, problem }) => ({
      ...{ Sink: id.slice(lane.length + 1), Lane: lane, Taken: sunk, Waiting: waiting, GivenUp: givenUp },
      ...(problem === undefined ? {} : { Problem: problem }),
    })),
    SetAside: { ...setAside },
    LastSetAside: lastSetAside.map(({ reason, source, offset, key, time }) => ({
      ...{ Reason: reason, Partition: source },
      ...(offset === undefined ? {} : { Offset: offset }),
      ...(key === undefined ? {} : { Key: key }),
      ...dated("Time", time),
    })),
    ...{ JournalRows: journal.rows, JournalBytes: journal.bytes },
  };
}

/** What a date has room for; a record may say anything. */
const TIME_MAX = 8_640_000_000_000_000;

/** Left out where there is none, or a date has no room for it: the watermark of the earliest record there can be lies before all dates. */
function dated<Name extends string>(name: Name, time: number | undefined): { readonly [Each in Name]?: Date } {
  return time !== undefined && Math.abs(time) <= TIME_MAX ? ({ [name]: new Date(time) } as { readonly [Each in Name]: Date }) : {};
}
