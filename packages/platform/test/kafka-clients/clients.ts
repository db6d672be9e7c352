/**
 * Kafka's clients as the tests drive them. Each has a driver that knows four commands:
 *
 * - `produce`: `count` records from number `first` on, key `k<number>`, value `<value><number>`, a header `client`, with
 *   `codec`; ends when all are acknowledged.
 * - `consume`: reads `count` records of a topic from its beginning, in no group, and prints each.
 * - `group`: the same as a member of `group`, from where the group is; commits, then ends.
 * - `member`: takes part in `group` until its input ends: prints what it is assigned and what it reads, and commits that.
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync } from "node:fs";
import { delimiter, join } from "node:path";
import type { DriverOptions } from "./drivers/options.ts";

export type Codec = "gzip" | "snappy" | "lz4" | "zstd";
export const CODECS: readonly Codec[] = ["gzip", "snappy", "lz4", "zstd"];

export type Command = "produce" | "consume" | "group" | "member";
export type CommandOptions = Partial<DriverOptions> & Pick<DriverOptions, "broker" | "topic">;

/** A driver's line: a record it read, or the partitions it has, or came by, or gave up. */
export type DriverLine =
  | { readonly partition: number; readonly offset: number; readonly key: string; readonly value: string; readonly client: string }
  | { readonly assigned: readonly number[] }
  | { readonly gained: readonly number[] }
  | { readonly lost: readonly number[] }
  | { readonly notCommitted: string };

export interface Invocation {
  readonly file: string;
  readonly args: readonly string[];
  readonly input?: string;
  /** How a member is told to end; by the end of its input where nothing is said. */
  readonly endsBy?: NodeJS.Signals;
}

export interface Client {
  /** As users know it. */
  readonly name: string;
  readonly version: string;
  /** In names of topics. */
  readonly slug: string;
  readonly codecs: readonly Codec[];
  readonly isCooperative: boolean;
  /** The header its driver sends. */
  readonly header: string;
  invoke(command: Command, options: CommandOptions): Invocation;
  /** What a line of its output says; undefined for one that says nothing. */
  read(line: string): DriverLine | undefined;
}

/** One that cannot be run on this machine, and why. */
export interface AbsentClient {
  readonly name: string;
  readonly version: string;
  readonly why: string;
}

const DEFAULTS = { codec: "none", first: 0, value: "", sharing: "eager" };
const HERE = import.meta.dirname;
const ROOT = join(HERE, "..", "..", "..", "..");
const CACHE = join(ROOT, "node_modules", ".cache");
const driver = (name: string): string => join(HERE, "drivers", name);
const readJsonLine = (line: string): DriverLine | undefined => (line.startsWith("{") ? (JSON.parse(line) as DriverLine) : undefined);

let clients: readonly (Client | AbsentClient)[] | undefined;

/** All of them, in the order of the table. The machine is asked once. */
export function allClients(): readonly (Client | AbsentClient)[] {
  clients ??= findClients();
  return clients;
}

function findClients(): readonly (Client | AbsentClient)[] {
  const ages = ["oldest", "newest"] as const;
  return [
    kcat(),
    ...ages.map((age) => python("confluent-kafka", "confluent_kafka", "confluent.py", age)),
    ...ages.map((age) => python("kafka-python", "kafka", "kafka_python.py", age)),
    javascript("kafkajs", "kafkajs.ts", "kafkajs", ["gzip"]),
    javascript("@platformatic/kafka", "platformatic.ts", "platformatic", CODECS),
    ...Object.keys(jars()).map(java),
  ];
}

export function isAbsent(client: Client | AbsentClient): client is AbsentClient {
  return "why" in client;
}

function kcat(): Client | AbsentClient {
  const name = "kcat";
  const file = findCommand("kcat");
  if (file === undefined) return { name, version: "", why: "kcat is not installed" };
  const [, version = "", library = ""] = /Version (\S+) .*librdkafka ([\d.]+)/su.exec(run(file, ["-V"])) ?? [];
  return {
    name,
    version: `${version} (librdkafka ${library})`,
    slug: "kcat",
    codecs: CODECS,
    isCooperative: true,
    header: "client=kcat",
    invoke(command, { broker, topic, group = "", first = 0, count = 0, value = "", codec = "none", sharing }) {
      const base = ["-b", broker];
      const format = ["-q", "-u", "-f", '{"partition":%p,"offset":%o,"key":"%k","value":"%s","client":"%h"}\\n'];
      const assignor = `partition.assignment.strategy=${sharing === "cooperative" ? "cooperative-sticky" : "range"}`;
      const settings = ["session.timeout.ms=2000", "heartbeat.interval.ms=400", "auto.offset.reset=earliest", assignor];
      const member = settings.flatMap((each) => ["-X", each]);
      switch (command) {
        case "produce": {
          const lines = Array.from({ length: count }, (_, index) => `k${first + index}:${value}${first + index}\n`);
          return { file, args: [...base, "-P", "-t", topic, "-K:", "-H", "client=kcat", "-z", codec], input: lines.join("") };
        }
        case "consume":
          return { file, args: [...base, "-C", "-t", topic, "-o", "beginning", "-c", String(count), ...format] };
        case "group":
          return { file, args: [...base, ...member, "-G", group, "-c", String(count), ...format, topic] };
        case "member": {
          const told = format.filter((word) => word !== "-q");
          return { file, args: [...base, ...member, "-X", "auto.commit.interval.ms=100", "-G", group, ...told, topic], endsBy: "SIGTERM" };
        }
      }
    },
    read(line) {
      const rebalanced = /rebalanced.*?(assigned|revoked|incremental assignment|incremental revoke)[^:]*:(.*)$/u.exec(line);
      if (!rebalanced) return readJsonLine(line);
      const [, kind, partitions = ""] = rebalanced;
      const numbers = Array.from(partitions.matchAll(/\[(\d+)\]/gu), ([, number]) => Number(number));
      return kind === "assigned" || kind === "incremental assignment" ? { gained: numbers } : { lost: numbers };
    },
  };
}

