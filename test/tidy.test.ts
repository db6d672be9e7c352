/**
 * The style that is a test. Each message says what to use instead. An exemption names its reason, and fails here
 * once it is no longer needed, so the lists below only get shorter.
 */
import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { generatedDocuments } from "../scripts/support/documents.ts";
import { exportedFunctions, nonExports } from "../scripts/support/doors.ts";
import {
  child,
  dottedName,
  hasFile,
  importsOf,
  isNode,
  lineOf,
  nameOf,
  type Node,
  nodesOf,
  placeOf,
  PLATFORM,
  repositoryFiles,
  root,
  type SourceFile,
  sourceFile,
  sourceFiles,
  stringOf,
  textOf,
} from "../scripts/support/source-tree.ts";

/** File or folder (ending in a slash) → why it may. */
type Exemptions = Readonly<Record<string, string>>;
interface Fault {
  readonly path: string;
  readonly message: string;
}

const engine = sourceFiles(`${PLATFORM}/**/*.ts`);
const ownCode = sourceFiles("packages/*/src/**/*.ts", "scripts/**/*.ts", "bench/**/*.ts", "examples/**/*.ts");
const tests = sourceFiles("packages/*/test/**/*.ts", "test/**/*.ts", "examples/**/*.test.ts");

/** No fault outside the exempt places, and no exemption without a fault. */
function assertOnlyExempt(faults: readonly Fault[], exemptions: Exemptions = {}): void {
  const isIn = (place: string, path: string): boolean => (place.endsWith("/") ? path.startsWith(place) : path === place);
  const places = Object.keys(exemptions);
  const complaints = faults.filter(({ path }) => !places.some((place) => isIn(place, path))).map(({ message }) => message);
  const unneeded = places.filter((place) => !faults.some(({ path }) => isIn(place, path)));
  assert.deepEqual([...complaints, ...unneeded.map((place) => `the exemption of ${place} is no longer needed: remove it`)], []);
}

/** A fault for every node for which `judge` has a sentence. */
function judgeNodes(files: readonly SourceFile[], judge: (node: Node) => string | undefined): readonly Fault[] {
  const faults: Fault[] = [];
  for (const file of files) {
    for (const node of nodesOf(file)) {
      const sentence = judge(node);
      if (sentence !== undefined) faults.push({ path: file.path, message: `${placeOf(file, node)} ${sentence}` });
    }
  }
  return faults;
}

const AMBIENT = new Map(
  Object.entries({
    "Date.now": "clock.now()",
    "performance.now": "clock.monotonicMs()",
    "process.hrtime": "clock.monotonicMs()",
    "AbortSignal.timeout": "clock.schedule() and an AbortController",
    "Math.random": "random.next(), or SecureRandom for what must not be guessed",
    "crypto.randomUUID": "secureRandom.uuid()",
    setTimeout: "clock.schedule()",
    setInterval: "clock.schedule()",
    randomUUID: "secureRandom.uuid()",
    randomBytes: "secureRandom.bytes()",
    randomInt: "randomBelow()",
    getRandomValues: "secureRandom.bytes()",
  }),
);

test("time and chance are read only in base/clock and base/random (P10)", () => {
  const faults = judgeNodes(engine, (node) => {
    if (node.type === "NewExpression" && nameOf(child(node, "callee")) === "Date" && (node["arguments"] as unknown[]).length === 0) {
      return "reads the system's time with `new Date()`; use new Date(clock.now())";
    }
    const callee = node.type === "CallExpression" ? child(node, "callee") : undefined;
    const used = dottedName(node) ?? nameOf(callee);
    const instead = used === undefined ? undefined : AMBIENT.get(used);
    return instead === undefined ? undefined : `uses ${used}; use ${instead}`;
  });
  assertOnlyExempt(faults, {
    [`${PLATFORM}/base/clock.ts`]: "the system's clock",
    [`${PLATFORM}/base/random.ts`]: "the system's chance",
  });
});

