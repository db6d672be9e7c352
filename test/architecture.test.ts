/**
 * The house of docs/architecture.md as a table, and the proof that the engine's imports follow it.
 *
 * A folder imports from the rows above its own and from folders to its left in its own row, only through their
 * `index.ts`. Siblings in `hold` never import each other. Any row may import the package `@lambent/sdk`.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { hasFile, importsOf, PLATFORM, resolveImport, type SourceFile, sourceFile, sourceFiles } from "../scripts/support/source-tree.ts";

interface Row {
  readonly name: string;
  /** From left to right. */
  readonly folders: readonly string[];
  readonly siblings: "leftward" | "never";
}

/** Lowest first. */
const HOUSE: readonly Row[] = [
  { name: "ground", folders: ["base", "model", "patterns"], siblings: "leftward" },
  { name: "keep", folders: ["storage", "ledger", "outbox", "security", "telemetry", "metering"], siblings: "leftward" },
  { name: "run", folders: ["functions", "sandbox", "runtime", "autoscaler", "router", "invoker"], siblings: "leftward" },
  { name: "hold", folders: ["queues", "streams", "objects", "tables", "topics", "bus", "schedules", "sockets"], siblings: "never" },
  { name: "join", folders: ["delivery", "windows", "queries", "sources", "apps"], siblings: "leftward" },
  { name: "speak", folders: ["wire", "api", "gateway"], siblings: "leftward" },
  { name: "stand", folders: ["server", "cli"], siblings: "leftward" },
];

/** The command line speaks to a server as any client does; `server` starts one. It composes nothing itself: only `server/` joins parts. */
const COMMAND_LINE_USES = ["base", "model", "patterns", "security", "functions", "sandbox", "apps", "wire", "server"];
/** What it may name as types only: the shapes of our own API, which it sends and gets. */
const COMMAND_LINE_TYPES = ["api"];

const platformFiles = sourceFiles(`${PLATFORM}/**/*.ts`);

/** First folder below src, or undefined for a file outside the engine. */
function topFolder(path: string): string | undefined {
  return path.startsWith(`${PLATFORM}/`) ? path.slice(PLATFORM.length + 1).split("/")[0] : undefined;
}

function allowedFor(folder: string, isType: boolean): readonly string[] {
  if (folder === "cli") return isType ? [...COMMAND_LINE_USES, ...COMMAND_LINE_TYPES] : COMMAND_LINE_USES;
  const index = HOUSE.findIndex((row) => row.folders.includes(folder));
  const row = HOUSE[index];
  if (!row) return [];
  const beside = row.siblings === "never" ? [] : row.folders.slice(0, row.folders.indexOf(folder));
  return [...HOUSE.slice(0, index).flatMap((above) => above.folders), ...beside];
}

/** The door nearest to `target` that `from` stands outside of: the outermost folder with an index.ts that `from` is not in. */
function doorTo(target: string, from: string): string | undefined {
  const parts = target.split("/").slice(0, -1);
  for (let depth = PLATFORM.split("/").length + 1; depth <= parts.length; depth += 1) {
    const folder = parts.slice(0, depth).join("/");
    if (!from.startsWith(`${folder}/`) && hasFile(`${folder}/index.ts`)) return `${folder}/index.ts`;
  }
  return undefined;
}

function* relativeImports(file: SourceFile): Generator<{ target: string; isType: boolean; place: string }> {
  for (const { specifier, isType, isUrl, line } of importsOf(file)) {
    const target = resolveImport(file.path, specifier);
    // A URL beside this file names a module too, when it leads to one; else it is a place outside the engine.
    if (target === undefined || (isUrl && !(target.startsWith(`${PLATFORM}/`) && hasFile(target)))) continue;
    yield { target, isType, place: `${file.path}:${line}` };
  }
}

test("every folder of the engine stands in the table", () => {
  const known = new Set(HOUSE.flatMap((row) => row.folders));
  const strangers = new Set(platformFiles.map((file) => topFolder(file.path) ?? "").filter((folder) => !known.has(folder)));
  assert.deepEqual([...strangers], [], "give each of these a place in the table of this test and of docs/architecture.md");
});

test("a folder imports only from the rows above its own and from its left", () => {
  const faults: string[] = [];
  for (const file of platformFiles) {
    const own = topFolder(file.path) ?? "";
    for (const { target, isType, place } of relativeImports(file)) {
      const other = topFolder(target);
      if (other === own) continue;
      const allowed = allowedFor(own, isType);
      if (other === undefined || !allowed.includes(other)) {
        faults.push(`${place} imports ${target}; ${own}/ may import ${allowed.join(", ") || "nothing"}`);
      }
    }
  }
  assert.deepEqual(faults, []);
});