function python(name: string, module: string, program: string, age: "oldest" | "newest"): Client | AbsentClient {
  const requirements = readFileSync(join(ROOT, "test", "kafka-clients", `${age}.txt`), "utf8");
  const version = new RegExp(`^${name}==(.*)$`, "mu").exec(requirements)?.[1] ?? "";
  const file = join(CACHE, `lambent-test-kafka-${age}`, "bin", "python3");
  if (!existsSync(file)) return { name, version, why: "set-up could not make its Python environment" };
  try {
    run(file, ["-c", `import ${module}`]);
  } catch {
    return { name, version, why: `it does not load under ${run(file, ["--version"]).trim()}` };
  }
  return {
    name,
    version:
      name === "confluent-kafka"
        ? `${version} (librdkafka ${run(file, ["-c", "import confluent_kafka; print(confluent_kafka.libversion()[0])"]).trim()})`
        : version,
    slug: `${name}-${age}`,
    codecs: CODECS,
    isCooperative: name === "confluent-kafka" || age === "newest",
    header: name,
    invoke: (command, options) => ({ file, args: [driver(program), command, JSON.stringify({ ...DEFAULTS, ...options })] }),
    read: readJsonLine,
  };
}

function javascript(name: string, program: string, slug: string, codecs: readonly Codec[]): Client {
  const { version } = JSON.parse(readFileSync(join(ROOT, "node_modules", name, "package.json"), "utf8")) as { version: string };
  return {
    name,
    version,
    slug,
    codecs,
    isCooperative: slug === "platformatic",
    header: slug,
    invoke: (command, options) => ({
      file: process.execPath,
      args: [driver(program), command, JSON.stringify({ ...DEFAULTS, ...options })],
    }),
    read: readJsonLine,
  };
}

function jars(): Readonly<Record<string, Readonly<Record<string, string>>>> {
  return JSON.parse(readFileSync(join(ROOT, "test", "kafka-clients", "jars.json"), "utf8")) as Record<string, Record<string, string>>;
}

function java(version: string): Client | AbsentClient {
  const name = "Java client";
  const [file, compiler] = [findCommand("java"), findCommand("javac")];
  if (file === undefined || compiler === undefined) return { name, version, why: "no Java" };
  const folder = join(CACHE, "lambent-test-kafka-java", version);
  if (!existsSync(folder)) return { name, version, why: "set-up could not fetch its jars" };
  const jarFiles = readdirSync(folder)
    .filter((each) => each.endsWith(".jar"))
    .map((each) => join(folder, each));
  const classes = compiled(compiler, jarFiles, join(folder, "classes"));
  // Short lives: what is compiled quickly runs soonest.
  const flags = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xshare:auto", "-Xmx128m"];
  return {
    name,
    version,
    slug: `java-${version}`,
    codecs: CODECS,
    isCooperative: true,
    header: "java",
    invoke(command, options) {
      const words = Object.entries({ ...DEFAULTS, ...options }).map(([key, value]) => `${key}=${value}`);
      return { file, args: [...flags, "-cp", [classes, ...jarFiles].join(delimiter), "JavaClient", command, ...words] };
    },
    read: readJsonLine,
  };
}

/** The folder of the driver's classes; made anew when the driver is newer. */
function compiled(compiler: string, jarFiles: readonly string[], classes: string): string {
  const source = driver("JavaClient.java");
  const made = join(classes, "JavaClient.class");
  if (existsSync(made) && statSync(made).mtimeMs > statSync(source).mtimeMs) return classes;
  mkdirSync(classes, { recursive: true });
  run(compiler, ["-cp", jarFiles.join(delimiter), "-d", classes, source]);
  return classes;
}

function findCommand(command: string): string | undefined {
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  return folders.map((folder) => join(folder, command)).find((file) => existsSync(file));
}

function run(file: string, args: readonly string[]): string {
  return execFileSync(file, [...args], { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}
