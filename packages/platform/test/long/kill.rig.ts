/** SIGKILL of the server under load, and a start on the same folder: what was acknowledged is there, what was running is cleaned up. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { GetFunctionConfigurationCommand, LambdaServiceException } from "@aws-sdk/client-lambda";
import { delay, freshSeed, seededRandom, systemClock, systemSecureRandom } from "../../src/base/index.ts";
import { Functions, holdingsOf, until } from "../hostile/functions.ts";
import { familyOf, rig, RigServer, strays } from "./rig.ts";

const POOL = 2;
/** The server is killed at a random moment within this. */
const ALIVE_MS_MAX = 4_000;
const CODE = "export const handler = async () => { await new Promise((resolve) => setTimeout(resolve, 50)); return 1; };";

/** What the server acknowledged: each function with the number its description had last. */
type Acknowledged = Map<string, number>;

await rig(async (box) => {
  const seed = Number(process.env["LAMBENT_TEST_SEED"] ?? freshSeed(systemSecureRandom));
  process.stdout.write(`  seed ${seed}\n`);
  const random = seededRandom(seed);
  const server = await RigServer.start("--pool", String(POOL));
  const acknowledged: Acknowledged = new Map();
  let kills = 0;
  try {
    while (box.hasTime()) {
      const functions = new Functions(server);
      const load = [changes(functions, acknowledged, kills), calls(functions), calls(functions), calls(functions)];
      await Promise.race([delayKeptAlive(random.next() * ALIVE_MS_MAX), ...load]);
      await server.kill();
      await Promise.all(load);
      functions.close();
      kills += 1;
      await server.start();
      await allThere(server, acknowledged);
      await nothingLeft(server);
      box.progress(`${kills} kills, ${acknowledged.size} functions`);
    }
  } finally {
    await server.stop();
  }
  return `${kills} kills under load; ${acknowledged.size} functions all there, nothing of a killed server left`;
});

/** Makes and changes functions one after the other, until the server is gone. */
async function changes(functions: Functions, acknowledged: Acknowledged, life: number): Promise<void> {
  try {
    for (let number = 0; ; number++) {
      const name = `f-${life}-${number}`;
      await functions.create(name, "nodejs22.x", CODE);
      acknowledged.set(name, 0);
      for (let description = 1; description <= 3; description++) {
        await functions.configure(name, { Description: String(description) });
        acknowledged.set(name, description);
      }
    }
  } catch (error) {
    onlyGone(error);
  }
}

/** Calls one function as fast as it answers, until the server is gone. */
async function calls(functions: Functions): Promise<void> {
  try {
    const name = `called-${systemSecureRandom.uuid()}`;
    await functions.create(name, "nodejs22.x", CODE);
    for (;;) assert.equal((await functions.call(name)).error, undefined);
  } catch (error) {
    onlyGone(error);
  }
}

/** An error the server answered is a fault; a connection that ended is what is being done to it. */
function onlyGone(error: unknown): void {
  if (error instanceof LambdaServiceException || error instanceof assert.AssertionError) throw error;
}

async function allThere(server: RigServer, acknowledged: Acknowledged): Promise<void> {
  const functions = new Functions(server);
  try {
    for (const [name, description] of acknowledged) {
      const found = await functions.client.send(new GetFunctionConfigurationCommand({ FunctionName: name }));
      assert.ok(
        Number(found.Description ?? 0) >= description,
        `${name} has description ${found.Description}, ${description} was acknowledged`,
      );
    }
    for (const name of [...acknowledged.keys()].slice(-2)) {
      await functions.settled(name);
      assert.equal((await functions.call(name)).value, 1, `${name} runs`);
    }
  } finally {
    functions.close();
  }
}

/** Slots, groups and mounts are only those of what runs now, and no process of the killed server lives. */
async function nothingLeft(server: RigServer): Promise<void> {
  const group = `s-${createHash("sha256").update(`${server.data}/slots`).digest("hex").slice(0, 12)}`;
  await until("no process of the killed server lives", 10_000, () => strays(server.data, group, familyOf(server.pid)).length === 0);
  await until(
    "slots and groups are only those of what runs",
    10_000,
    () => {
      const { slots, groups } = holdingsOf(server.pid);
      return slots === groups && slots <= POOL + 2;
    },
    () => holdingsOf(server.pid),
  );
}

async function delayKeptAlive(ms: number): Promise<void> {
  const alive = setInterval(() => undefined, 1_000);
  await delay(systemClock, ms);
  clearInterval(alive);
}