const FILE_SYSTEM_USERS = [
  "storage",
  "objects",
  "functions",
  "sandbox",
  "runtime",
  "security",
  "telemetry",
  "apps",
  "gateway/site",
  "wire",
  "server",
  "cli",
];

test("only the folders that own files use node:fs", () => {
  const faults: Fault[] = [];
  for (const file of engine) {
    if (FILE_SYSTEM_USERS.some((folder) => file.path.startsWith(`${PLATFORM}/${folder}/`))) continue;
    for (const { specifier, line } of importsOf(file)) {
      if (!/^(node:)?fs(\/|$)/u.test(specifier)) continue;
      faults.push({
        path: file.path,
        message: `${file.path}:${line} imports ${specifier}; only ${FILE_SYSTEM_USERS.join(", ")} may: ask one of them`,
      });
    }
  }
  assertOnlyExempt(faults);
});

test("a plain Error is made only in base/unreachable", () => {
  const faults = judgeNodes(engine, (node) => {
    const made = node.type === "NewExpression" ? nameOf(child(node, "callee")) : undefined;
    if (made === undefined || !/^(Type|Range|Syntax)?Error$/u.test(made)) return undefined;
    return `makes a plain ${made}; use LambentError with a code of the catalogue, a result union, or invariant() for a bug`;
  });
  assertOnlyExempt(faults, { [`${PLATFORM}/base/unreachable.ts`]: "the one place for bugs" });
});

const FILE_LINES_MAX = 500;
const FUNCTION_LINES_MAX = 70;
/** Files over the bound and the lines they have; they may only get shorter. */
const LONG_FILES: Readonly<Record<string, number>> = {};
/** Files with functions over the bound and the lines of the longest; they may only get shorter. */
const LONG_FUNCTIONS: Readonly<Record<string, number>> = {};

