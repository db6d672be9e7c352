import { isLambentError } from "../../base/index.ts";
import { documentOf, type Functions } from "../../functions/index.ts";
import type { RequestContext } from "../operation.ts";

const policyTexts = new WeakMap<object, string>();

/** The resource policy as text; the same object always as the same text, so that it is parsed once. */
export function policyText(
  functions: Functions,
  { realm }: Pick<RequestContext, "realm">,
  name: string,
  qualifier: string | undefined,
): string | undefined {
  const policy = policyOf(functions, realm, name, qualifier);
  if (!policy) return undefined;
  const known = policyTexts.get(policy);
  if (known !== undefined) return known;
  const text = JSON.stringify(documentOf(policy.statements));
  policyTexts.set(policy, text);
  return text;
}

/** A function that does not exist has no policy: the operation itself says that it does not exist. */
function policyOf(
  functions: Functions,
  realm: RequestContext["realm"],
  name: string,
  qualifier: string | undefined,
): ReturnType<Functions["policies"]["get"]> {
  try {
    return functions.policies.get(realm, name, qualifier);
  } catch (error) {
    if (isLambentError(error, "NotFound")) return undefined;
    throw error;
  }
}
