import { accessSync, constants, existsSync, readFileSync } from "node:fs";
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { GetStatusResponse } from "../../api/index.ts";
import type { CommandContext, Run } from "../command.ts";
import { DEFAULT_ENDPOINT } from "../connection.ts";
import { describeFailure } from "../errors.ts";
import { LAMBENT_PATHS } from "../lambent-api.ts";
import { portHolder } from "../port-holder.ts";
import { searchPath } from "../start-settings.ts";

interface Finding {
  readonly subject: string;
  readonly verdict: "good" | "missing" | "said";
  readonly text: string;
}

const ASK_MS_MAX = 10_000;
/** The newest built-in SQLite without a warning comes with this one. */
const NODE_MAJOR_MIN = 24;

/** `lambent doctor`: one line a subject; what is missing names the command that mends it. */
export const run: Run<object> = async (context) => {
  const { output } = context;
  const findings = [...(await machine(searchPath(context.environment))), ...(await server(context))];
  if (output.json) output.data(findings);
  for (const { subject, verdict, text } of output.json ? [] : findings) {
    const mark = verdict === "good" ? output.paint("green", "ok     ") : verdict === "missing" ? output.paint("red", "missing") : "       ";
    output.line(`  ${mark}  ${subject.padEnd(12)} ${text}`);
  }
  return findings.some((finding) => finding.verdict === "missing") ? "failed" : undefined;
};

async function machine(path: string): Promise<Finding[]> {
  const node = Number(process.versions.node.split(".")[0]);
  return [
    node >= NODE_MAJOR_MIN
      ? good("node", process.version)
      : missing("node", `${process.version}; Node ${NODE_MAJOR_MIN} or newer is needed`),
    await bubblewrap(),
    await python(path),
    limits(),
    writable(".")
      ? good("folder", "this folder can be written to")
      : missing("folder", "this folder cannot be written to: choose one with lambent start --data"),
  ];
}

/** Working is shown by running it: many machines have it and deny what it needs. */
async function bubblewrap(): Promise<Finding> {
  const found = await ask("bwrap", ["--version"]);
  if (found === undefined) return missing("bubblewrap", "functions would not be confined. Run: sudo apt-get install bubblewrap");
  const works = await ask("bwrap", ["--unshare-all", "--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev", "true"]);
  if (works !== undefined) return good("bubblewrap", `${found} confines functions`);
  const remedy =
    readFileText("/proc/sys/kernel/apparmor_restrict_unprivileged_userns").trim() === "1"
      ? "sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0"
      : "sudo sysctl -w kernel.unprivileged_userns_clone=1, or start as root";
  return missing("bubblewrap", `${found} is there and may not make namespaces. Run: ${remedy}`);
}

/** Asked where the server looks: the environment that set-up makes for functions comes first. */
async function python(path: string): Promise<Finding> {
  const version = await ask("python3", ["--version"], path);
  if (version === undefined) return missing("python", "Python functions cannot run. Run: sudo apt-get install python3 python3-venv");
  const boto3 = await ask("python3", ["-c", "import boto3; print(boto3.__version__)"], path);
  if (boto3 === undefined)
    return said(
      "python",
      `${version} without boto3: functions that import it need it in requirements.txt, or: npm start, which makes an environment with it`,
    );
  const [major = 0, minor = 0] = boto3.split(".").map(Number);
  return major > 1 || minor >= 28
    ? good("python", `${version}, boto3 ${boto3}`)
    : said("python", `${version}, boto3 ${boto3}, which ignores AWS_ENDPOINT_URL: 1.28 or newer is needed`);
}

function limits(): Finding {
  const controllers = readFileText("/sys/fs/cgroup/cgroup.controllers");
  const one = existsSync("/sys/fs/cgroup/memory/memory.limit_in_bytes");
  if (one)
    return process.getuid?.() === 0
      ? good("limits", "cgroup v1: memory, cpu and processes are limited")
      : said("limits", "cgroup v1 needs root: memory and cpu are not limited");
  if (!controllers.includes("memory")) return said("limits", "no cgroup with memory: memory and cpu are not limited");
  return good("limits", "cgroup v2");
}

async function server(context: CommandContext): Promise<Finding[]> {
  const endpoint = context.connection.endpoint ?? context.environment["LAMBENT_ENDPOINT"] ?? DEFAULT_ENDPOINT;
  try {
    const status = await context.client().json<GetStatusResponse>({ service: "lambent", method: "GET", path: LAMBENT_PATHS.status });
    const remarks = status.Sandbox.Remarks.map((remark) => said("server", remark));
    return [good("server", `Lambent ${status.Version} at ${endpoint}, process ${status.Pid}, sandbox ${status.Sandbox.Kind}`), ...remarks];
  } catch (error) {
    const port = Number(new URL(endpoint).port || 80);
    const holder = portHolder(port);
    if (holder)
      return [said("server", `port ${port} is held by process ${holder.pid} (${holder.command}); ${describeFailure(error).message}`)];
    return [said("server", `none at ${endpoint}. Run: lambent start`)];
  }
}

/** First line of what a program prints; undefined when it is not there or fails. */
async function ask(program: string, args: readonly string[], path?: string): Promise<string | undefined> {
  try {
    const env = { ...process.env, ...(path === undefined ? {} : { PATH: path }) };
    const { stdout } = await promisify(execFile)(program, args, { timeout: ASK_MS_MAX, env });
    return stdout.trim().split("\n")[0] ?? "";
  } catch {
    return undefined;
  }
}

function readFileText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

function writable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

const good = (subject: string, text: string): Finding => ({ subject, verdict: "good", text });
const missing = (subject: string, text: string): Finding => ({ subject, verdict: "missing", text });
const said = (subject: string, text: string): Finding => ({ subject, verdict: "said", text });
