import { LambentError } from "../base/index.ts";

/** A member that the schema says is required; the decoder refused the request without it. */
export function given<T>(value: T | undefined, member: string): T {
  if (value === undefined) throw new LambentError("InvalidParameter", `${member} is required.`);
  return value;
}

/** Refuses members whose effect is not built: taking them silently would promise it. */
export function refuseUnbuilt(input: object, members: readonly string[]): void {
  const values = new Map<string, unknown>(Object.entries(input));
  const present = members.find((member) => values.get(member) !== undefined);
  if (present !== undefined) throw new LambentError("NotImplemented", `${present} is not built in Lambent.`);
}
