/** From the write of an upload to the handler of a function that its bucket notifies, on an idle server. */
import { deployAll } from "../support/application.ts";
import type { Sample } from "../support/pair.ts";
import { BenchServer } from "../support/server.ts";
import { oneAtATime } from "../support/to-handler.ts";

const UPLOADS = 100;
const BODY = "u".repeat(4_096);
const FUNCTION = "arn:aws:lambda:us-east-1:000000000000:function:thumbs";

/** Takes 100 calls at once, so that one instance sees every upload. */
const FILES = {
  "index.mjs": `
let entered = [];
const now = () => performance.timeOrigin + performance.now();
export const handler = async ({ Records, read }) => {
  if (!read) return void entered.push(...Records.map(({ s3 }) => [Number(s3.object.key), now()]));
  const all = entered;
  entered = [];
  return all;
};`,
};

const NOTIFICATION = `<NotificationConfiguration><CloudFunctionConfiguration>
<CloudFunction>${FUNCTION}</CloudFunction><Event>s3:ObjectCreated:*</Event>
</CloudFunctionConfiguration></NotificationConfiguration>`;

export async function measureUploadTrigger(rounds: number): Promise<readonly Sample[]> {
  const server = await BenchServer.start();
  try {
    await deployAll(server, { thumbs: { runtime: "nodejs24.x", files: FILES, concurrency: 100 } });
    const permission = { Action: "lambda:InvokeFunction", Principal: "s3.amazonaws.com", StatementId: "uploads" };
    await server.call("lambda", "POST", "/2015-03-31/functions/thumbs/policy", JSON.stringify(permission));
    await server.call("s3", "PUT", "/uploads");
    await server.call("s3", "PUT", "/uploads?notification=", NOTIFICATION);
    const request = (n: number): Buffer => server.signed("s3", "PUT", `/uploads/${n}`, BODY);
    const samples: Sample[] = [];
    for (let round = 0; round <= rounds; round++) {
      const sample = await oneAtATime(server, "thumbs", { events: UPLOADS, status: 200, request });
      if (round > 0) samples.push(sample);
    }
    return samples;
  } finally {
    await server.stop();
  }
}
