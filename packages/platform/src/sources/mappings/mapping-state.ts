/**
 * The states of a mapping, as AWS names them, and how one follows another. What ends in "-ing" is under way: written before it
 * begins, so that a restart takes it up, and followed by its end once that is so.
 */
export type MappingState =
  | { readonly kind: "creating"; readonly next: "enabled" | "disabled" }
  | { readonly kind: "enabling" }
  | { readonly kind: "enabled" }
  | { readonly kind: "disabling" }
  | { readonly kind: "disabled" }
  | { readonly kind: "updating"; readonly next: "enabled" | "disabled" }
  | { readonly kind: "deleting" };

export type MappingEvent =
  | "enable"
  | "disable"
  /** Other settings change. */
  | "update"
  | "delete"
  /** What was under way is done. */
  | "done";

type Cell = (state: MappingState) => MappingState | "inUse" | "removed";

const inUse: Cell = () => "inUse";
const stay: Cell = (state) => state;
const become =
  (kind: "enabling" | "enabled" | "disabling" | "disabled" | "deleting"): Cell =>
  () => ({ kind });
const settle: Cell = (state) => (state.kind === "creating" || state.kind === "updating" ? { kind: state.next } : state);

const TABLE: { readonly [S in MappingState["kind"]]: { readonly [E in MappingEvent]: Cell } } = {
  creating: { enable: inUse, disable: inUse, update: inUse, delete: inUse, done: settle },
  enabling: { enable: inUse, disable: inUse, update: inUse, delete: inUse, done: become("enabled") },
  enabled: {
    enable: () => ({ kind: "updating", next: "enabled" }),
    disable: become("disabling"),
    update: () => ({ kind: "updating", next: "enabled" }),
    delete: become("deleting"),
    done: stay,
  },
  disabling: { enable: inUse, disable: inUse, update: inUse, delete: inUse, done: become("disabled") },
  disabled: {
    enable: become("enabling"),
    disable: () => ({ kind: "updating", next: "disabled" }),
    update: () => ({ kind: "updating", next: "disabled" }),
    delete: become("deleting"),
    done: stay,
  },
  updating: { enable: inUse, disable: inUse, update: inUse, delete: inUse, done: settle },
  deleting: { enable: inUse, disable: inUse, update: inUse, delete: inUse, done: () => "removed" },
};

/** The state that follows; `inUse` when the event has to wait for what is under way. */
export function nextState(state: MappingState, event: MappingEvent): MappingState | "inUse" | "removed" {
  return TABLE[state.kind][event](state);
}
