import { LambentError } from "../base/index.ts";

/** The error of a pattern that is none, in EventBridge's words. */
export function refused(reason: string): LambentError {
  return new LambentError("InvalidPattern", `Event pattern is not valid. Reason: ${reason}`);
}
