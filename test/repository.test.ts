/** What the repository says in two places must be the same in both, and what set-up promises must hold. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { parse } from "yaml";
import { repositoryFiles, root, textOf } from "../scripts/support/source-tree.ts";

interface Manifest {
  readonly scripts: Readonly<Record<string, string>>;
  readonly engines: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

const manifestOf = (path: string): Manifest => JSON.parse(textOf(path)) as Manifest;
const workspace = manifestOf("package.json");
const functionSdk = manifestOf("packages/function-sdk/package.json");

test("functions get the AWS clients in the versions that the tests use", () => {
  const tested = Object.entries(workspace.devDependencies ?? {}).filter(([name]) => name.startsWith("@aws-sdk/"));
  assert.deepEqual(functionSdk.dependencies, Object.fromEntries(tested));
});

test("functions get the boto3 and the debugpy that the tests use", () => {
  const pinned = (path: string): string[] => textOf(path).match(/^(?:boto3|debugpy)==.*$/gmu) ?? [];
  assert.equal(pinned("test/requirements.txt").length, 2);
  assert.deepEqual(pinned("packages/function-sdk/requirements.txt"), pinned("test/requirements.txt"));
});

test("a machine whose Python has boto3 and no debugpy is not done: functions need both", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "lambent-set-up-"));
  t.after(() => rmSync(folder, { recursive: true }));
  for (const name of ["scripts/setup", "packages/function-sdk/requirements.txt", "test/requirements.txt"])
    cpSync(join(root, name), join(folder, name), { recursive: true });
  const isDone = (debugpy: string): string => {
    const found = `{"boto3":{"version":"1.40.0","place":"/"},"awscli":null,"debugpy":${debugpy},"canMakeVenv":true}`;
    writeFileSync(join(folder, "python3"), `#!/bin/sh\necho '${found}'\n`, { mode: 0o755 });
    const question = `console.log((await import(${JSON.stringify(join(folder, "scripts/setup/python.mjs"))})).functionPythonStep().isDone())`;
    return execFileSync(process.execPath, ["--input-type=module", "-e", question], { env: { PATH: folder }, encoding: "utf8" }).trim();
  };
  assert.equal(isDone("null"), "false");
  assert.equal(isDone('{"version":"1.8.22","place":"/"}'), "true");
});

test("every dependency is pinned exactly and explained in docs/dependencies.md", () => {
  const explained = textOf("docs/dependencies.md");
  const complaints: string[] = [];
  for (const path of repositoryFiles().filter((each) => /^(packages\/[^/]+\/)?package\.json$/u.test(each))) {
    const { dependencies = {}, devDependencies = {} } = manifestOf(path);
    for (const [name, version] of Object.entries({ ...dependencies, ...devDependencies })) {
      if (!/^\d+\.\d+\.\d+$/u.test(version) && !name.startsWith("@lambent/"))
        complaints.push(`${path}: ${name} is ${version}; pin one version`);
      const family = name.replace(/^@aws-sdk\/.*/u, "@aws-sdk/client-*").replace(/^@types\/.*/u, "@types/*");
      if (!explained.includes(`\`${family}\``)) complaints.push(`${path}: ${name} is not explained in docs/dependencies.md`);
    }
  }
  assert.deepEqual(complaints, []);
});

test("the lock files fit any platform and name no address", () => {
  const complaints: string[] = [];
  for (const path of ["package-lock.json", "packages/function-sdk/package-lock.json"]) {
    const lock = JSON.parse(textOf(path)) as { packages: Record<string, { resolved?: string; optionalDependencies?: object }> };
    for (const [place, { resolved = "", optionalDependencies = {} }] of Object.entries(lock.packages)) {
      if (resolved.includes(":")) complaints.push(`${path}: ${place} names ${resolved}`);
      for (const name of Object.keys(optionalDependencies)) {
        if (!lock.packages[`node_modules/${name}`])
          complaints.push(`${path}: ${name} is missing: run \`node scripts/complete-lock.mjs\` beside it`);
      }
    }
  }
  assert.deepEqual(complaints, []);
});

const temporary = mkdtempSync(join(tmpdir(), "lambent-repository-"));
after(() => rmSync(temporary, { recursive: true, force: true }));

