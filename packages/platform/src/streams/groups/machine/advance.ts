/**
 * The membership of a consumer group as one pure function: state and event in, state and answers out. It reads no clock,
 * draws no ids and knows no wire (P10).
 *
 *     Empty ──join──▶ PreparingRebalance ──all here, or time is up──▶ CompletingRebalance ──leader's sync──▶ Stable
 *       ▲  │                  │      ▲                                        │                               │
 *       │  └─remove─▶ Dead    │      └──── somebody comes, goes, changes, or is not heard of ─────────────────┘
 *       └─────nobody is left──┘
 *
 * Every call gets one answer, at once or by a later event. What holds after every step is in `test/streams/groups`.
 */
import { unreachable } from "../../../base/index.ts";
import { commitEmpty, commitPeopled, heartbeat, leave } from "./claims.ts";
import type {
  Answer,
  GroupEvent,
  GroupEventKind,
  JoinEvent,
  MembershipLimits,
  RemoveEvent,
  Step,
  SyncEvent,
  HeartbeatEvent,
  LeaveEvent,
  CommitEvent,
  GroupError,
} from "./events.ts";
import type { Group, GroupKind } from "./group.ts";
import { joinCompleting, joinEmpty, joinPreparing, joinStable } from "./join.ts";
import { syncCompleting, syncPreparing, syncStable } from "./sync.ts";
import { tickEmpty, tickPreparing, tickSynchronising } from "./tick.ts";

type StateOf<Kind extends GroupKind> = Extract<Group, { kind: Kind }>;
type EventOf<Kind extends GroupEventKind> = Extract<GroupEvent, { kind: Kind }>;
type Table = { readonly [S in GroupKind]: { readonly [E in GroupEventKind]: Step<StateOf<S>, EventOf<E>> } };

const TABLE: Table = {
  Empty: {
    join: joinEmpty,
    sync: (group, event, turn) => refuse(group, event, "UNKNOWN_MEMBER_ID", turn.answers),
    heartbeat: (group, event, turn) => refuse(group, event, "UNKNOWN_MEMBER_ID", turn.answers),
    leave,
    commit: commitEmpty,
    tick: (group, _event, turn) => tickEmpty(group, turn),
    remove(group, { call }, turn) {
      turn.answers.push({ to: "remove", call, result: { kind: "removed" } });
      return { kind: "Dead", generation: group.generation, protocolType: group.protocolType };
    },
  },
  PreparingRebalance: {
    join: joinPreparing,
    sync: syncPreparing,
    heartbeat,
    leave,
    commit: commitPeopled,
    tick: (group, _event, turn) => tickPreparing(group, turn),
    remove: (group, event, turn) => refuse(group, event, "NON_EMPTY_GROUP", turn.answers),
  },
  CompletingRebalance: {
    join: joinCompleting,
    sync: syncCompleting,
    heartbeat,
    leave,
    commit: commitPeopled,
    tick: (group, _event, turn) => tickSynchronising(group, turn),
    remove: (group, event, turn) => refuse(group, event, "NON_EMPTY_GROUP", turn.answers),
  },
  Stable: {
    join: joinStable,
    sync: syncStable,
    heartbeat,
    leave,
    commit: commitPeopled,
    tick: (group, _event, turn) => tickSynchronising(group, turn),
    remove: (group, event, turn) => refuse(group, event, "NON_EMPTY_GROUP", turn.answers),
  },
  Dead: {
    join: (group, event, turn) => refuse(group, event, "COORDINATOR_NOT_AVAILABLE", turn.answers),
    sync: (group, event, turn) => refuse(group, event, "COORDINATOR_NOT_AVAILABLE", turn.answers),
    heartbeat: (group, event, turn) => refuse(group, event, "COORDINATOR_NOT_AVAILABLE", turn.answers),
    leave: (group, event, turn) => refuse(group, event, "COORDINATOR_NOT_AVAILABLE", turn.answers),
    commit: (group, event, turn) => refuse(group, event, "COORDINATOR_NOT_AVAILABLE", turn.answers),
    tick: (group) => group,
    remove: (group, event, turn) => refuse(group, event, "GROUP_ID_NOT_FOUND", turn.answers),
  },
};

/** What is after an event, and who is answered what. */
export function advance(
  group: Group,
  event: GroupEvent,
  now: number,
  limits: MembershipLimits,
): { readonly group: Group; readonly answers: readonly Answer[] } {
  const answers: Answer[] = [];
  // The table's type pairs them; the compiler cannot follow two indices at once.
  const step = TABLE[group.kind][event.kind] as Step<Group, GroupEvent>;
  return { group: step(group, event, { now, limits, answers }), answers };
}

type Refusable = JoinEvent | SyncEvent | HeartbeatEvent | LeaveEvent | CommitEvent | RemoveEvent;

function refuse<G extends Group>(group: G, event: Refusable, error: GroupError, answers: Answer[]): G {
  const { call } = event;
  const result = { kind: "refused", error } as const;
  switch (event.kind) {
    case "join":
      answers.push({ to: "join", call, result: { ...result, member: event.member } });
      return group;
    case "sync":
    case "heartbeat":
    case "leave":
    case "commit":
    case "remove":
      answers.push({ to: event.kind, call, result });
      return group;
    default:
      return unreachable("the kinds are above");
  }
}
