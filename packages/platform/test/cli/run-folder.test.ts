import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, rmSync, statSync, symlinkSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { isLambentError } from "../../src/base/index.ts";
import { createClient } from "../../src/cli/client.ts";
import { connect } from "../../src/cli/connection.ts";
import { CommandFailure } from "../../src/cli/errors.ts";
import { leaveRunRecord, readRunRecord, removeRunRecord } from "../../src/cli/run-folder.ts";

const record = {
  endpoint: "http://127.0.0.1:4570",
  pid: process.pid,
  region: "eu-west-1",
  accessKeyId: "LEFT",
  secretAccessKey: "secret",
  dataFolder: undefined,
};
let runtime = "";
let folder = "";
beforeEach(() => {
  runtime = mkdtempSync(join(tmpdir(), "lambent-runtime-"));
  folder = join(runtime, "lambent");
});
afterEach(() => rmSync(runtime, { recursive: true }));

test("the key a server leaves is readable by its owner alone, and found under every name of loopback", () => {
  const path = leaveRunRecord(folder, record);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.equal(statSync(folder).mode & 0o777, 0o700);
  assert.equal(readRunRecord(folder, "http://localhost:4570")?.accessKeyId, "LEFT");
  assert.equal(readRunRecord(folder, "http://127.0.0.1:4571"), undefined);
  assert.equal(readRunRecord(folder, "http://lambent.example:4570"), undefined, "another machine's server is another server");
  removeRunRecord(folder, record.endpoint, record.pid + 1);
  assert.equal(readRunRecord(folder, record.endpoint)?.pid, record.pid, "another server's record stays");
  removeRunRecord(folder, record.endpoint, record.pid);
  assert.equal(readRunRecord(folder, record.endpoint), undefined);
});

test("a folder that others may enter, or that is a link, is not used", () => {
  leaveRunRecord(folder, record);
  chmodSync(folder, 0o770);
  assert.throws(
    () => readRunRecord(folder, record.endpoint),
    (error) => isLambentError(error, "DataFolderUnusable"),
  );
  chmodSync(folder, 0o700);
  const link = join(runtime, "link");
  symlinkSync(folder, link);
  assert.throws(
    () => readRunRecord(link, record.endpoint),
    (error) => isLambentError(error, "DataFolderUnusable"),
  );
});

test("the endpoint is the option, then LAMBENT_ENDPOINT, then port 4566; the key is the environment's, then the left one", () => {
  leaveRunRecord(folder, record);
  const base = { XDG_RUNTIME_DIR: runtime };
  assert.equal(connect({ endpoint: record.endpoint }, { ...base, LAMBENT_ENDPOINT: "http://127.0.0.1:1" }).endpoint, record.endpoint);
  const left = connect({}, { ...base, LAMBENT_ENDPOINT: record.endpoint });
  assert.deepEqual([left.key.accessKeyId, left.region, left.keyFrom], ["LEFT", "eu-west-1", "run-time folder"]);
  const given = connect(
    {},
    { ...base, AWS_ACCESS_KEY_ID: "MINE", AWS_SECRET_ACCESS_KEY: "s", AWS_REGION: "us-west-2", AWS_PROFILE: "work" },
  );
  assert.deepEqual([given.endpoint, given.key.accessKeyId, given.region], ["http://127.0.0.1:4566", "MINE", "us-west-2"]);
});

test("a server that is stopping is another thing than none", async () => {
  const free = createServer().listen(0, "127.0.0.1");
  await once(free, "listening");
  const endpoint = `http://127.0.0.1:${(free.address() as AddressInfo).port}`;
  free.close();
  await once(free, "close");
  const ending = async (pid: number): Promise<string | undefined> => {
    leaveRunRecord(folder, { ...record, endpoint, pid });
    const client = createClient(connect({ endpoint }, { XDG_RUNTIME_DIR: runtime }));
    return client.send({ service: "lambda", method: "GET", path: "/" }).then(
      () => undefined,
      (error: unknown) => (error instanceof CommandFailure ? error.exit : undefined),
    );
  };
  assert.equal(await ending(process.pid), "tryAgain");
  const { pid: gone } = spawnSync(process.execPath, ["--version"]);
  assert.equal(await ending(gone), "unreachable");
});

test("without a key nothing is sent: stored AWS profiles are never read", () => {
  assert.throws(
    () => connect({}, { XDG_RUNTIME_DIR: runtime, AWS_PROFILE: "work", HOME: runtime }),
    (error) => error instanceof CommandFailure && error.exit === "unreachable",
  );
  assert.throws(
    () => connect({ endpoint: "4566" }, { XDG_RUNTIME_DIR: runtime }),
    (error) => error instanceof CommandFailure && error.exit === "usage" && error.message.startsWith("--endpoint is "),
  );
});
