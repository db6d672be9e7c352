/** The documents that are made from code: what each must say. `npm run docs` writes them, test/tidy.test.ts compares. */
import { ERROR_CATALOGUE, type ErrorEntry } from "../../packages/platform/src/base/index.ts";
import { anomalyParameterTable, anomalyResultTable } from "./anomaly-results.ts";
import { type Bound, boundsOf } from "./bounds.ts";
import { kafkaApiTable, kafkaConfigTable } from "./kafka-apis.ts";
import { s3OperationTable } from "./s3-operations.ts";
import { PLATFORM, sourceFiles, textOf } from "./source-tree.ts";
import { windowDrawings } from "./window-drawings.ts";

export interface GeneratedDocument {
  readonly path: string;
  /** The whole text as it must be. */
  readonly text: string;
}

const BEGIN = "<!-- made by `npm run docs`: begin -->";
const END = "<!-- made by `npm run docs`: end -->";

/** Every document with a part made from code, as it must be. What stands outside the marks is kept. */
export function generatedDocuments(): readonly GeneratedDocument[] {
  return [
    { path: "docs/errors.md", text: withPart("docs/errors.md", errorTable()) },
    { path: "docs/specification.md", text: withPart("docs/specification.md", boundTables()) },
    { path: "docs/objects.md", text: withPart("docs/objects.md", `${s3OperationTable()}\n\n## Limits\n\n${objectLimits()}`) },
    {
      path: "docs/anomaly.md",
      text: withPart("docs/anomaly.md", `${anomalyResultTable()}\n\n## Parameters\n\n${anomalyParameterTable()}`),
    },
    ...windowDrawings(),
    { path: "docs/windows.md", text: withPart("docs/windows.md", windowLimits()) },
    {
      path: "docs/kafka.md",
      text: withPart(
        "docs/kafka.md",
        `${kafkaApiTable()}\n\n## Configurations of topics\n\n${kafkaConfigTable()}\n\n## Limits\n\n${kafkaLimits()}`,
      ),
    },
  ];
}

function withPart(path: string, part: string): string {
  const [before = "", rest = ""] = textOf(path).split(BEGIN);
  const [, after = "\n"] = rest.split(END);
  return `${before}${BEGIN}\n\n${part}\n\n${END}${after}`;
}

function errorTable(): string {
  const rows = Object.entries<ErrorEntry>(ERROR_CATALOGUE).map(
    ([code, { status, fault, retryable, meaning, next }]) =>
      `| \`${code}\` | ${status} | ${fault} | ${retryable ? "yes" : "no"} | ${cell(meaning)} | ${cell(next)} |`,
  );
  return ["| code | status | whose fault | retry helps | meaning | what to do |", "|---|---|---|---|---|---|", ...rows].join("\n");
}

function boundTables(): string {
  const bounds = sourceFiles(`${PLATFORM}/**/*.ts`).flatMap(boundsOf);
  const folders = Map.groupBy(bounds, ({ path }) => path.slice(PLATFORM.length + 1).split("/")[0] ?? "");
  return [...folders].map(([folder, own]) => `### ${folder}\n\n${boundTable(own)}`).join("\n\n");
}

/** The bounds that callers of S3 meet. */
function objectLimits(): string {
  const limits = ["objects", "api/s3", "gateway/s3"].flatMap((folder) => sourceFiles(`${PLATFORM}/${folder}/**/*.ts`).flatMap(boundsOf));
  return boundTable(limits.filter(({ isLimit }) => isLimit));
}

/** The bounds that Kafka's clients meet. */
function kafkaLimits(): string {
  const limits = ["streams", "gateway/kafka"].flatMap((folder) => sourceFiles(`${PLATFORM}/${folder}/**/*.ts`).flatMap(boundsOf));
  return boundTable(limits.filter(({ isLimit }) => isLimit));
}

/** The bounds that those who declare windows meet. */
function windowLimits(): string {
  const limits = sourceFiles("packages/sdk/src/windows/*.ts", "packages/sdk/src/windows/boxes/*.ts").flatMap(boundsOf);
  return boundTable(limits.filter(({ isLimit }) => isLimit));
}

function boundTable(bounds: readonly Bound[]): string {
  const rows = bounds.map(
    ({ name, value, meaning }) => `| \`${name}\` | ${value?.toLocaleString("en") ?? "see code"} | ${cell(meaning ?? inWords(name))} |`,
  );
  return ["| bound | value | of what |", "|---|---|---|", ...rows].join("\n");
}

/** `LAYERS_PER_FUNCTION_MAX` → "Layers per function.", for a bound whose name says it all. */
function inWords(name: string): string {
  const words = name
    .replace(/_(MAX|MIN)$/u, "")
    .toLowerCase()
    .replaceAll("_", " ");
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}.`;
}

const cell = (text: string): string => text.replaceAll("|", "\\|");
