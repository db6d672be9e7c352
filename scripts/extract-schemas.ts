/**
 * Writes packages/platform/src/wire/schemas/<service>.json from two sources that are pinned below:
 * the schemas inside the AWS SDK clients (shapes, HTTP bindings, required members) and botocore's service
 * models (enums, lengths, ranges, patterns, whole numbers), which the SDK lacks; and beside them metadata.json, what a
 * start has to know of all services. The result is committed.
 *
 *   node scripts/extract-schemas.ts             write the files
 *   node scripts/extract-schemas.ts --check     compare; exit 1 when they differ, 3 when a source is not there as pinned
 *   --botocore <folder>                         the botocore package's folder; without it, python3 is asked
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { gunzipSync } from "node:zlib";
import type {
  Protocol,
  RefData,
  RuleData,
  ServiceData,
  ServiceMetadata,
  ShapeData,
  TargetData,
  TraitsData,
} from "../packages/platform/src/wire/service-data.ts";

const BOTOCORE_VERSION = "1.43.11";
const SCHEMAS = new URL("../packages/platform/src/wire/schemas/", import.meta.url);
const EXIT_DIFFERENT = 1;
const EXIT_SOURCES_MISSING = 3;

interface Source {
  readonly name: string;
  readonly client: string;
  readonly clientVersion: string;
  readonly clientClass: string;
  readonly protocol: Protocol;
  /** Rules of botocore's that are left out, because the service says in its own words what breaks them. */
  readonly ownRules?: readonly string[];
  /** What neither source says. */
  readonly extra?: Partial<ServiceMetadata>;
}

const SOURCES: readonly Source[] = [
  {
    name: "lambda",
    client: "@aws-sdk/client-lambda",
    clientVersion: "3.1162.0",
    clientClass: "LambdaClient",
    protocol: "restJson1",
    // What Lambda answers an Invoke with.
    extra: { payloadContentType: "application/json" },
  },
  { name: "sts", client: "@aws-sdk/client-sts", clientVersion: "3.1169.0", clientClass: "STSClient", protocol: "awsQuery" },
  { name: "iam", client: "@aws-sdk/client-iam", clientVersion: "3.1169.0", clientClass: "IAMClient", protocol: "awsQuery" },
  {
    name: "logs",
    client: "@aws-sdk/client-cloudwatch-logs",
    clientVersion: "3.1169.0",
    clientClass: "CloudWatchLogsClient",
    protocol: "awsJson1_1",
  },
  {
    name: "sqs",
    client: "@aws-sdk/client-sqs",
    clientVersion: "3.1169.0",
    clientClass: "SQSClient",
    protocol: "awsJson1_0",
    // Unknown attributes have an error of their own.
    ownRules: ["QueueAttributeName", "MessageSystemAttributeName", "MessageSystemAttributeNameForSends"],
    // Older clients send to the queue's URL.
    extra: { xmlNamespace: "http://queue.amazonaws.com/doc/2012-11-05/", pathMember: "QueueUrl" },
  },
  {
    name: "events",
    client: "@aws-sdk/client-eventbridge",
    clientVersion: "3.1169.0",
    clientClass: "EventBridgeClient",
    protocol: "awsJson1_1",
  },
  {
    name: "scheduler",
    client: "@aws-sdk/client-scheduler",
    clientVersion: "3.1169.0",
    clientClass: "SchedulerClient",
    protocol: "restJson1",
  },
  { name: "sns", client: "@aws-sdk/client-sns", clientVersion: "3.1169.0", clientClass: "SNSClient", protocol: "awsQuery" },
  {
    name: "kinesis",
    client: "@aws-sdk/client-kinesis",
    clientVersion: "3.1143.0",
    clientClass: "KinesisClient",
    protocol: "awsJson1_1",
  },
  {
    name: "s3",
    client: "@aws-sdk/client-s3",
    clientVersion: "3.1169.0",
    clientClass: "S3Client",
    protocol: "restXml",
    // S3 has errors of its own for these, or takes more than the model says (any region, `log-delivery-write`).
    ownRules: [
      ...["BucketLocationConstraint", "BucketCannedACL", "ObjectKey", "StorageClass", "CopySource", "RenameSource"],
      ...["ChecksumAlgorithm", "ChecksumMode", "ChecksumType", "RequestPayer", "Event", "FilterRuleName"],
    ],
    extra: { xmlNamespace: "http://s3.amazonaws.com/doc/2006-03-01/", payloadContentType: "binary/octet-stream" },
  },
];

