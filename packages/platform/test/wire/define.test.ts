import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { isLambentError } from "../../src/base/index.ts";
import {
  asPayload,
  asStatus,
  blob,
  boolean,
  decode,
  decodeEventFrames,
  defineService,
  document,
  encodeError,
  encodeOutput,
  errorShape,
  eventStream,
  findService,
  inHeader,
  inPath,
  inQuery,
  integer,
  list,
  loadService,
  map,
  number,
  operation,
  optional,
  secret,
  serviceData,
  string,
  structure,
  timestamp,
  type TypeOf,
} from "../../src/wire/index.ts";
import { wireRequest } from "../support/wire-request.ts";

const Step = structure("Step", { name: string({ max: 5 }), weight: optional(number({ max: 1 })) });
const Plan = structure("PlanRequest", {
  app: inPath(string({ pattern: "[a-z]+" })),
  dryRun: optional(inQuery("dry-run", boolean())),
  only: optional(inQuery("only", list(string({ max: 3 })))),
  etag: optional(inHeader("If-Match", string())),
  mode: optional(string({ enum: ["diff", "apply"] })),
  steps: list(Step, { max: 2 }),
  settings: optional(map(integer({ min: 0 }), { max: 2 })),
  keys: optional(list(secret(string({ min: 8 })))),
  passwords: optional(map(secret(string({ min: 8 })))),
  since: optional(timestamp()),
  token: optional(secret(string({ min: 8 }))),
  extra: optional(document()),
});
const Planned = structure("PlanResponse", { status: asStatus(integer()), changes: list(string()), at: timestamp() });
const Upload = structure("UploadRequest", { app: inPath(string()), body: asPayload(blob()) });
const Watch = structure("WatchResponse", {
  events: eventStream("WatchEvents", { line: structure("Line", { text: string() }), end: structure("End", {}) }),
});
const own = defineService(
  serviceData(
    {
      name: "own",
      signingName: "own",
      endpointPrefix: "own",
      apiVersion: "v1",
      protocol: "restJson1",
      targetPrefix: "Own",
      namespace: "own",
    },
    [
      operation("Plan", "POST", "/_own/v1/apps/{app}/plan", { input: Plan, output: Planned }),
      operation("Upload", "PUT", "/_own/v1/apps/{app}/code", { input: Upload, status: 204 }),
      operation("Watch", "GET", "/_own/v1/watch", { output: Watch }),
    ],
    [errorShape("AppBusy", 409, { holder: optional(string()) })],
  ),
);

const plan = (body: object, query = "") =>
  wireRequest("POST", `/_own/v1/apps/shop/plan${query}`, { "if-match": "r1" }, JSON.stringify(body));

describe("a service defined by hand", () => {
  test("is found, decoded and typed like one of AWS's", () => {
    const request = plan(
      { mode: "diff", steps: [{ name: "one", weight: 0.5 }], settings: { a: 1 }, since: 1.5, extra: { any: [null, true] } },
      "?dry-run=true&only=a&only=b",
    );
    assert.equal(findService(request, [loadService("lambda"), own]), own);
    const decoded = decode(request, own);
    const input = decoded.input as TypeOf<typeof Plan>;
    // These lines hold only if the types are as the schema says.
    const mode: "diff" | "apply" | undefined = input.mode;
    const weight: number | undefined = input.steps[0]?.weight;
    assert.deepEqual(
      [decoded.operation, input.app, input.dryRun, input.only, input.etag, mode, weight],
      ["Plan", "shop", true, ["a", "b"], "r1", "diff", 0.5],
    );
    assert.deepEqual(input.since, new Date(1_500));
    assert.equal(Object.getPrototypeOf(input.extra), null);
    assert.deepEqual({ ...(input.extra as object) }, { any: [null, true] });
  });

  test("does not repeat what is secret, also as an entry of a list or a map", () => {
    const broken = plan({ steps: [], token: "hush-1", keys: ["long enough", "hush-2"], passwords: { door: "hush-3" } });
    assert.throws(
      () => decode(broken, own),
      (error) => {
        assert.ok(isLambentError(error, "InvalidParameter"));
        for (const place of ["token", "keys.2.member", "passwords.door.member"])
          assert.ok(error.message.includes(`Value at '${place}'`), `${place} is missing in ${error.message}`);
        return !error.message.includes("hush");
      },
    );
  });

  test("has its rules checked, also those inside lists and maps", () => {
    const broken = plan({ mode: "guess", steps: [{ name: "too long" }, {}], settings: { a: -1, b: 1.5 }, token: "short" }, "?only=long");
    assert.throws(
      () => decode(broken, own),
      (error) => {
        assert.ok(isLambentError(error, "InvalidParameter"));
        for (const place of [
          "only.1.member",
          "mode",
          "steps.1.member.name",
          "steps.2.member.name",
          "settings.a.member",
          "settings.b.member",
          "token",
        ]) {
          assert.ok(error.message.includes(`at '${place}'`), `${place} is missing in ${error.message}`);
        }
        return !error.message.includes("short");
      },
    );
  });

  test("answers with its own statuses, errors and streams", async () => {
    const answered = encodeOutput(
      decode(plan({ steps: [] }), own),
      { status: 202, changes: ["a"], at: new Date(2_000) } satisfies TypeOf<typeof Planned>,
      "id-1",
    );
    assert.equal(answered.status, 202);
    assert.equal((answered.body as Buffer).toString("utf8"), '{"changes":["a"],"at":2}');

    const upload = decode(wireRequest("PUT", "/_own/v1/apps/shop/code", {}, Buffer.from([1, 2])), own);
    assert.deepEqual(upload.input["body"], Buffer.from([1, 2]));
    assert.equal(encodeOutput(upload, undefined, "id-1").status, 204);

    const busy = encodeError(upload, { name: "AppBusy", message: "m", members: { holder: "h" } }, "id-1");
    assert.equal(busy.status, 409);
    assert.deepEqual(JSON.parse((busy.body as Buffer).toString("utf8")), { message: "m", holder: "h" });

    const watch = encodeOutput(
      decode(wireRequest("GET", "/_own/v1/watch"), own),
      { events: [{ line: { text: "t" } }, { end: {} }] },
      "id-1",
    );
    const { frames } = decodeEventFrames(Buffer.concat(await Array.fromAsync(watch.body as AsyncIterable<Buffer>)));
    assert.deepEqual(
      frames.map(({ headers, payload }) => `${headers[":event-type"]} ${payload.toString("utf8")}`),
      ['line {"text":"t"}', "end {}"],
    );
  });
});
