/**
 * The "host": runs in a network namespace of its own that is joined to the public machine's by a cable (veth). Confines a
 * real instance, serves its way out with names from a list, and prints what the instance found and which names were asked.
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { systemClock } from "../../../src/base/index.ts";
import { type ApiHandler, createInstanceEndpoint } from "../../../src/gateway/index.ts";
import { openSandbox, UID_RANGE_DEFAULT } from "../../../src/sandbox/index.ts";
import { createEgress } from "../../../src/security/index.ts";
import { functionVersion } from "../../support/function-version.ts";
import { selfSigned } from "./self-signed.ts";

const HOST = "8.8.4.1";
const PUBLIC = "8.8.4.4";
const { key, certificate } = selfSigned("public.test");

const NAMES: Readonly<Record<string, readonly string[]>> = {
  "public.test": [PUBLIC],
  "mixed.test": [PUBLIC, "127.0.0.1"],
  "private.test": ["10.0.0.1"],
};
const asked: string[] = [];
async function lookup(host: string): Promise<readonly string[]> {
  asked.push(host);
  if (host === "rebinding.test") return asked.filter((name) => name === host).length === 1 ? [PUBLIC] : ["127.0.0.1"];
  return NAMES[host] ?? Promise.reject(new RangeError(host));
}

const folder = realpathSync(mkdtempSync(join(tmpdir(), "lambent-egress-")));
const publicServer = spawn(
  "unshare",
  ["--net", process.execPath, join(import.meta.dirname, "public-server.ts"), JSON.stringify({ address: PUBLIC, key, certificate })],
  {
    stdio: ["pipe", "pipe", "inherit"],
  },
);
try {
  await once(publicServer.stdout, "data");
  layCable(publicServer);
  publicServer.stdin.write("go\n");
  await once(publicServer.stdout, "data");
  process.stdout.write(`${JSON.stringify({ seen: await runInstance(), asked })}\n`);
} finally {
  const gone = publicServer.exitCode === null ? once(publicServer, "exit") : undefined;
  publicServer.stdin.destroy();
  await gone;
  rmSync(folder, { recursive: true });
}

function layCable({ pid }: ChildProcess): void {
  const ip = (...args: readonly string[]): void => void execFileSync("ip", args);
  const there = (...args: readonly string[]): void => void execFileSync("nsenter", [`--net=/proc/${pid}/ns/net`, "ip", ...args]);
  ip("link", "set", "lo", "up");
  ip("link", "add", "v0", "type", "veth", "peer", "name", "v1", "netns", String(pid));
  ip("address", "add", `${HOST}/24`, "dev", "v0");
  ip("link", "set", "v0", "up");
  there("address", "add", `${PUBLIC}/24`, "dev", "v1");
  there("link", "set", "v1", "up");
}

async function runInstance(): Promise<unknown> {
  const sandbox = await openSandbox({
    wanted: "bubblewrap",
    slotsFolder: join(folder, "slots"),
    clock: systemClock,
    uidRange: UID_RANGE_DEFAULT,
    sdkTree: undefined,
  });
  try {
    const running = await sandbox.launch({
      id: "egress-probe",
      command: ["/bin/sh", "-c", "read go <&3; exec /lambent/node/node /var/task/probe.mjs"],
      environment: ({ listeners }) => ({
        ...proxySettings(`http://${listeners?.proxyAddress ?? fail()}`),
        NODE_EXTRA_CA_CERTS: "/var/task/public.pem",
      }),
      memoryMb: 512,
      tmpMb: 512,
      network: "lambent",
      mounts: [{ source: dirname(realpathSync(process.execPath)), target: "/lambent/node" }],
    });
    const listeners = running.listeners ?? fail();
    const endpoint = createInstanceEndpoint({ api: {} as ApiHandler, egress: createEgress({ opened: [], lookup }) });
    const served = endpoint.serveProxy(listeners.proxy, { instanceId: running.id, version: functionVersion() });
    await running.place(codeTree(), "task");
    let output = "";
    running.stdout.on("data", (piece: Buffer) => (output += piece.toString()));
    running.stderr.pipe(process.stderr, { end: false });
    running.channel.write("go\n");
    await Promise.all([running.exited, once(running.stdout, "close")]);
    served.close();
    return JSON.parse(output);
  } finally {
    await sandbox.close();
  }
}

function codeTree(): string {
  const tree = join(folder, "tree");
  mkdirSync(tree);
  copyFileSync(join(import.meta.dirname, "probe.mjs"), join(tree, "probe.mjs"));
  writeFileSync(join(tree, "public.pem"), certificate);
  return tree;
}

function proxySettings(proxy: string): Record<string, string> {
  const names = ["HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"];
  return { ...Object.fromEntries(names.map((name) => [name, proxy])), NODE_USE_ENV_PROXY: "1", PATH: "/usr/bin:/bin" };
}

function fail(): never {
  throw new TypeError("the instance has no listeners");
}