/** Ends the run: the sources that the committed files were made from are not all here. */
class SourcesMissing extends Error {}

type Tuple = readonly unknown[];
const isTuple = (value: unknown): value is Tuple => Array.isArray(value);
const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null && !Array.isArray(value);
const record = (value: unknown): Record<string, unknown> => (isRecord(value) ? value : {});
const compareNames = (left: string, right: string): number => (left < right ? -1 : left > right ? 1 : 0);

// --- The SDK's half: shapes -------------------------------------------------------------------------------------

/** Collects tuples by name while replacing references to them by "#Name". */
class ShapeCollector {
  readonly shapes = new Map<string, ShapeData>();
  readonly #names = new Map<Tuple, string>();

  /** A member reference: bare, or `[target, traits]`. */
  ref(value: unknown): RefData {
    if (isTuple(value) && value.length === 2) return [this.target(value[0]), value[1] as TraitsData];
    return this.target(value);
  }

  target(value: unknown): TargetData {
    const target = typeof value === "function" ? (value as () => unknown)() : value;
    if (typeof target === "number" || target === "unit") return target;
    if (!isTuple(target)) throw new TypeError(`a reference of an unknown form: ${String(target)}`);
    return `#${this.add(target)}`;
  }

  add(tuple: Tuple): string {
    const known = this.#names.get(tuple);
    if (known !== undefined) return known;
    const name = String(tuple[2]);
    if (this.shapes.has(name)) throw new TypeError(`two shapes are named ${name}`);
    this.#names.set(tuple, name);
    this.shapes.set(name, [0, 0, 0]); // holds the name while the shape's own references are followed
    this.shapes.set(name, this.#convert(tuple));
    return name;
  }

  #convert(tuple: Tuple): ShapeData {
    const [kind, , , traits] = tuple as readonly [number, string, string, TraitsData];
    switch (kind) {
      case 3:
      case 4:
      case -3: {
        const names = tuple[4] as readonly string[];
        const refs = (tuple[5] as readonly unknown[]).map((ref) => this.ref(ref));
        const required = tuple[6] as number | undefined;
        return required ? [kind, traits, names, refs, required] : [kind, traits, names, refs];
      }
      case 1:
        return [1, traits, this.ref(tuple[4])];
      case 2:
        return [2, traits, this.ref(tuple[4]), this.ref(tuple[5])];
      case 0:
        return [0, traits, tuple[4] as number];
      case 9:
        return [9, traits, this.target(tuple[4]), this.target(tuple[5])];
      default:
        throw new TypeError(`a schema of an unknown kind: ${String(kind)}`);
    }
  }
}

function readClient(source: Source): { shapes: Map<string, ShapeData>; metadata: Pick<ServiceMetadata, "namespace" | "targetPrefix"> } {
  const require = createRequire(import.meta.url);
  const manifest = record(JSON.parse(readFileSync(require.resolve(`${source.client}/package.json`), "utf8")));
  if (manifest["version"] !== source.clientVersion) {
    throw new SourcesMissing(`${source.client} is ${String(manifest["version"])}; pinned is ${source.clientVersion}`);
  }
  const exported = record(require(source.client));
  const collector = new ShapeCollector();
  for (const [name, schema] of Object.entries(exported)) {
    // The operations and errors lead to every other shape; the synthetic base exception is the SDK's own.
    if (
      name.endsWith("$") &&
      isTuple(schema) &&
      (schema[0] === 9 || schema[0] === -3) &&
      !String(schema[1]).startsWith("smithy.ts.sdk.synthetic")
    ) {
      collector.add(schema);
    }
  }
  const Client = exported[source.clientClass] as new (config: object) => { config: { protocolSettings: Record<string, string> } };
  const settings = new Client({ region: "us-east-1" }).config.protocolSettings;
  return {
    shapes: collector.shapes,
    metadata: { namespace: String(settings["defaultNamespace"]), targetPrefix: String(settings["serviceTarget"]) },
  };
}

// --- botocore's half: rules -------------------------------------------------------------------------------------

interface Model {
  readonly metadata: Record<string, unknown>;
  readonly operations: Record<string, unknown>;
  readonly shapes: Record<string, unknown>;
}

