import { LambentError } from "../../base/index.ts";
import { functionOf } from "../../security/index.ts";
import { invalid, parseSubscriptionArn, parseTopicArn, type SubscriptionReference, type TopicReference } from "../../topics/index.ts";
import { given } from "../given.ts";
import type { RequestContext } from "../operation.ts";

type Caller = Pick<RequestContext, "realm" | "principal">;

const ARN_CHARS_MAX = 1_024;

/** The topic that a caller names by its ARN, in the parameter `member`. */
export function topicOf(caller: Caller, arn: string | undefined, member = "TopicArn"): TopicReference {
  const text = checkedArn(arn, member);
  const found = parseTopicArn(text);
  if (!found) throw wrongArn(text, member);
  return reachable(caller, found, member);
}

/** The subscription that a caller names. */
export function subscriptionOf(caller: Caller, arn: string | undefined): SubscriptionReference {
  const text = checkedArn(arn, "SubscriptionArn");
  const found = parseSubscriptionArn(text);
  if (!found) throw wrongArn(text, "SubscriptionArn");
  return reachable(caller, found, "SubscriptionArn");
}

function checkedArn(arn: string | undefined, member: string): string {
  const text = given(arn, member);
  if (text.length > ARN_CHARS_MAX) throw invalid(`${member} Reason: An ARN has at most ${ARN_CHARS_MAX} characters`);
  return text;
}

function wrongArn(text: string, member: string): LambentError {
  const elements = text.split(":").length;
  return invalid(elements < 6 ? `${member} Reason: An ARN must have at least 6 elements, not ${elements}` : member);
}

/** Regions share nothing, and a function stays in its own account. Whoever has no account comes by a link, which names its realm. */
function reachable<T extends TopicReference>({ realm, principal }: Caller, found: T, member: string): T {
  if (principal.kind === "anonymous") return found;
  if (found.realm.region !== realm.region) throw invalid(`${member} Reason: the request was signed for ${realm.region}`);
  if (found.realm.account !== realm.account && functionOf(principal))
    throw new LambentError(
      "AccessDenied",
      `Functions reach topics of their own account, which is ${realm.account}, and not of ${found.realm.account}.`,
    );
  return found;
}
