import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage } from "node:http";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { AddressInfo } from "node:net";
import { after, before, test } from "node:test";
import { systemClock } from "../../src/base/index.ts";
import { lambentModel } from "../../src/api/lambent/index.ts";
import { EXIT_CODES } from "../../src/cli/errors.ts";
import { LAMBENT_PATHS } from "../../src/cli/lambent-api.ts";
import { VERB_MODULES } from "../../src/cli/verb-modules.ts";
import { isGroup, VERBS, verbName } from "../../src/cli/verbs.ts";
import { runLambent, runProgram, type CommandEnding } from "../support/lambent-process.ts";

/** A server at the wire that answers what a test says; the command is a real process. */
interface Answer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

let answers: ((request: IncomingMessage) => Answer) | undefined;
let last: IncomingMessage | undefined;
let lastBody = "";
const server = createServer((request, response) => {
  last = request;
  lastBody = "";
  request.setEncoding("utf8").on("data", (text: string) => (lastBody += text));
  request.once("end", () => {
    const { status = 200, headers = {}, body = "{}" } = answers?.(request) ?? {};
    response.writeHead(status, headers).end(body);
  });
});
let endpoint = "";
before(async () => {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
after(() => server.close());

const environment = (): NodeJS.ProcessEnv => ({
  PATH: process.env["PATH"],
  LAMBENT_ENDPOINT: endpoint,
  AWS_ACCESS_KEY_ID: "LAMBENTKEY",
  AWS_SECRET_ACCESS_KEY: "secret-of-tests",
  XDG_RUNTIME_DIR: "/nonexistent",
  NO_COLOR: "1",
});
const run = (...args: readonly string[]): Promise<CommandEnding> => runLambent(args, environment());
const awsError = (status: number, name: string, message: string) => (): Answer => ({
  status,
  headers: { "x-amzn-errortype": name },
  body: JSON.stringify({ Message: message }),
});

test("every failure is one line on what was wrong and one on what to do, with its exit code", async () => {
  const cases: readonly (readonly [string, readonly string[], (() => Answer) | undefined, number, RegExp])[] = [
    [
      "a function that is not there",
      ["describe", "nobody"],
      awsError(404, "ResourceNotFoundException", "Function not found: nobody"),
      EXIT_CODES.notFound,
      /Function not found: nobody/u,
    ],
    [
      "a refused key",
      ["list"],
      awsError(403, "UnrecognizedClientException", "The key is not known."),
      EXIT_CODES.refused,
      /AWS_ACCESS_KEY_ID in the environment/u,
    ],
    [
      "a throttled call",
      ["invoke", "a"],
      awsError(429, "TooManyRequestsException", "Rate Exceeded."),
      EXIT_CODES.tryAgain,
      /Rate Exceeded/u,
    ],
    [
      "a code of the catalogue",
      ["status"],
      () => ({ status: 503, headers: { "x-amzn-errortype": "ShuttingDown" }, body: '{"message":"The server is stopping."}' }),
      EXIT_CODES.tryAgain,
      /is stopping/u,
    ],
    ["a server that is no Lambent", ["list"], () => ({ status: 404, body: "<html>" }), EXIT_CODES.notFound, /answered 404/u],
    ["an answer that is no JSON", ["list"], () => ({ body: "<html>" }), EXIT_CODES.failed, /does not speak Lambent's API/u],
    ["an unknown option", ["list", "--colour"], undefined, EXIT_CODES.usage, /unknown option '--colour'/u],
    ["an unknown verb", ["lst"], undefined, EXIT_CODES.usage, /Did you mean list/u],
    ["a missing argument", ["invoke"], undefined, EXIT_CODES.usage, /missing required argument 'function'/u],
    [
      "a value out of its range",
      ["config", "set", "a", "--memory", "64"],
      () => ({ body: "{}" }),
      EXIT_CODES.usage,
      /--memory is "64"; it has to be a whole number from 128 to 10240/u,
    ],
    ["nobody there", ["list", "--endpoint", "http://127.0.0.1:1"], undefined, EXIT_CODES.unreachable, /nothing listens there/u],
    ["deleting where nobody can answer", ["remove", "a"], undefined, EXIT_CODES.usage, /Nobody is there to answer/u],
  ];
  for (const [what, args, answer, exit, message] of cases) {
    answers = answer;
    const ended = await run(...args);
    assert.equal(ended.exit, exit, `${what}: ${ended.err}`);
    assert.equal(ended.out, "", what);
    assert.match(ended.err, message, what);
    assert.equal(ended.err.trimEnd().split("\n").length, 2, `${what}: ${ended.err}`);
    assert.match(ended.err, /^lambent: .*\n  \S.*\n$/u, what);
  }
});

test("--json makes errors data too", async () => {
  answers = awsError(404, "ResourceNotFoundException", "Function not found: nobody");
  const ended = await run("describe", "nobody", "--json");
  assert.deepEqual(JSON.parse(ended.err), { error: "Function not found: nobody", next: "`lambent list` shows what is there.", exit: 5 });
});

test("what the command sends is signed by its key for the service it goes to", async () => {
  answers = () => ({ body: '{"Functions":[]}' });
  await run("list");
  assert.match(
    last?.headers.authorization ?? "",
    /^AWS4-HMAC-SHA256 Credential=LAMBENTKEY\/\d{8}\/us-east-1\/lambda\/aws4_request, SignedHeaders=[a-z0-9;-]*host[a-z0-9;-]*, Signature=[0-9a-f]{64}$/u,
  );
  await run("status");
  assert.match(last?.headers.authorization ?? "", /\/lambent\/aws4_request,/u);
});

test("an answer is alone on standard output, and the summary on standard error", async () => {
  const log =
    "REPORT RequestId: a\tDuration: 2.10 ms\tBilled Duration: 7 ms\tMemory Size: 128 MB\tMax Memory Used: 43 MB\tInit Duration: 4.60 ms";
  answers = () => ({ headers: { "x-amz-log-result": Buffer.from(log).toString("base64") }, body: '{"hello":"Ada"}' });
  assert.deepEqual(await run("invoke", "hello", "--event", '{"name":"Ada"}'), {
    exit: 0,
    out: '{"hello":"Ada"}\n',
    err: "  2.1 ms + 4.6 ms cold start · billed 7 ms · 43 MB\n",
  });
});

test("a function's own error has an exit code of its own", async () => {
  answers = () => ({
    headers: { "x-amz-function-error": "Unhandled" },
    body: '{"errorType":"TypeError","errorMessage":"no name","trace":["TypeError: no name","    at handler (/var/task/a.mjs:2:1)"]}',
  });
  const ended = await run("invoke", "hello");
  assert.equal(ended.exit, EXIT_CODES.functionFailed);
  assert.equal(ended.out, "");
  assert.match(ended.err, /^  TypeError: no name\n    at handler \(\/var\/task\/a\.mjs:2:1\)\n/u);
});

const CONFIGURATION = '{"Configuration":{"FunctionName":"hello","FunctionArn":"arn"}}';

/** What each verb below another one is called with beside the options all have, whom it asks, and what that answers. */
const BELOW_GROUPS: Readonly<Record<string, { readonly args: readonly string[]; readonly service?: string; readonly body?: string }>> = {
  "config set": { args: ["hello", "--memory", "256"], service: "lambda", body: CONFIGURATION },
  "event sample": { args: [] },
  "objects cp": { args: [fileURLToPath(import.meta.url), "photos:test.ts"], service: "s3", body: "" },
  "objects ls": { args: [], service: "s3", body: "<ListAllMyBucketsResult><Buckets/></ListAllMyBucketsResult>" },
  "objects rm": { args: ["photos/cat.jpg"], service: "s3", body: "" },
  "windows create": {
    args: ["means", "--from", "readings", "--window", "sliding 1m", "--aggregate", "mean", "--to", "means"],
    service: "lambent",
    body: '{"Window":{},"Change":{"Kind":"same","Fields":[]}}',
  },
  "windows list": { args: [], service: "lambent", body: '{"Windows":[]}' },
  "windows show": { args: ["means"], service: "lambent", body: '{"Window":{}}' },
  "windows pause": { args: ["means"], service: "lambent", body: '{"Window":{}}' },
  "windows resume": { args: ["means"], service: "lambent", body: '{"Window":{}}' },
  "windows reset": { args: ["means", "--yes"], service: "lambent", body: '{"Window":{}}' },
  "windows rm": { args: ["means", "--yes"], service: "lambent", body: "" },
};

test("a verb below another one heeds --endpoint, --region and --json", async () => {
  const below = VERBS.filter((spec) => spec.under !== undefined);
  assert.deepEqual(below.map(verbName).toSorted(), Object.keys(BELOW_GROUPS).toSorted());
  for (const spec of below) {
    const { args: own = [], service, body = "" } = BELOW_GROUPS[verbName(spec)] ?? {};
    answers = () => ({ body });
    last = undefined;
    const args = [...verbName(spec).split(" "), ...own, "--json"];
    const remote = spec.local ? [] : ["--endpoint", endpoint, "--region", "eu-north-1"];
    const ended = await runLambent([...args, ...remote], { ...environment(), LAMBENT_ENDPOINT: "http://127.0.0.1:1" });
    assert.equal(ended.exit, EXIT_CODES.done, `${verbName(spec)}: ${ended.err}`);
    assert.doesNotThrow(() => JSON.parse(ended.out) as unknown, ended.out);
    if (!spec.local) assert.ok((last as IncomingMessage | undefined)?.headers.authorization?.includes(`/eu-north-1/${service}/`));
  }
  for (const group of VERBS.filter(isGroup)) assert.deepEqual([group.options, group.under], [[], undefined], group.usage);
});

test("--env-file is the command's own, whether the file is missing or names what Node would heed", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "lambent-test-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const program = fileURLToPath(new URL("../../bin/lambent.mjs", import.meta.url));
  const started = (file: string): Promise<CommandEnding> =>
    runProgram(program, ["config", "set", "hello", "--env-file", file], {
      ...environment(),
      PATH: `${dirname(process.execPath)}:/usr/bin:/bin`,
    });
  answers = () => ({ body: CONFIGURATION });
  const missing = await started(join(folder, "none"));
  assert.equal(missing.exit, EXIT_CODES.usage);
  assert.match(missing.err, /^lambent: The environment file \S+ cannot be read: ENOENT\.\n/u);

  writeFileSync(join(folder, "given.env"), "NODE_OPTIONS=--no-such-option\n");
  const given = await started(join(folder, "given.env"));
  assert.equal(given.exit, EXIT_CODES.done, given.err);
  assert.deepEqual(JSON.parse(lastBody), { Environment: { Variables: { NODE_OPTIONS: "--no-such-option" } } });
});

test("env leaves nothing in the shell that goes before its key", async () => {
  const script = (shell: string): Promise<CommandEnding> => run("env", "--shell", shell);
  const left = { AWS_SESSION_TOKEN: "stale", AWS_PROFILE: "work", AWS_DEFAULT_PROFILE: "work" };
  const { out } = await script("sh");
  const shown = await runProgram("/bin/sh", ["-ec", `${out}\nenv`], { ...environment(), ...left });
  assert.equal(shown.exit, 0, shown.err);
  assert.match(shown.out, /^AWS_ACCESS_KEY_ID=LAMBENTKEY$/mu);
  assert.doesNotMatch(shown.out, /SESSION_TOKEN|PROFILE/u);
  for (const [shell, form] of [
    ["fish", (name: string) => `set -e ${name}`],
    ["powershell", (name: string) => `Remove-Item -ErrorAction SilentlyContinue Env:${name}`],
  ] as const) {
    const lines = (await script(shell)).out.split("\n");
    for (const name of Object.keys(left)) assert.ok(lines.includes(form(name)), `${shell}: ${name}`);
  }
  const kept = await runLambent(["env"], { ...environment(), AWS_SESSION_TOKEN: "mine" });
  assert.match(kept.out, /^export AWS_SESSION_TOKEN='mine'$/mu);
  assert.doesNotMatch(kept.out, /unset AWS_SESSION_TOKEN/u);
});

test("a value of start that came from the environment is complained of by its variable", async () => {
  const ended = await runLambent(["start", "--memory"], { ...environment(), LAMBENT_POOL: "" });
  assert.deepEqual([ended.exit, ended.out], [EXIT_CODES.usage, ""]);
  assert.equal(ended.err, 'lambent: LAMBENT_POOL is ""; it has to be a whole number from 0 to 64.\n  For example LAMBENT_POOL=0\n');
});

test("a Node that is too old is told so in one line", async () => {
  const pretend = `data:text/javascript,Object.defineProperty(process, "versions", { value: { node: "20.1.0" } })`;
  const program = fileURLToPath(new URL("../../bin/lambent.mjs", import.meta.url));
  const ended = await runProgram(process.execPath, ["--import", pretend, "--", program, "list"], environment());
  assert.deepEqual([ended.exit, ended.out], [EXIT_CODES.failed, ""]);
  assert.match(ended.err, /^lambent: this Node is v20\.1\.0; 24 or newer is needed: .*\.\n$/u);
});

test("the paths the command uses are those of the schema", () => {
  const routes = [...lambentModel().operations.values()].map((operation) => JSON.stringify(operation));
  for (const path of [LAMBENT_PATHS.status, LAMBENT_PATHS.plan, LAMBENT_PATHS.deploy]) {
    const words = path.split("/").filter((word) => word !== "");
    assert.ok(
      routes.some((route) => words.every((word) => route.includes(word))),
      path,
    );
  }
});

test("every verb that is no heading for others has a module, and the reverse", () => {
  const headings = new Set(VERBS.flatMap((spec) => spec.under ?? []));
  const verbs = VERBS.map(verbName).filter((name) => !headings.has(name));
  assert.deepEqual(verbs.toSorted(), Object.keys(VERB_MODULES).toSorted());
});

test("every verb has a description and an example that begins with the command", () => {
  for (const { usage, description, example } of VERBS) {
    assert.ok(description.length > 0, usage);
    assert.match(example, /lambent /u, usage);
  }
});

test("the exit codes and verbs of docs/cli.md are those of the command", () => {
  const text = readFileSync(new URL("../../../../docs/cli.md", import.meta.url), "utf8");
  const documented = [...text.matchAll(/^\| (\d+) \| `(\w+)` \|/gmu)].map(([, code, name]) => [name, Number(code)]);
  assert.deepEqual(Object.fromEntries(documented), EXIT_CODES);
  const verbs = [...text.matchAll(/^\| `lambent ([a-z]+(?: (?:set|sample|cp|ls|rm|create|list|show|pause|resume|reset))?)/gmu)].flatMap(
    ([, verb]) => verb ?? [],
  );
  const known = Object.keys(VERB_MODULES);
  assert.deepEqual(verbs.toSorted(), known.toSorted());
});

test("--version answers without loading the command", async () => {
  const begunMs = systemClock.monotonicMs();
  const { out } = await run("--version");
  const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as { readonly version: string };
  assert.equal(out, `${version}\n`);
  assert.ok(systemClock.monotonicMs() - begunMs < 2_000);
});
