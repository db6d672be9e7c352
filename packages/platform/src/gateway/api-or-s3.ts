import type { IncomingMessage } from "node:http";
import type { ApiHandler } from "./api-handler.ts";
import type { S3Door } from "./s3/s3-door.ts";

/** Whether a request that is no function's is S3's; what its head does not tell, the paths of the other services do. */
export function isForS3(
  request: IncomingMessage,
  api: Pick<ApiHandler, "answers">,
  s3: Pick<S3Door, "telling">,
): boolean | Promise<boolean> {
  const telling = s3.telling(request);
  if (telling !== "untold") return telling === "s3";
  const answers = api.answers(request);
  return answers instanceof Promise ? answers.then((isAnswered) => !isAnswered) : !answers;
}