test(`a file has at most ${FILE_LINES_MAX} lines`, () => {
  const files = repositoryFiles().filter((path) => /\.(ts|mjs|js|py|sh)$/u.test(path) && !/(^|\/)(fixtures|golden)\//u.test(path));
  const lengths = files.map((path) => [path, textOf(path).split("\n").length - 1] as const);
  assertRatchet(lengths, FILE_LINES_MAX, LONG_FILES, "take a subject of its own out into a new file");
});

test(`a function has at most ${FUNCTION_LINES_MAX} lines`, () => {
  const lengths = ownCode.map((file) => {
    const functions = [...nodesOf(file)].filter((node) =>
      /^(FunctionDeclaration|FunctionExpression|ArrowFunctionExpression)$/u.test(node.type),
    );
    return [file.path, Math.max(0, ...functions.map((node) => lineOf(file, node.end) - lineOf(file, node.start) + 1))] as const;
  });
  assertRatchet(lengths, FUNCTION_LINES_MAX, LONG_FUNCTIONS, "branch here and move the leaves into functions of their own");
});

function assertRatchet(
  lengths: readonly (readonly [string, number])[],
  max: number,
  known: Readonly<Record<string, number>>,
  advice: string,
): void {
  const complaints: string[] = [];
  for (const [path, lines] of lengths) {
    const before = known[path];
    if (before === undefined && lines > max) complaints.push(`${path} has ${lines} lines, over ${max}: ${advice}`);
    if (before !== undefined && lines > before) complaints.push(`${path} grew from ${before} to ${lines} lines: ${advice}`);
    if (before !== undefined && lines < before)
      complaints.push(`${path} shrank to ${lines} lines: write that down here${lines <= max ? ", by removing it" : ""}`);
  }
  const paths = new Set(lengths.map(([path]) => path));
  complaints.push(
    ...Object.keys(known)
      .filter((path) => !paths.has(path))
      .map((path) => `${path} is gone: remove it here`),
  );
  assert.deepEqual(complaints, []);
}

test("no `any`, and no comment that silences the compiler", () => {
  const faults = [
    ...judgeNodes([...ownCode, ...tests], (node) =>
      node.type === "TSAnyKeyword" ? "says any; say what it is, or `unknown` and look" : undefined,
    ),
  ];
  for (const file of [...ownCode, ...tests]) {
    for (const comment of file.comments) {
      if (!/@ts-(ignore|expect-error|nocheck)/u.test(comment.value)) continue;
      faults.push({ path: file.path, message: `${file.path}:${lineOf(file, comment.start)} silences the compiler; mend the type instead` });
    }
  }
  assertOnlyExempt(faults);
});

const TEST_CALLS = new Set(["test", "it", "describe", "suite"]);

test("no test is skipped, alone or left to do", () => {
  const faults = judgeNodes(tests, (node) => {
    const called = dottedName(child(node, "callee"))?.split(".");
    if (called && TEST_CALLS.has(called[0] ?? "") && /^(skip|only|todo)$/u.test(called[1] ?? ""))
      return `calls ${called.join(".")}; make it hold, or remove it`;
    if (node.type !== "CallExpression" || !TEST_CALLS.has(nameOf(child(node, "callee")) ?? "")) return undefined;
    const option = (node["arguments"] as Node[]).flatMap(propertyNames).find((name) => /^(skip|only|todo)$/u.test(name));
    return option === undefined ? undefined : `sets ${option}; make the test hold, or remove it`;
  });
  assertOnlyExempt(faults);
});

function propertyNames(node: Node): readonly string[] {
  if (node.type !== "ObjectExpression") return [];
  return (node["properties"] as unknown[]).filter(isNode).map((property) => nameOf(child(property, "key")) ?? "");
}

test("no test sleeps", () => {
  const faults: Fault[] = [...judgeNodes(tests, sleepOf)];
  for (const file of tests) {
    for (const { specifier, line } of importsOf(file)) {
      if (specifier === "node:timers/promises")
        faults.push({ path: file.path, message: `${file.path}:${line} imports ${specifier}; wait for an event or a condition` });
    }
  }
  assertOnlyExempt(faults);
});

/** `setTimeout(resolve, …)`: a wait for nothing but time. A time-out that fails the test takes a function of its own. */
function sleepOf(node: Node): string | undefined {
  if (node.type !== "CallExpression" || nameOf(child(node, "callee")) !== "setTimeout") return undefined;
  const [task] = node["arguments"] as Node[];
  return nameOf(task) === undefined ? undefined : "sleeps; use ManualClock, or wait for an event or a condition";
}

const doors = sourceFiles("packages/*/src/**/index.ts");

test("a door holds nothing but named re-exports", () => {
  const faults = doors.flatMap((door) =>
    nonExports(door).map((node) => ({
      path: door.path,
      message: `${placeOf(door, node)} is no named re-export; move it into a file of its own`,
    })),
  );
  assertOnlyExempt(faults);
});

test("every function that leaves a folder has a doc comment", () => {
  const faults = doors.flatMap((door) =>
    exportedFunctions(door)
      .filter(({ doc }) => doc === undefined || doc === "")
      .map(({ name, path }) => ({
        path,
        message: `${path}: ${name} is exported by ${door.path}; say in a doc comment what it does and how it ends`,
      })),
  );
  assertOnlyExempt(faults);
});

test("the tables of errors and bounds are those of the code", () => {
  for (const { path, text } of generatedDocuments()) assert.equal(textOf(path), text, `${path} is out of date: run \`npm run docs\``);
});

/** What a person can set or look for by name: where it is written in code, and where it must be explained. */
const NAMED_THINGS = [
  { what: "setting", names: /\bLAMBENT_[A-Z][A-Z0-9_]*\b/gu, folders: `${PLATFORM}/**/*.{ts,mjs,py}`, document: "docs/configuration.md" },
  {
    what: "metric",
    names: /\blambent_[a-z][a-z0-9_]*_(?:total|seconds|bytes|count|ratio)\b/gu,
    folders: `${PLATFORM}/**/*.ts`,
    document: "docs/metrics.md",
  },
];

for (const { what, names, folders, document } of NAMED_THINGS) {
  test(`every ${what} is in ${document}, and the reverse`, () => {
    const inCode = new Set(globSync(folders, { cwd: root }).flatMap((path) => textsOf(path).flatMap((text) => text.match(names) ?? [])));
    const inDocument = new Set(textOf(document).match(names));
    const complaints = [
      ...[...inCode].filter((name) => !inDocument.has(name)).map((name) => `${name} is in the code: explain it in ${document}`),
      ...[...inDocument]
        .filter((name) => !inCode.has(name))
        .map((name) => `${name} is in ${document} but nothing reads it: remove it there`),
    ];
    assert.deepEqual(complaints, []);
  });
}

/** The strings of a source file, or all of a file in another language. */
function textsOf(path: string): readonly string[] {
  if (!/\.(ts|mjs)$/u.test(path)) return [textOf(path)];
  const nodes = [...nodesOf(sourceFile(path))];
  return nodes.map((node) => stringOf(node) ?? (node.type === "TemplateElement" ? JSON.stringify(node["value"]) : ""));
}

/** Promises that no test names yet, and the issue that owns them. */
const PROMISES_OWED: Readonly<Record<string, string>> = {
  P11: "the durable core",
};

test("every promise is named by a test", () => {
  const told = new Set(tests.flatMap(promisesNamed));
  const complaints: string[] = [];
  for (let number = 1; number <= 11; number += 1) {
    const promise = `P${number}`;
    if (!told.has(promise) && !(promise in PROMISES_OWED))
      complaints.push(`no test names ${promise}: put it into a test's title, or into a comment beside it`);
    if (told.has(promise) && promise in PROMISES_OWED)
      complaints.push(`${promise} is named by a test: it is no longer owed by ${PROMISES_OWED[promise]}`);
  }
  assert.deepEqual(complaints, []);
});

/** Promises in the titles and comments of a test file. */
function promisesNamed(file: SourceFile): readonly string[] {
  const titles = [...nodesOf(file)].map((node) => stringOf(node) ?? "");
  return [...titles, ...file.comments.map(({ value }) => value)].flatMap((text) => text.match(/\bP(?:[1-9]|1[01])\b/gu) ?? []);
}

/** What only one machine knows, and where packages were fetched from. */
const FOREIGN = [
  { pattern: /(?<![\w.])\/(?:work|root\/\.|home\/(?!you\b|user\b)[a-z])[\w./-]*/u, what: "a path of one machine" },
  { pattern: /\bregistry\.npmjs\.|\bfiles\.pythonhosted\.|\bpypi\.org\b|"resolved": "https?:/u, what: "an address of a download" },
];

test("nothing in the tree names a machine's path or where something was downloaded", () => {
  const faults: Fault[] = [];
  for (const path of repositoryFiles()) {
    const bytes = readFileSync(join(root, path));
    if (path === "test/tidy.test.ts" || bytes.includes(0)) continue;
    for (const [index, line] of bytes.toString("utf8").split("\n").entries()) {
      const found = FOREIGN.find(({ pattern }) => pattern.test(line));
      if (found) faults.push({ path, message: `${path}:${index + 1} names ${found.what}: ${line.trim().slice(0, 100)}` });
    }
  }
  assertOnlyExempt(faults);
});

test("a link between documents leads to a file", () => {
  const faults: Fault[] = [];
  for (const path of repositoryFiles().filter((each) => each.endsWith(".md") && !/(^|\/)(fixtures|golden)\//u.test(each))) {
    for (const [, target = ""] of textOf(path).matchAll(/\]\((?![a-z]+:|#)([^)#\s]+)/gu)) {
      if (!hasFile(join(path, "..", target))) faults.push({ path, message: `${path} links to ${target}, which is not there` });
    }
  }
  assertOnlyExempt(faults);
});
