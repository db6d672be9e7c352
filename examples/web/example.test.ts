import assert from "node:assert/strict";
import { after, test } from "node:test";
import { startLambent } from "../../packages/platform/test/support/lambent-process.ts";

const lambent = await startLambent();
after(() => lambent.stop());
await lambent.run("deploy", import.meta.dirname);

async function call(path: string, init: RequestInit = {}): Promise<{ status: number; value: unknown; allow: string | null }> {
  const response = await fetch(`${lambent.url}/function-url/example-web${path}`, init);
  return { status: response.status, value: await response.json(), allow: response.headers.get("allow") };
}

test("routes answer JSON", async () => {
  assert.deepEqual(await call("/hello?name=you"), { status: 200, value: { hello: "you" }, allow: null });
  assert.deepEqual((await call("/weather?date=2015-07-04")).value, {
    date: "2015-07-04",
    weather: "sun",
    precipitation: 0,
    max: 33.3,
    min: 15,
  });
  assert.deepEqual(
    (await call("/average", { method: "POST", body: '{"data":[1,2,3]}', headers: { "content-type": "application/json" } })).value,
    { average: 2 },
  );
});

test("a body that comes as base64 is read like any other", async () => {
  const answered = await call("/average", {
    method: "POST",
    body: new TextEncoder().encode('{"data":[4,6]}'),
    headers: { "content-type": "application/octet-stream" },
  });
  assert.deepEqual(answered, { status: 200, value: { average: 5 }, allow: null });
});

test("what is wrong is said: no body, no JSON, another method, another path, another day", async () => {
  assert.equal((await call("/average", { method: "POST" })).status, 400);
  assert.equal((await call("/average", { method: "POST", body: "{" })).status, 400);
  assert.deepEqual(await call("/average"), { status: 405, value: { error: "/average does not take GET." }, allow: "POST" });
  assert.equal((await call("/nowhere")).status, 404);
  assert.equal((await call("/weather?date=1999-01-01")).status, 404);
});
