/** A Postgres of its own for a test: a cluster in a temporary folder, on a port of loopback that nobody else knows. */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { chownSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import pg from "pg";

/** Where Debian has it, the newest version last. */
const DEBIAN_FOLDER = "/usr/lib/postgresql";
export const PASSWORD = "correct-horse";

export interface PostgresServer extends AsyncDisposable {
  readonly url: string;
  /** Rows of one statement. */
  query(text: string): Promise<Record<string, unknown>[]>;
  close(): Promise<void>;
}

/** Starts a server; `close` ends it and takes its folder away. */
export async function startPostgres(): Promise<PostgresServer> {
  const folder = mkdtempSync(join(tmpdir(), "lambent-postgres-"));
  // It does not run as root.
  const user = process.getuid?.() === 0 ? postgresUser() : undefined;
  if (user) chownSync(folder, user.uid, user.gid);
  const data = join(folder, "data");
  const options = { ...user, cwd: folder };
  const rest = ["--username=tester", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"];
  await promisify(execFile)(program("initdb"), [`--pgdata=${data}`, ...rest], options);
  const port = await freePort();
  const settings = ["fsync=off", "listen_addresses=127.0.0.1", `port=${port}`, `unix_socket_directories=${folder}`, "max_connections=20"];
  const server = spawn(program("postgres"), ["-D", data, ...settings.flatMap((each) => ["-c", each])], {
    ...options,
    stdio: ["ignore", "ignore", "pipe"],
  });
  await ready(server);
  const url = `postgres://tester:${PASSWORD}@127.0.0.1:${port}/postgres`;
  const client = new pg.Client(url);
  await client.connect();
  const close = async (): Promise<void> => {
    await client.end();
    const ended = once(server, "exit");
    server.kill("SIGQUIT");
    await ended;
    rmSync(folder, { recursive: true });
  };
  return {
    url,
    query: async (text) => (await client.query<Record<string, unknown>>(text)).rows,
    ...{ close, [Symbol.asyncDispose]: close },
  };
}

async function ready(server: ChildProcess): Promise<void> {
  const said: string[] = [];
  const lines = createInterface({ input: server.stderr as NodeJS.ReadableStream });
  for await (const line of lines) {
    said.push(line);
    if (!line.includes("ready to accept connections")) continue;
    server.stderr?.resume();
    return;
  }
  throw new TypeError(`Postgres did not start: ${said.join("\n")}`);
}

function program(name: string): string {
  const [newest] = existsSync(DEBIAN_FOLDER) ? readdirSync(DEBIAN_FOLDER).sort((left, right) => Number(right) - Number(left)) : [];
  return newest === undefined ? name : join(DEBIAN_FOLDER, newest, "bin", name);
}

function postgresUser(): { readonly uid: number; readonly gid: number } {
  const line = readFileSync("/etc/passwd", "utf8")
    .split("\n")
    .find((each) => each.startsWith("postgres:"));
  const [, , uid = "65534", gid = "65534"] = line?.split(":") ?? [];
  return { uid: Number(uid), gid: Number(gid) };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
