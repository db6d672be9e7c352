import assert from "node:assert/strict";
import { test } from "node:test";
import type { Departure } from "../../src/model/index.ts";
import { advance, DRAIN_GRACE_MS, type InstanceEvent, type InstanceState, type Step } from "../../src/runtime/instance-state.ts";

type Kind = InstanceState<string>["kind"];
type EventKind = InstanceEvent<string>["kind"];

const DRAINED: Departure = { kind: "drained" };

/** Fresh states: the maps in them change. `busy` and `draining` run call 1. */
const STATES: Record<Kind, () => InstanceState<string>> = {
  starting: () => ({ kind: "starting" }),
  initialising: () => ({ kind: "initialising" }),
  idle: () => ({ kind: "idle" }),
  busy: () => ({ kind: "busy", calls: new Map([[1, "first"]]) }),
  draining: () => ({ kind: "draining", calls: new Map([[1, "first"]]), why: { kind: "asked" } }),
  gone: () => ({ kind: "gone", departure: DRAINED }),
};

const EVENTS: Record<EventKind, InstanceEvent<string>> = {
  assigned: { kind: "assigned" },
  ready: { kind: "ready" },
  initFailed: { kind: "initFailed" },
  initTimedOut: { kind: "initTimedOut" },
  admitted: { kind: "admitted", callId: 2, running: "second" },
  settled: { kind: "settled", callId: 1, ending: { kind: "handled", payload: Buffer.from("1") }, exiting: false },
  deadline: { kind: "deadline", callId: 1 },
  drain: { kind: "drain" },
  broken: { kind: "broken", what: "bytes" },
  exited: { kind: "exited", exit: { code: 3, signal: undefined, outOfMemory: false, memoryPeakBytes: 0 } },
};

/** Next state and effects in a word each: `end:<call>:<ending>`, `send:<call>`, `stop:<grace>`, `depart:<why>`. */
const STAY = (kind: Kind): string => kind;
const STOP_ASKED = `draining stop:${DRAIN_GRACE_MS}`;
const TABLE: Record<Kind, Record<EventKind, string>> = {
  starting: {
    assigned: "initialising",
    ready: STAY("starting"),
    initFailed: STAY("starting"),
    initTimedOut: "draining stop:0",
    admitted: "starting end:2:instanceLost",
    settled: STAY("starting"),
    deadline: STAY("starting"),
    drain: STOP_ASKED,
    broken: "draining stop:0",
    exited: "gone depart:exited",
  },
  initialising: {
    assigned: STAY("initialising"),
    ready: "idle",
    initFailed: "draining stop:0",
    initTimedOut: "draining stop:0",
    admitted: "initialising end:2:instanceLost",
    settled: STAY("initialising"),
    deadline: STAY("initialising"),
    drain: STOP_ASKED,
    broken: "draining stop:0",
    exited: "gone depart:exited",
  },
  idle: {
    assigned: STAY("idle"),
    ready: STAY("idle"),
    initFailed: STAY("idle"),
    initTimedOut: STAY("idle"),
    admitted: "busy send:2",
    settled: STAY("idle"),
    deadline: STAY("idle"),
    drain: STOP_ASKED,
    broken: "draining stop:0",
    exited: "gone depart:exited",
  },
  busy: {
    assigned: STAY("busy"),
    ready: STAY("busy"),
    initFailed: STAY("busy"),
    initTimedOut: STAY("busy"),
    admitted: "busy send:2",
    settled: "idle end:1:handled",
    deadline: "draining end:1:timedOut stop:0",
    drain: "draining",
    broken: "draining stop:0",
    exited: "gone end:1:instanceLost depart:exited",
  },
  draining: {
    assigned: STAY("draining"),
    ready: STAY("draining"),
    initFailed: STAY("draining"),
    initTimedOut: STAY("draining"),
    admitted: "draining end:2:instanceLost",
    settled: `draining end:1:handled stop:${DRAIN_GRACE_MS}`,
    deadline: "draining end:1:timedOut stop:0",
    drain: STAY("draining"),
    broken: "draining stop:0",
    exited: "gone end:1:instanceLost depart:exited",
  },
  gone: {
    assigned: STAY("gone"),
    ready: STAY("gone"),
    initFailed: STAY("gone"),
    initTimedOut: STAY("gone"),
    admitted: "gone end:2:instanceLost",
    settled: STAY("gone"),
    deadline: STAY("gone"),
    drain: STAY("gone"),
    broken: STAY("gone"),
    exited: STAY("gone"),
  },
};

