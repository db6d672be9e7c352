import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { after, test } from "node:test";
import { startLambent } from "../../packages/platform/test/support/lambent-process.ts";

const upstream = createServer((request, response) => {
  if (request.url === "/silent") return;
  response.writeHead(request.url === "/broken" ? 500 : 200).end("upstream");
}).listen(0, "127.0.0.1");
await once(upstream, "listening");
const base = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`;
// A port that was free a moment ago: nobody answers there.
const gone = createServer().listen(0, "127.0.0.1");
await once(gone, "listening");
const closed = `http://127.0.0.1:${(gone.address() as AddressInfo).port}/`;
gone.close();
// The upstream of this test is on this machine, which functions reach only in this mode.
const lambent = await startLambent("--network", "host");
after(async () => {
  await lambent.stop();
  upstream.close();
  upstream.closeAllConnections();
});
await lambent.run("deploy", import.meta.dirname);

async function callWith(address: string, path = "/"): Promise<{ status: number; value: unknown }> {
  await lambent.run("config", "set", "example-web-handler", "--env", `UPSTREAM=${address}`);
  const response = await fetch(`${lambent.url}/function-url/example-web-handler${path}`);
  const text = await response.text();
  return { status: response.status, value: response.headers.get("content-type")?.includes("json") ? JSON.parse(text) : text };
}

test("the upstream's answer, its failure and its absence are told apart", async () => {
  assert.deepEqual(await callWith(`${base}/`), { status: 200, value: { upstream: `${base}/`, status: 200, characters: 8 } });
  assert.deepEqual(await callWith(`${base}/broken`), { status: 502, value: { upstream: `${base}/broken`, status: 500, characters: 8 } });
  assert.deepEqual(await callWith(closed), { status: 504, value: { upstream: closed, error: "ECONNREFUSED" } });
  assert.deepEqual((await callWith(`${base}/silent`)).status, 504);
});

test("next() answers 404", async () => {
  assert.equal((await callWith(`${base}/`, "/elsewhere")).status, 404);
});
