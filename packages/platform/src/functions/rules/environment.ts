import { LambentError } from "../../base/index.ts";
import { ENVIRONMENT_BYTES_MAX } from "./limits.ts";

/** Set by the runtime in every instance; a function's own settings cannot. */
const RESERVED = new Set([
  "_HANDLER",
  "_X_AMZN_TRACE_ID",
  "AWS_ACCESS_KEY",
  "AWS_ACCESS_KEY_ID",
  "AWS_DEFAULT_REGION",
  "AWS_EXECUTION_ENV",
  "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
  "AWS_LAMBDA_FUNCTION_NAME",
  "AWS_LAMBDA_FUNCTION_VERSION",
  "AWS_LAMBDA_INITIALIZATION_TYPE",
  "AWS_LAMBDA_LOG_GROUP_NAME",
  "AWS_LAMBDA_LOG_STREAM_NAME",
  "AWS_LAMBDA_RUNTIME_API",
  "AWS_REGION",
  "AWS_SECRET_ACCESS_KEY",
  "AWS_SESSION_TOKEN",
  "LAMBDA_RUNTIME_DIR",
  "LAMBDA_TASK_ROOT",
]);

/** Throws `InvalidParameter` when variables break a rule. Values are secrets: no message repeats one. */
export function checkEnvironment(variables: Readonly<Record<string, string>>): void {
  const bytes = Buffer.byteLength(JSON.stringify(variables));
  if (bytes > ENVIRONMENT_BYTES_MAX) {
    throw new LambentError(
      "InvalidParameter",
      `Lambda was unable to configure your environment variables because the environment variables you have provided exceeded the 4KB limit: as JSON they have ${bytes} bytes, at most ${ENVIRONMENT_BYTES_MAX} are allowed.`,
    );
  }
  for (const [name, value] of Object.entries(variables)) {
    if (RESERVED.has(name)) {
      throw new LambentError(
        "InvalidParameter",
        `Lambda was unable to configure your environment variables because the environment variables you have provided contains reserved keys that are currently not supported for modification. Reserved keys used in this request: ${name}`,
      );
    }
    if (!/^[a-zA-Z][a-zA-Z0-9_]+$/.test(name)) {
      throw new LambentError(
        "InvalidParameter",
        `Environment has the name ${JSON.stringify(name)}; names begin with a letter, then have letters, digits and _, two characters at least.`,
      );
    }
    if (value.includes("\0"))
      throw new LambentError("InvalidParameter", `Environment variable ${name} holds a zero byte, which no process can be given.`);
  }
}