function readModel(botocore: string, service: string): Model {
  const folder = join(botocore, "data", service);
  const version = readdirSync(folder).sort().at(-1) ?? "";
  const plain = join(folder, version, "service-2.json");
  const text = existsSync(plain) ? readFileSync(plain, "utf8") : gunzipSync(readFileSync(`${plain}.gz`)).toString("utf8");
  const model = record(JSON.parse(text));
  return { metadata: record(model["metadata"]), operations: record(model["operations"]), shapes: record(model["shapes"]) };
}

/** Name of the shape that one of botocore's references leads to; empty when there is none. */
function targetOf(reference: unknown): string {
  const target = record(reference)["shape"];
  return typeof target === "string" ? target : "";
}

/** Walks the SDK's shapes and botocore's in step from each operation's input, and gathers the rules met on the way. */
class RuleJoin {
  readonly rules = new Map<string, RuleData>();
  readonly memberRules = new Map<string, Map<string, string>>();
  readonly onlyInClient = new Set<string>();
  readonly #shapes: ReadonlyMap<string, ShapeData>;
  readonly #model: Model;
  readonly #seen = new Set<string>();

  readonly #leftOut: ReadonlySet<string>;

  constructor(shapes: ReadonlyMap<string, ShapeData>, model: Model, leftOut: readonly string[]) {
    this.#shapes = shapes;
    this.#model = model;
    this.#leftOut = new Set(leftOut);
  }

  run(): void {
    for (const [name, shape] of this.#shapes) {
      if (shape[0] !== 9) continue;
      const operation = this.#model.operations[name];
      if (operation === undefined) this.onlyInClient.add(name);
      else this.#walk(shape[2], targetOf(record(operation)["input"]));
    }
  }

  #walk(ref: RefData, modelName: string): void {
    const target = isTuple(ref) ? ref[0] : ref;
    if (typeof target !== "string" || !target.startsWith("#") || modelName === "") return;
    const name = target.slice(1);
    if (this.#seen.has(`${name} ${modelName}`)) return;
    this.#seen.add(`${name} ${modelName}`);
    const shape = this.#shapes.get(name);
    const model = record(this.#model.shapes[modelName]);
    if (shape?.[0] === 1) this.#walk(shape[2], targetOf(model["member"]));
    else if (shape?.[0] === 2) this.#walk(shape[3], targetOf(model["value"]));
    else if (shape?.[0] === 3 || shape?.[0] === 4) this.#members(name, shape[2], shape[3], record(model["members"]));
  }

  #members(structure: string, names: readonly string[], refs: readonly RefData[], modelled: Record<string, unknown>): void {
    for (const [index, member] of names.entries()) {
      const target = record(modelled[member])["shape"];
      if (typeof target !== "string") {
        this.onlyInClient.add(`${structure}.${member}`);
        continue;
      }
      const rule = this.#rule(target);
      if (rule !== undefined) {
        const rules = this.memberRules.get(structure) ?? new Map<string, string>();
        this.memberRules.set(structure, rules.set(member, rule));
      }
      this.#walk(refs[index] ?? 0, target);
    }
  }

