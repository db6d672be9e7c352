/** Who a connection belongs to, and what it may do. The actions and resources are those that AWS has for Kafka clusters, so that policies can be taken along. */
import { type Clock, Lru, type MonotonicMs } from "../../base/index.ts";
import type { Realm } from "../../model/index.ts";
import type { Principal } from "../../security/index.ts";

export type KafkaAction =
  | "AlterCluster"
  | "AlterGroup"
  | "AlterTopic"
  | "AlterTopicDynamicConfiguration"
  | "CreateTopic"
  | "DeleteGroup"
  | "DeleteTopic"
  | "DescribeCluster"
  | "DescribeGroup"
  | "DescribeTopic"
  | "DescribeTopicDynamicConfiguration"
  | "ReadData"
  | "WriteData"
  | "WriteDataIdempotently";

export type ResourceKind = "cluster" | "topic" | "group";

/** On whose behalf a connection speaks. */
export interface Admitted {
  readonly principal: Principal;
  readonly realm: Realm;
}

export interface AccessRequest extends Admitted {
  /** `kafka-cluster:WriteData`. */
  readonly action: string;
  /** The ARN of a cluster, topic or group as AWS forms them. */
  readonly resource: string;
}

/** Whether a policy allows it. */
export type AllowsAccess = (request: AccessRequest) => boolean;

/** How long an answer of the policies is taken for granted: a consumer asks for the same partitions many times a second. */
export const ACCESS_KEPT_MS = 5_000;
/** Answers remembered for one connection (P7). */
const ACCESS_ANSWERS_MAX = 256;

export interface AccessParts {
  readonly allows: AllowsAccess;
  readonly clock: Clock;
  readonly clusterId: string;
}

/** What the holder of one connection may do. */
export class Access {
  readonly admitted: Admitted;
  readonly #parts: AccessParts;
  readonly #answers = new Lru<string, { readonly isAllowed: boolean; readonly until: MonotonicMs }>(ACCESS_ANSWERS_MAX);

  constructor(admitted: Admitted, parts: AccessParts) {
    this.admitted = admitted;
    this.#parts = parts;
  }

  /** The holder of an account's root key may do everything in it. */
  may(action: KafkaAction, kind: ResourceKind, name: string): boolean {
    const { principal, realm } = this.admitted;
    if (principal.kind === "root" && principal.account === realm.account) return true;
    const key = `${action} ${kind} ${name}`;
    const now = this.#parts.clock.monotonicMs();
    const known = this.#answers.get(key);
    if (known && known.until > now) return known.isAllowed;
    const isAllowed = this.#parts.allows({ principal, realm, action: `kafka-cluster:${action}`, resource: this.#arn(kind, name) });
    this.#answers.set(key, { isAllowed, until: now + ACCESS_KEPT_MS });
    return isAllowed;
  }

  #arn(kind: ResourceKind, name: string): string {
    const { region, account } = this.admitted.realm;
    const path = `lambent/${this.#parts.clusterId}`;
    return `arn:aws:kafka:${region}:${account}:${kind}/${kind === "cluster" ? path : `${path}/${name}`}`;
  }
}
