/** S3's operations as targets: called from inside this server, with JSON. */
import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { describe, it } from "node:test";
import { createServiceCaller } from "../../../src/api/index.ts";
import { systemClock, systemSecureRandom } from "../../../src/base/index.ts";
import { readyService } from "../../support/ready-service.ts";
import { ACCOUNT, openS3, textOf } from "./world.ts";

describe("S3 as a target", () => {
  it("stores a text, and leaves nothing open that nobody reads", async (test) => {
    const { service, authorize, buckets, call, make } = await openS3(test);
    await make("photos");
    const caller = createServiceCaller({
      ...{ services: [readyService(service)], authorize, clock: systemClock, secureRandom: systemSecureRandom },
      endpoint: () => "http://here",
      stopping: new AbortController().signal,
      reportDefect: (error) => assert.fail(String(error)),
    });
    const perform = (operation: string, input: object): Promise<void> =>
      caller.call({
        realm: { account: ACCOUNT, region: "us-east-1" },
        ...{ roleArn: `arn:aws:iam::${ACCOUNT}:role/any`, holder: "scheduler.amazonaws.com", service: "s3", operation },
        input: Buffer.from(JSON.stringify(input)),
        traceHeader: undefined,
      });
    const content = "text ".repeat(10_000);
    await perform("putObject", { Bucket: "photos", Key: "a", Body: content, Metadata: { By: "a schedule" } });
    const read = await call("GetObject", { Bucket: "photos", Key: "a" });
    assert.deepEqual([await textOf(read), read.Metadata], [content, { by: "a schedule" }]);

    const bucket = await buckets.bucket("photos");
    const open = bucket.open.bind(bucket);
    const opened: (Readable | Buffer)[] = [];
    bucket.open = async (...request) => {
      const body = await open(...request);
      opened.push(body);
      return body;
    };
    await perform("getObject", { Bucket: "photos", Key: "a" });
    const [body] = opened;
    assert.ok(body instanceof Readable && body.destroyed);
  });
});
