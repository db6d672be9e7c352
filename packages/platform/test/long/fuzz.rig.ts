/** Requests changed at random, with fresh seeds, at the real listener: documented errors or closed connections, in bounded memory. */
import assert from "node:assert/strict";
import { freshSeed, seededRandom, systemSecureRandom } from "../../src/base/index.ts";
import { Functions, residentMbOf } from "../hostile/functions.ts";
import { exchange, faultOf, mutateBytes, mutateContent, signedBytes, wellFormed } from "../hostile/requests.ts";
import { rig, RigServer } from "./rig.ts";

const AT_ONCE = 16;
const RESIDENT_MB_MAX = 500;

await rig(async (box) => {
  const seed = Number(process.env["LAMBENT_TEST_SEED"] ?? freshSeed(systemSecureRandom));
  process.stdout.write(`  seed ${seed}; LAMBENT_TEST_SEED=${seed} draws the same requests again\n`);
  const random = seededRandom(seed);
  const server = await RigServer.start();
  const functions = new Functions(server);
  let sent = 0;
  const one = async (corpus: Awaited<ReturnType<typeof wellFormed>>): Promise<void> => {
    const unsigned = corpus[sent++ % corpus.length] ?? assert.fail();
    let { request } = unsigned;
    for (let changes = 1 + Math.floor(random.next() * 3); changes > 0; changes--) request = mutateContent(request, random);
    const bytes =
      random.next() < 0.6
        ? signedBytes(server.url, { ...unsigned, request }, server.key)
        : mutateBytes(signedBytes(server.url, unsigned, server.key), random);
    const fault = faultOf(await exchange(server.url, bytes));
    if (fault !== undefined) assert.fail(`${unsigned.what}: ${fault}\nsent:\n${bytes.toString("latin1").slice(0, 4_000)}`);
  };
  try {
    await functions.create("echo", "nodejs22.x", "export const handler = async (event) => event;");
    const corpus = await wellFormed();
    while (box.hasTime()) {
      await Promise.all(Array.from({ length: AT_ONCE }, () => one(corpus)));
      box.progress(`${sent} requests, ${residentMbOf(server.pid).toFixed(0)} MB`);
      assert.ok(residentMbOf(server.pid) < RESIDENT_MB_MAX, `the server holds ${residentMbOf(server.pid)} MB`);
    }
    assert.deepEqual((await functions.call("echo", { well: "formed" })).value, { well: "formed" });
    return `${sent} requests, each with a documented answer or a closed connection; ${residentMbOf(server.pid).toFixed(0)} MB held`;
  } finally {
    functions.close();
    await server.stop();
  }
});