function inWords({ state, effects }: Step<string>): string {
  const words = effects.map((effect) => {
    if (effect.kind === "end") return `end:${effect.callId}:${effect.ending.kind}`;
    if (effect.kind === "send") return `send:${effect.callId}`;
    return effect.kind === "stop" ? `stop:${effect.graceMs}` : `depart:${effect.departure.kind}`;
  });
  return [state.kind, ...words].join(" ");
}

for (const [kind, row] of Object.entries(TABLE) as [Kind, Record<EventKind, string>][]) {
  test(`every event of an instance that is ${kind} has its one outcome`, () => {
    for (const [event, expected] of Object.entries(row) as [EventKind, string][]) {
      assert.equal(inWords(advance(STATES[kind](), EVENTS[event])), expected, `${kind} × ${event}`);
    }
  });
}

/** Runs `events` from `starting`. */
function after(...events: InstanceEvent<string>[]): Step<string> {
  let step: Step<string> = { state: { kind: "starting" }, effects: [] };
  for (const event of events) step = advance(step.state, event);
  return step;
}

const admitted = (callId: number): InstanceEvent<string> => ({ kind: "admitted", callId, running: String(callId) });
const exit = (changed: Partial<Extract<InstanceEvent<string>, { kind: "exited" }>["exit"]>): InstanceEvent<string> => ({
  kind: "exited",
  exit: { code: undefined, signal: undefined, outOfMemory: false, memoryPeakBytes: 0, ...changed },
});
const READY = [EVENTS.assigned, EVENTS.ready] as const;

test("a call cut at its deadline lets the others end before the process does", () => {
  const cut = after(...READY, admitted(1), admitted(2), { kind: "deadline", callId: 1 });
  assert.equal(inWords(cut), "draining end:1:timedOut");
  const last = advance(cut.state, { kind: "settled", callId: 2, ending: { kind: "handled", payload: Buffer.alloc(0) }, exiting: false });
  assert.equal(inWords(last), "draining end:2:handled stop:0");
});

test("an answer after the deadline changes nothing", () => {
  const cut = after(...READY, admitted(1), { kind: "deadline", callId: 1 });
  assert.equal(inWords(advance(cut.state, EVENTS.settled)), "draining");
});

test("a process that says it ends is left to end, and its code is its departure", () => {
  const said = after(...READY, admitted(1), {
    kind: "settled",
    callId: 1,
    ending: { kind: "handled", payload: Buffer.alloc(0) },
    exiting: true,
  });
  assert.equal(inWords(said), "draining end:1:handled");
  assert.deepEqual(advance(said.state, exit({ code: 128 })).state, { kind: "gone", departure: { kind: "exited", code: 128 } });
});

for (const [what, events, ended, departure] of [
  ["asked and idle", [EVENTS.drain], exit({ signal: "SIGTERM" }), { kind: "drained" }],
  ["asked, but dead before its call ended", [admitted(1), EVENTS.drain], exit({ code: 1 }), { kind: "exited", code: 1 }],
  ["broken", [EVENTS.broken], exit({ signal: "SIGKILL" }), { kind: "protocolBroken", what: "bytes" }],
  ["out of memory, whatever the signal", [admitted(1)], exit({ signal: "SIGKILL", outOfMemory: true }), { kind: "outOfMemory" }],
  ["killed from outside", [admitted(1)], exit({ signal: "SIGKILL" }), { kind: "killed", signal: "SIGKILL" }],
] as const) {
  test(`the departure of an instance that was ${what} is ${departure.kind}`, () => {
    const step = advance(after(...READY, ...events).state, ended);
    assert.deepEqual(step.state, { kind: "gone", departure });
  });
}