test("a folder is entered through its index.ts", () => {
  const faults: string[] = [];
  for (const file of platformFiles) {
    for (const { target, place } of relativeImports(file)) {
      const crosses = topFolder(target) !== topFolder(file.path);
      const door = doorTo(target, file.path) ?? (crosses ? `${PLATFORM}/${topFolder(target)}/index.ts` : undefined);
      if (door !== undefined && target !== door)
        faults.push(`${place} imports ${target}; import ${door}, and export from there what is missing`);
    }
  }
  assert.deepEqual(faults, []);
});

test("every relative import leads to a file", () => {
  const faults: string[] = [];
  for (const file of platformFiles) {
    for (const { target, place } of relativeImports(file))
      if (!hasFile(target)) faults.push(`${place} imports ${target}, which is not there`);
  }
  assert.deepEqual(faults, []);
});

test("no module imports itself in a circle at run time", () => {
  const edges = new Map<string, string[]>();
  for (const file of platformFiles) {
    const targets = [...relativeImports(file)].filter(({ isType }) => !isType).map(({ target }) => target);
    edges.set(file.path, targets);
  }
  const cycles = findCycles(edges);
  assert.deepEqual(cycles, [], "break each circle: move what both need into a third file, or pass it in");
});

/** Modules that are loaded before a server is ready: each costs a start about a third of a millisecond. */
const START_MODULES_MAX = 330;

test("a start loads no more modules than its budget of time allows", () => {
  const loaded = loadedWith(`${PLATFORM}/server/platform.ts`);
  assert.ok(loaded.size > 100, "the way from platform.ts to its parts was not followed");
  const folders = Object.entries(Object.groupBy(loaded, (path) => topFolder(path) ?? "")).map(
    ([name, paths]) => `${name} ${paths?.length}`,
  );
  assert.ok(
    loaded.size <= START_MODULES_MAX,
    `${loaded.size} modules are loaded before a server is ready, of which ${START_MODULES_MAX} are allowed: ${folders.join(", ")}. ` +
      "Load what no start waits for at its first use: `Later` of base/, as server/distribution.ts and api/services.ts are",
  );
});

test("the AWS SDK is for functions and tests, never for the engine at run time", () => {
  const faults: string[] = [];
  for (const file of platformFiles) {
    for (const { specifier, isType, line } of importsOf(file)) {
      if (!isType && /^@(aws-sdk|smithy)\//u.test(specifier)) faults.push(`${file.path}:${line} imports ${specifier}; use \`import type\``);
    }
  }
  assert.deepEqual(faults, []);
});

test("only the autoscaler starts and drains instances", () => {
  const faults: string[] = [];
  for (const file of platformFiles) {
    const folder = topFolder(file.path) ?? "";
    // `runtime` ends instances of its own that failed; `server` hands the runtime to the autoscaler and closes it.
    if (folder === "autoscaler" || folder === "runtime") continue;
    for (const [index, line] of file.text.split("\n").entries()) {
      if (/\bruntime\.start\(|\binstance\.drain\(/u.test(line))
        faults.push(`${file.path}:${index + 1} changes the number of instances; autoscaler/decide says it`);
      if (/\bRuntimeHost\b/u.test(line) && folder !== "server")
        faults.push(`${file.path}:${index + 1} holds the runtime host; only autoscaler and server do`);
    }
  }
  assert.deepEqual(faults, []);
});

/** The modules that are loaded with one: by what it imports, and what those import, but not by `import()`. */
function loadedWith(start: string): ReadonlySet<string> {
  const loaded = new Set<string>();
  const waiting = [start];
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    if (loaded.has(path) || !path.endsWith(".ts")) continue;
    loaded.add(path);
    for (const { specifier, isType, isUrl, isLater } of importsOf(sourceFile(path))) {
      const target = isType || isUrl || isLater ? undefined : resolveImport(path, specifier);
      if (target !== undefined) waiting.push(target);
    }
  }
  return loaded;
}

/** Each circle once, as `a → b → a`. */
function findCycles(edges: ReadonlyMap<string, readonly string[]>): readonly string[] {
  const cycles: string[] = [];
  const finished = new Set<string>();
  const visit = (path: string, trail: readonly string[]): void => {
    const seenAt = trail.indexOf(path);
    if (seenAt >= 0) cycles.push([...trail.slice(seenAt), path].join(" → "));
    if (seenAt >= 0 || finished.has(path)) return;
    for (const next of edges.get(path) ?? []) visit(next, [...trail, path]);
    finished.add(path);
  };
  for (const path of edges.keys()) visit(path, []);
  return cycles;
}
