/**
 * First calls to sleeping functions: from the request on an open connection to the whole answer.
 *
 * A function sleeps because its instance was idle for a second (`--idle 1`), as it would after five minutes by default:
 * nothing is redeployed, and the platform forgets it as it always does. Several functions are called in turn, so that by the time
 * it is one's turn again it has slept for a while. That a call was a first one is in its answer, which counts the calls
 * of its instance; a warm one fails the bench.
 */
import { deployAll, type BenchFunction } from "../support/application.ts";
import { Connection } from "../support/connection.ts";
import { compare, type PairResult, type Sample } from "../support/pair.ts";
import { commandMs } from "../support/processes.ts";
import { BenchServer } from "../support/server.ts";

const COUNTING_JS = "let calls = 0;\nexport const handler = async () => ({ calls: ++calls });\n";
const COUNTING_TS = `enum Step { One = 1 }
interface Counted { readonly calls: number }
let calls: number = 0;
export const handler = async (): Promise<Counted> => ({ calls: (calls += Step.One) });
`;
const COUNTING_PY = `import boto3

calls = 0


def handler(event, context):
    global calls
    calls += 1
    return {"calls": calls}
`;
/** Functions of one kind that are called in turn: the others fall asleep meanwhile. */
const COPIES_MAX = 3;
const FILES_OF_LARGE_PACKAGE = 10_000;
const FILES_PER_FOLDER = 100;

/** Files that lie beside the handler, as dependencies do. */
const LARGE_PACKAGE = Object.fromEntries(
  Array.from({ length: FILES_OF_LARGE_PACKAGE }, (_, index) => [
    `library/${Math.floor(index / FILES_PER_FOLDER)}/${index}.mjs`,
    `export const number = ${index};\n`,
  ]),
);

export type NodeKind = "one file" | "10,000 files" | "TypeScript";

/** Every copy has content of its own: equal code would share its prepared tree, and wait for it. */
const NODE_KINDS: Readonly<Record<NodeKind, (copy: number) => BenchFunction["files"]>> = {
  "one file": (copy) => ({ "index.mjs": `${COUNTING_JS}// ${copy}\n` }),
  "10,000 files": (copy) => ({ "index.mjs": `${COUNTING_JS}// large ${copy}\n`, ...LARGE_PACKAGE }),
  TypeScript: (copy) => ({ "index.ts": `${COUNTING_TS}export const copy = ${copy};\n` }),
};

/** Each kind beside the start of `node -e 0` with the same Node: `rounds` pairs of each. */
export async function measureColdNode(kinds: readonly NodeKind[], rounds: number): Promise<ReadonlyMap<NodeKind, PairResult>> {
  const nameOf = (kind: NodeKind, round: number): string => `cold-${kinds.indexOf(kind)}-${round % copiesOf(kind)}`;
  const functions = Object.fromEntries(
    kinds.flatMap((kind) =>
      Array.from(
        { length: copiesOf(kind) },
        (_, copy) => [nameOf(kind, copy), { runtime: "nodejs24.x", files: NODE_KINDS[kind](copy) }] as const,
      ),
    ),
  );
  const bound = (): Promise<number> => commandMs(process.execPath, ["-e", "0"]);
  return await measureInTurn(functions, kinds, nameOf, bound, rounds);
}

/** One large package is enough: it takes seconds to deploy, and the others are called between its calls. */
function copiesOf(kind: NodeKind): number {
  return kind === "10,000 files" ? 1 : COPIES_MAX;
}

/** A Python function that imports boto3, beside the interpreter that imports boto3 and makes a client. */
export async function measureColdPython(python: string, rounds: number): Promise<PairResult> {
  const nameOf = (_kind: "python", round: number): string => `cold-python-${round % COPIES_MAX}`;
  const functions = Object.fromEntries(
    Array.from({ length: COPIES_MAX }, (_, copy) => [
      nameOf("python", copy),
      { runtime: "python3.11", files: { "index.py": `${COUNTING_PY}# ${copy}\n` } },
    ]),
  );
  const bound = (): Promise<number> => commandMs(python, ["-c", 'import boto3; boto3.client("s3", region_name="us-east-1")']);
  const results = await measureInTurn(functions, ["python"], nameOf, bound, rounds);
  return results.get("python") ?? compare([], []);
}

async function measureInTurn<Kind>(
  functions: Readonly<Record<string, BenchFunction>>,
  kinds: readonly Kind[],
  nameOf: (kind: Kind, round: number) => string,
  bound: () => Promise<number>,
  rounds: number,
): Promise<Map<Kind, PairResult>> {
  const server = await BenchServer.start({ args: ["--idle", "1"] });
  try {
    await deployAll(server, functions);
    const callers = new FirstCalls(server);
    // Once around before anything counts: the first start of a server's life compiles and reads what all later ones find ready.
    for (const name of Object.keys(functions)) await callers.call(name);
    const samples = new Map(kinds.map((kind) => [kind, { ours: [] as Sample[], bound: [] as Sample[] }]));
    for (let round = 0; round < rounds; round++) {
      for (const [kind, { ours, bound: theirs }] of samples) {
        if (round % 2 === 1) theirs.push({ value: await bound() });
        ours.push({ value: await callers.call(nameOf(kind, round)) });
        if (round % 2 === 0) theirs.push({ value: await bound() });
      }
    }
    callers.close();
    return new Map([...samples].map(([kind, { ours, bound: theirs }]) => [kind, compare(ours, theirs)]));
  } finally {
    await server.stop();
  }
}

/** Calls functions in turn, each only when it sleeps, the pool is full and nothing else is left to do. */
class FirstCalls {
  readonly #server: BenchServer;
  /** Names in the order of their latest calls. */
  #order: readonly string[] = [];
  #connection: Connection | undefined;

  constructor(server: BenchServer) {
    this.#server = server;
  }

  /** Milliseconds of the first call. */
  async call(name: string): Promise<number> {
    const server = this.#server;
    this.#connection ??= await Connection.open(server.port);
    // Instances go in the order of their calls: with no more of them than later calls this one's went, with one less some time ago.
    const laterCalls = this.#order.length - this.#order.indexOf(name) - 1;
    if (this.#order.includes(name)) await server.until(`${name} sleeps`, ({ InstanceCount }) => InstanceCount < Math.max(1, laterCalls));
    this.#order = [...this.#order.filter((other) => other !== name), name];
    await server.poolIsReady();
    await server.isQuiet();
    const answer = await this.#connection.send(server.signedInvoke(name));
    if (answer.status !== 200 || answer.body.replaceAll(" ", "") !== '{"calls":1}') {
      throw new TypeError(`the first call of ${name} answered ${answer.status}: ${answer.body}`);
    }
    return answer.ms;
  }

  close(): void {
    this.#connection?.close();
  }
}
