import { LambentError } from "../../base/index.ts";
import type { Realm } from "../../model/index.ts";
import { functionOf } from "../../security/index.ts";
import { given } from "../given.ts";
import type { RequestContext } from "../operation.ts";

/** A queue as a caller names it. */
export interface QueueReference {
  readonly realm: Realm;
  readonly name: string;
}

const PATH = /^(?:[a-z]+:\/\/[^/?#]{1,255})?(?:\/[^/?#]{1,80}){0,4}\/(\d{12})\/([A-Za-z0-9_.-]{1,80})\/?$/i;
const URL_CHARS_MAX = 1_024;

/** The queue's URL for this caller: it leads back to where the caller came from. */
export function queueUrl(context: Pick<RequestContext, "endpoint">, { realm, name }: QueueReference): string {
  return `${context.endpoint}/${realm.account}/${name}`;
}

/** The queue that a URL names. Its host says nothing: the caller may know this server by another one. */
export function queueOfUrl(context: Pick<RequestContext, "realm" | "principal">, url: string | undefined): QueueReference {
  const text = given(url, "QueueUrl");
  const [, account = "", name = ""] = (text.length <= URL_CHARS_MAX && PATH.exec(text)) || [];
  if (account === "") throw new LambentError("InvalidQueueUrl", `The address ${text.slice(0, 256)} is not that of a queue.`);
  return { realm: realmWith(context, account), name };
}

/** The realm of `account` that a caller may reach: a function stays in its own. */
export function realmWith({ realm, principal }: Pick<RequestContext, "realm" | "principal">, account: string | undefined): Realm {
  if (account === undefined || account === realm.account) return realm;
  if (functionOf(principal))
    throw new LambentError(
      "AccessDenied",
      `Functions reach queues of their own account, which is ${realm.account}, and not of ${account}.`,
    );
  return { account, region: realm.region };
}
