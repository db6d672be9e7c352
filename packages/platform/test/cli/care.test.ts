/** `lambent backup`, `restore` and `verify` against real servers. */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test, type TestContext } from "node:test";
import { EXIT_CODES } from "../../src/cli/exit-codes.ts";
import { beginLambent, type GoingCommand, runLambent } from "../support/lambent-process.ts";

/** A folder, and servers in it that are stopped before it is removed. */
class World {
  readonly folder = mkdtempSync(join(tmpdir(), "lambent-test-"));
  readonly environment = { PATH: process.env["PATH"], HOME: this.folder, XDG_RUNTIME_DIR: this.folder };
  readonly #running = new Set<GoingCommand>();

  constructor(t: TestContext) {
    t.after(async () => {
      for (const server of this.#running) await server.interrupt();
      rmSync(this.folder, { recursive: true });
    });
  }

  at(name: string): string {
    return join(this.folder, name);
  }

  async server(...options: readonly string[]) {
    const server = beginLambent(["start", "--port", "0", "--pool", "0", ...options], this.environment);
    this.#running.add(server);
    await server.said(/^lambent ready (\S+)$/mu);
    const endpoint = /^lambent ready (\S+)$/mu.exec(server.printed())?.[1] ?? "";
    return {
      run: (...args: readonly string[]) => runLambent(args, { ...this.environment, LAMBENT_ENDPOINT: endpoint }),
      stop: async () => {
        assert.equal(await server.interrupt(), EXIT_CODES.done);
        this.#running.delete(server);
      },
    };
  }

  /** A command that speaks to no server. */
  run(...args: readonly string[]) {
    return runLambent(args, this.environment);
  }
}

/** Everything below a folder. */
const namesIn = (folder: string): readonly string[] =>
  readdirSync(folder, { recursive: true, encoding: "utf8" }).toSorted((a, b) => (a < b ? -1 : 1));

void test("what a server keeps is backed up while it runs, restored elsewhere, and served from there", async (t) => {
  const world = new World(t);
  const [backup, restored, code] = [world.at("backup"), world.at("restored"), world.at("kept.mjs")];
  writeFileSync(code, "export const handler = async () => 'from the backup';");
  const server = await world.server("--data", world.at("data"));
  assert.equal((await server.run("deploy", code, "--env", "SECRET=sealed")).exit, EXIT_CODES.done);

  const verified = await server.run("verify");
  assert.equal(verified.exit, EXIT_CODES.done, verified.err);
  assert.match(verified.out, /^ {2}read \d+ rows of \d+ cells, 1 bodies and 0 files of objects, .*: all as it was written$/mu);

  const made = await server.run("backup", backup);
  assert.equal(made.exit, EXIT_CODES.done, made.err);
  assert.match(made.out, /1 bodies and 0 files of objects, .*, read back and whole/u);
  const before = namesIn(backup);
  const verifiedBackup = await world.run("verify", "--data", backup);
  assert.equal(verifiedBackup.exit, EXIT_CODES.usage);
  assert.match(verifiedBackup.err, /is a backup, .*\n {2}Restore it into a new folder and verify that: /u);
  assert.deepEqual(namesIn(backup), before);
  const again = await server.run("backup", backup);
  assert.deepEqual([again.exit, again.out], [EXIT_CODES.failed, ""]);
  assert.match(again.err, /is not empty; choose a new folder/u);
  await server.stop();

  const back = await world.run("restore", backup, "--data", restored);
  assert.equal(back.exit, EXIT_CODES.done, back.err);
  const refused = await world.run("restore", backup, "--data", restored);
  assert.equal(refused.exit, EXIT_CODES.failed);
  assert.match(refused.err, /is not empty .*lambent reset --data/u);
  const other = await world.server("--data", restored);
  assert.equal((await other.run("invoke", "kept")).out.trim(), '"from the backup"');
  // The environment was sealed with a key that travelled with the backup.
  assert.match((await other.run("describe", "kept", "--json")).out, /sealed/u);
});

void test("a stopped folder is verified with --data; a running one is not, and damage ends with failed and the cell's name", async (t) => {
  const world = new World(t);
  const data = world.at("data");
  const server = await world.server("--data", data);
  const running = await world.run("verify", "--data", data);
  assert.equal(running.exit, EXIT_CODES.failed);
  assert.match(running.err, /is used by the server with process id \d+.*\n {2}Leave --data out and the running server is asked/u);
  await server.stop();
  const whole = await world.run("verify", "--data", data, "--json");
  assert.equal(whole.exit, EXIT_CODES.done, whole.err);
  assert.deepEqual((JSON.parse(whole.out) as { Faults: unknown[] }).Faults, []);

  const database = new DatabaseSync(join(data, "store.db"));
  const { key } = database.prepare("select key from cell where id = 1").get() as { key: Uint8Array };
  database.exec("update cell set crc = crc + 1 where id = 1");
  database.close();
  const damaged = await world.run("verify", "--data", data);
  assert.equal(damaged.exit, EXIT_CODES.failed);
  assert.ok(damaged.out.includes(`damaged  cell ${Buffer.from(key).toString()}: its name does not have its checksum`), damaged.out);
  assert.match(damaged.err, /lambent restore <backup> --data <folder>/u);
});

void test("a folder that is no data folder and a backup that is none are refused, and nothing is made", async (t) => {
  const world = new World(t);
  const none = await world.run("verify", "--data", world.at("none"));
  assert.equal(none.exit, EXIT_CODES.notFound);
  assert.match(none.err, /\n {2}Name the folder that /u);
  mkdirSync(world.at("empty"));
  const restore = await world.run("restore", world.at("empty"), "--data", world.at("new"));
  assert.equal(restore.exit, EXIT_CODES.failed);
  assert.match(restore.err, /is no backup/u);
  assert.equal(existsSync(world.at("new")), false);
});

void test("a server that keeps nothing says so", async (t) => {
  const world = new World(t);
  const server = await world.server("--memory");
  for (const args of [["verify"], ["backup", world.at("backup")]]) {
    const ended = await server.run(...args);
    assert.equal(ended.exit, EXIT_CODES.usage);
    assert.match(ended.err, /keeps everything in memory/u);
  }
  assert.ok(!existsSync(world.at("backup")));
});

void test("a data folder that was reset takes a new start, and a restore", async (t) => {
  const world = new World(t);
  const [data, backup, code] = [world.at("data"), world.at("backup"), world.at("kept.mjs")];
  writeFileSync(code, "export const handler = async () => 'kept';");
  const first = await world.server("--data", data);
  assert.equal((await first.run("deploy", code)).exit, EXIT_CODES.done);
  assert.equal((await first.run("invoke", "kept")).exit, EXIT_CODES.done);
  assert.equal((await first.run("backup", backup)).exit, EXIT_CODES.done);
  await first.stop();

  writeFileSync(join(data, "notes.txt"), "a person's own");
  assert.equal((await world.run("reset", "--data", data, "--yes")).exit, EXIT_CODES.done);
  assert.deepEqual(readdirSync(data), ["notes.txt"]);
  rmSync(join(data, "notes.txt"));

  const second = await world.server("--data", data);
  assert.equal((await second.run("list")).out, "");
  await second.stop();
  assert.equal((await world.run("reset", "--data", data, "--yes")).exit, EXIT_CODES.done);
  const restored = await world.run("restore", backup, "--data", data);
  assert.equal(restored.exit, EXIT_CODES.done, restored.err);
});
