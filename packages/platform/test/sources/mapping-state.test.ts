import assert from "node:assert/strict";
import { test } from "node:test";
import { nextState, type MappingEvent, type MappingState } from "../../src/sources/mappings/mapping-state.ts";

const STATES: readonly MappingState[] = [
  { kind: "creating", next: "enabled" },
  { kind: "creating", next: "disabled" },
  { kind: "enabling" },
  { kind: "enabled" },
  { kind: "disabling" },
  { kind: "disabled" },
  { kind: "updating", next: "enabled" },
  { kind: "updating", next: "disabled" },
  { kind: "deleting" },
];
const CHANGES: readonly MappingEvent[] = ["enable", "disable", "update", "delete"];

test("what is under way is waited for, and comes to its end", () => {
  for (const state of STATES) {
    const resting = state.kind === "enabled" || state.kind === "disabled";
    for (const change of CHANGES) assert.equal(nextState(state, change) === "inUse", !resting, `${state.kind} × ${change}`);
    const done = nextState(state, "done");
    if (state.kind === "deleting") assert.equal(done, "removed");
    else assert.ok(typeof done === "object" && (done.kind === "enabled" || done.kind === "disabled"), state.kind);
  }
});

test("a change of settings leaves a mapping enabled or disabled as it was", () => {
  for (const kind of ["enabled", "disabled"] as const) {
    const updating = nextState({ kind }, "update");
    assert.deepEqual(updating, { kind: "updating", next: kind });
    assert.deepEqual(nextState(updating as MappingState, "done"), { kind });
  }
});

test("disabling ends disabled, enabling enabled", () => {
  assert.deepEqual(nextState(nextState({ kind: "enabled" }, "disable") as MappingState, "done"), { kind: "disabled" });
  assert.deepEqual(nextState(nextState({ kind: "disabled" }, "enable") as MappingState, "done"), { kind: "enabled" });
});