  /** Name of the rule of one of botocore's shapes, or undefined when it has none. */
  #rule(name: string): string | undefined {
    if (this.#leftOut.has(name)) return undefined;
    if (this.rules.has(name)) return name;
    const shape = record(this.#model.shapes[name]);
    const nested = (side: string): string | undefined => {
      const target = record(shape[side])["shape"];
      return typeof target === "string" ? this.#rule(target) : undefined;
    };
    const rule: Record<string, unknown> = {};
    for (const key of ["enum", "min", "max", "pattern"]) if (shape[key] !== undefined) rule[key] = shape[key];
    if (shape["type"] === "integer" || shape["type"] === "long") rule["integer"] = true;
    if (shape["type"] === "list") rule["each"] = nested("member");
    if (shape["type"] === "map") Object.assign(rule, { key: nested("key"), value: nested("value") });
    for (const key of Object.keys(rule)) if (rule[key] === undefined) delete rule[key];
    if (Object.keys(rule).length === 0) return undefined;
    this.rules.set(name, rule as RuleData);
    return name;
  }
}

// --- Both together ----------------------------------------------------------------------------------------------

function sorted<V>(entries: Iterable<readonly [string, V]>): [string, V][] {
  return [...entries].map(([name, value]): [string, V] => [name, value]).sort(([left], [right]) => compareNames(left, right));
}

/** One shape and one rule a line, sorted by name, so that an upgrade is a diff one can read. */
function format(header: object, data: ServiceData): string {
  const lines = (value: Readonly<Record<string, unknown>>): string => {
    const entries = Object.entries(value).map(([name, entry]) => `    ${JSON.stringify(name)}: ${JSON.stringify(entry)}`);
    return `{\n${entries.join(",\n")}\n  }`;
  };
  return `{
  "sources": ${JSON.stringify(header, null, 2).replaceAll("\n", "\n  ")},
  "service": ${JSON.stringify(data.service, null, 2).replaceAll("\n", "\n  ")},
  "shapes": ${lines(data.shapes)},
  "rules": ${lines(data.rules)},
  "memberRules": ${lines(data.memberRules)}
}
`;
}

function extract(source: Source, botocore: string): { readonly text: string; readonly service: ServiceMetadata } {
  const client = readClient(source);
  const model = readModel(botocore, source.name);
  const join = new RuleJoin(client.shapes, model, source.ownRules ?? []);
  join.run();
  const xmlNamespace = model.metadata["xmlNamespace"];
  const service: ServiceMetadata = {
    name: source.name,
    signingName: String(model.metadata["signingName"] ?? model.metadata["endpointPrefix"]),
    endpointPrefix: String(model.metadata["endpointPrefix"]),
    apiVersion: String(model.metadata["apiVersion"]),
    protocol: source.protocol,
    ...client.metadata,
    ...(typeof xmlNamespace === "string" ? { xmlNamespace } : {}),
    ...(record(model.metadata["awsQueryCompatible"]) === model.metadata["awsQueryCompatible"] ? { queryCompatible: true } : {}),
    ...source.extra,
  };
  const header = {
    client: `${source.client}@${source.clientVersion}`,
    botocore: BOTOCORE_VERSION,
    onlyInClient: [...join.onlyInClient].sort(compareNames),
    onlyInBotocore: Object.keys(model.operations).filter((name) => !client.shapes.has(name)),
  };
  const memberRules = sorted(join.memberRules).map(([name, members]): [string, Record<string, string>] => [
    name,
    Object.fromEntries(members),
  ]);
  const text = format(header, {
    service,
    shapes: Object.fromEntries(sorted(client.shapes)),
    rules: Object.fromEntries(sorted(join.rules)),
    memberRules: Object.fromEntries(memberRules),
  });
  return { text, service };
}

function findBotocore(given: string | undefined): string {
  const program = "import botocore, sys; sys.stdout.write(botocore.__path__[0] + '\\n' + botocore.__version__)";
  try {
    const environment = given === undefined ? process.env : { ...process.env, PYTHONPATH: join(given, "..") };
    const [folder = "", version = ""] = execFileSync("python3", ["-c", program], {
      encoding: "utf8",
      env: environment,
      stdio: ["ignore", "pipe", "ignore"],
    }).split("\n");
    if (version !== BOTOCORE_VERSION) throw new SourcesMissing(`botocore is ${version}; pinned is ${BOTOCORE_VERSION}`);
    return folder;
  } catch (error) {
    if (error instanceof SourcesMissing) throw error;
    throw new SourcesMissing(`python3 finds no botocore; install botocore==${BOTOCORE_VERSION} or give --botocore`);
  }
}

function main(): number {
  const { values } = parseArgs({ options: { check: { type: "boolean", default: false }, botocore: { type: "string" } } });
  const botocore = findBotocore(values.botocore);
  mkdirSync(SCHEMAS, { recursive: true });
  let different = 0;
  const put = (name: string, text: string): void => {
    const file = new URL(`${name}.json`, SCHEMAS);
    if (!values.check) writeFileSync(file, text);
    else if (!existsSync(file) || readFileSync(file, "utf8") !== text) {
      different += 1;
      process.stderr.write(`schemas/${name}.json differs from what its sources give\n`);
    }
  };
  const metadata: Record<string, ServiceMetadata> = {};
  for (const source of SOURCES) {
    const { text, service } = extract(source, botocore);
    put(source.name, text);
    metadata[source.name] = service;
  }
  put("metadata", `${JSON.stringify(metadata, null, 2)}\n`);
  return different === 0 ? 0 : EXIT_DIFFERENT;
}

try {
  process.exitCode = main();
} catch (error) {
  if (!(error instanceof SourcesMissing)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = EXIT_SOURCES_MISSING;
}
