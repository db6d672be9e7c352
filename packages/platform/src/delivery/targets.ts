/** The one table of everything that can receive an event. A kind of target is one entry: whose ARNs it takes, and how an outcome gets there. */
import { invariant, isLambentError, LambentError } from "../base/index.ts";
import { parseFunctionReference } from "../functions/index.ts";
import type { AsyncInvoker, InvocationOutcome } from "../invoker/index.ts";
import { realmKey, type Realm } from "../model/index.ts";
import { parseQueueArn, type Queues } from "../queues/index.ts";
import { functionEvent } from "./function/shape.ts";
import { queueMessage } from "./queue/shape.ts";

/** How sending ended. */
export type Sent =
  /** The target has it durably. */
  | { readonly kind: "sent" }
  /** Not now. */
  | { readonly kind: "later" }
  /** Never: there is no such target, or it refuses this for good. */
  | { readonly kind: "gone"; readonly why: string };

export interface Sending {
  readonly realm: Realm;
  /** ARN of the function whose outcome it is. */
  readonly sender: string;
  readonly target: string;
  readonly outcome: InvocationOutcome;
  /** The target takes each number of the source once. */
  readonly delivery: { readonly source: string; readonly number: number };
}

/** What the function whose outcome it is has to be allowed: its role delivers, as on AWS. */
export interface DeliveryPermission {
  readonly realm: Realm;
  /** With its qualifier. */
  readonly functionArn: string;
  readonly requestId: string;
  readonly action: string;
  readonly resource: string;
  readonly resourcePolicy: string | undefined;
}

export interface TargetParts {
  /** Throws `AccessDenied` when the function's role, or the target's policy, does not allow it. */
  readonly authorize: (permission: DeliveryPermission) => void;
  readonly functionPolicy: (realm: Realm, name: string, qualifier: string | undefined) => string | undefined;
  readonly functions: () => Pick<AsyncInvoker, "accept">;
  readonly queues: Pick<Queues, "queue">;
}

interface TargetKind {
  takes(arn: string): boolean;
  /** Sends what comes from one function to one target, in order. */
  send(sendings: Together, parts: TargetParts): Promise<Sent[]>;
  /** Outcomes sent in one step. */
  readonly togetherMax: number;
}

type Together = readonly [Sending, ...Sending[]];

/** Bytes of outcomes sent in one step, beyond a first one that is larger. */
const TOGETHER_BYTES_MAX = 1024 * 1024;

const QUEUE: TargetKind = {
  togetherMax: 20,
  takes: (arn) => parseQueueArn(arn) !== undefined,
  async send(sendings, { queues, authorize }) {
    const { realm, target, outcome } = sendings[0];
    const named = parseQueueArn(target);
    if (!named || realmKey(named.realm) !== realmKey(realm))
      throw new LambentError("NotFound", `${target} is in another account or region than the function.`);
    const queue = await queues.queue(realm, named.name);
    const { policy } = queue.record.settings;
    authorize({ ...permissionOf(realm, outcome), action: "sqs:SendMessage", resource: target, resourcePolicy: policy });
    const outcomes = await queue.send(
      sendings.map((each) => ({ ...queueMessage(each.outcome), sender: each.sender, delivery: each.delivery })),
    );
    return outcomes.map((sent) => (sent.kind === "refused" ? { kind: "gone", why: sent.error.message } : { kind: "sent" }));
  },
};

const FUNCTION: TargetKind = {
  togetherMax: 1,
  takes: (arn) => /^arn:aws[a-z-]{0,20}:lambda:/.test(arn),
  async send([{ realm, sender, target, outcome, delivery }], { functions, authorize, functionPolicy }) {
    const { name, qualifier } = parseFunctionReference(target, realm, undefined);
    const resourcePolicy = functionPolicy(realm, name, qualifier);
    authorize({ ...permissionOf(realm, outcome), action: "lambda:InvokeFunction", resource: target, resourcePolicy });
    await functions().accept({
      realm,
      functionName: name,
      qualifier,
      payload: functionEvent(outcome),
      traceHeader: outcome.traceHeader,
      origin: sender,
      published: { cause: outcome.requestId, correlation: outcome.correlation },
      delivery,
    });
    return [{ kind: "sent" }];
  },
};

function permissionOf(
  realm: Realm,
  { functionArn, requestId }: InvocationOutcome,
): Pick<DeliveryPermission, "realm" | "functionArn" | "requestId"> {
  return { realm, functionArn, requestId };
}

const KINDS: readonly TargetKind[] = [QUEUE, FUNCTION];

/**
 * Sends outcomes to their one target, in order; behind one that it does not take now, none is sent. Throws what ends all sending: the
 * storage stopped, or the server does.
 */
export async function send(sendings: readonly Sending[], parts: TargetParts): Promise<Sent[]> {
  const kind = KINDS.find((each) => each.takes(sendings[0]?.target ?? ""));
  if (!kind) return sendings.map(() => ({ kind: "gone", why: "nothing here receives events under such an ARN" }));
  const sent: Sent[] = [];
  while (sent.length < sendings.length && sent.at(-1)?.kind !== "later") {
    const together = leading(sendings.slice(sent.length), kind.togetherMax);
    sent.push(...(await kind.send(together, parts).catch((error: unknown) => together.map(() => refusal(error)))));
  }
  return [...sent, ...sendings.slice(sent.length).map((): Sent => ({ kind: "later" }))];
}

/** What may be sent in one step: from the same function under the same qualifier, so that one permission counts. */
function leading(sendings: readonly Sending[], max: number): Together {
  const [first, ...rest] = sendings;
  invariant(first !== undefined, "there is something to send");
  const together: [Sending, ...Sending[]] = [first];
  let bytes = bytesOf(first);
  for (const each of rest) {
    bytes += bytesOf(each);
    if (together.length >= max || bytes > TOGETHER_BYTES_MAX || each.outcome.functionArn !== first.outcome.functionArn) break;
    together.push(each);
  }
  return together;
}

function bytesOf({ outcome: { request, response } }: Sending): number {
  return request.length + (response?.payload.length ?? 0);
}

function refusal(error: unknown): Sent {
  if (isLambentError(error, "NotFound", "InvalidParameter", "RequestTooLarge", "AccessDenied")) return { kind: "gone", why: error.message };
  if (isLambentError(error, "StorageBusy", "Throttled", "FunctionNotReady", "Conflict")) return { kind: "later" };
  throw error;
}