/** A checkout with set-up's own files and what the caller puts in; its PATH leads to `commands` and nothing else. */
function bareCheckout(
  name: string,
  commands: readonly string[],
): { folder: string; setUp(...args: string[]): { status: number | null; text: string } } {
  const folder = join(temporary, name);
  const bin = join(folder, "bin");
  mkdirSync(bin, { recursive: true });
  for (const path of [
    "scripts/setup.mjs",
    "scripts/setup",
    "package-lock.json",
    "packages/function-sdk/requirements.txt",
    "test/requirements.txt",
    "test/kafka-clients",
  ]) {
    cpSync(join(root, path), join(folder, path), { recursive: true });
  }
  cpSync(join(root, "packages/function-sdk/package-lock.json"), join(folder, "packages/function-sdk/package-lock.json"));
  for (const command of commands) {
    writeFileSync(join(bin, command), `#!/bin/sh\necho "$0 $*" >> ${join(folder, "called")}\nexit 1\n`, { mode: 0o755 });
  }
  return {
    folder,
    setUp(...args) {
      const env = { PATH: bin, CI: "", HOME: folder };
      const ended = spawnSync(process.execPath, [join(folder, "scripts/setup.mjs"), ...args], {
        env,
        encoding: "utf8",
        stdio: ["ignore", "pipe", "pipe"],
      });
      return { status: ended.status, text: ended.stderr };
    },
  };
}

test("set-up with --no-install installs nothing and prints the command for each missing part", () => {
  const { folder, setUp } = bareCheckout("no-install", ["npm", "apt-get"]);
  const { status, text } = setUp("--for", "start", "--no-install");
  assert.equal(status, 1, "without its packages nothing runs");
  assert.match(text, /\[1\/3\] packages … \[2\/3\] bubblewrap \(Debian package, confines functions\), python3 /u);
  assert.match(text, /Run: npm ci/u);
  assert.match(text, /Run: (sudo )?apt-get install --yes --no-install-recommends bubblewrap python3/u);
  assert.throws(() => execFileSync("cat", [join(folder, "called")], { stdio: "pipe" }), "nothing was called");
});

test("set-up goes on without a part that only some functions need, and stops for it in continuous integration", () => {
  const { folder, setUp } = bareCheckout("going-on", []);
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
  symlinkSync(join(root, "packages/function-sdk/node_modules"), join(folder, "packages/function-sdk/node_modules"));
  const started = setUp("--for", "start");
  assert.equal(started.status, 0, started.text);
  assert.match(started.text, /Install bubblewrap and python3/u);
  assert.match(started.text, /Going on with what there is\./u);
  const env = { PATH: join(folder, "bin"), CI: "true", HOME: folder };
  const tested = spawnSync(process.execPath, [join(folder, "scripts/setup.mjs"), "--for", "test"], { env, encoding: "utf8" });
  assert.equal(tested.status, 1);
  assert.match(tested.stderr, /with CI=true the tests need every part above/u);
});

test("the compose file starts one service that keeps its data and is asked whether it is ready", () => {
  const compose = parse(textOf("compose.yaml")) as {
    services: Record<string, { build: string; volumes: string[]; ports: string[] }>;
    volumes: object;
  };
  const { lambent } = compose.services;
  assert.ok(lambent);
  const [volume = ""] = lambent.volumes;
  assert.ok(Object.hasOwn(compose.volumes, volume.split(":")[0] ?? ""), "the data is in a named volume");
  assert.ok(textOf("Dockerfile").includes(`VOLUME ${volume.split(":")[1]}`), "and where the image keeps it");
  assert.ok(
    lambent.ports.every((port) => port.startsWith("127.0.0.1:")),
    "nothing is open to the network unless asked for",
  );
});

test("the Dockerfile has only instructions that Docker knows, copies what exists, and ends as an ordinary user", () => {
  const lines = textOf("Dockerfile")
    .replace(/\\\n/gu, " ")
    .split("\n")
    .filter((line) => line.trim() !== "" && !line.startsWith("#"));
  const instructions = lines.map((line) => line.trim().split(/\s+/u));
  const known = new Set(["FROM", "RUN", "COPY", "WORKDIR", "ENV", "EXPOSE", "VOLUME", "USER", "ENTRYPOINT", "CMD", "HEALTHCHECK"]);
  assert.deepEqual(
    instructions.filter(([name = ""]) => !known.has(name)),
    [],
  );
  assert.match(textOf("Dockerfile"), /FROM node:26[^\n]* AS build/u);
  assert.ok(instructions.some(([name, user]) => name === "USER" && user === "node"));
});
