import { Command, CommanderError, Option } from "commander";
import { createContext, type Run } from "./command.ts";
import { describeFailure, EXIT_CODES, type CommandFailure } from "./errors.ts";
import { openOutput } from "./output.ts";
import { asCalledHere, packageVersion } from "./version.ts";
import { VERB_MODULES } from "./verb-modules.ts";
import { isGroup, VERBS, verbName, type VerbSpec } from "./verbs.ts";

/** Runs one command line and answers its exit code. Prints at most two lines when it cannot do what was asked. */
export async function runCommandLine(args: readonly string[], environment: NodeJS.ProcessEnv): Promise<number> {
  let exit: number = EXIT_CODES.done;
  const program = buildProgram(environment, (code) => (exit = code));
  try {
    await program.parseAsync([...args], { from: "user" });
    return exit;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT_CODES.done : EXIT_CODES.usage;
    const failure = describeFailure(error);
    printFailure(failure, args.includes("--json"));
    return EXIT_CODES[failure.exit];
  }
}

/** The whole command as a tree; `completion` reads it too. */
export function buildProgram(environment: NodeJS.ProcessEnv, setExit: (code: number) => void): Command {
  const program = new Command("lambent")
    .description("A serverless cloud for real-time applications that runs for real.")
    .version(packageVersion())
    .addHelpText("after", '\nStart with:\n  lambent start\n  lambent deploy hello.mjs\n  lambent invoke hello --event \'{"name":"Ada"}\'')
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(usageLines(text)) })
    .showSuggestionAfterError(true);
  for (const spec of VERBS) addVerb(program, spec, environment, setExit);
  return program;
}

function addVerb(program: Command, spec: VerbSpec, environment: NodeJS.ProcessEnv, setExit: (code: number) => void): void {
  const words = spec.usage.split(" ");
  const parent = spec.under ? (program.commands.find((each) => each.name() === spec.under) ?? program) : program;
  const command = parent
    .command(words.join(" "))
    .description(spec.description)
    .addHelpText(
      "after",
      `\nExample:\n${spec.example
        .split("\n")
        .map((line) => `  ${line}`)
        .join("\n")}`,
    )
    .exitOverride();
  // An option of a group would be taken from the verbs below it, wherever in the line it stands.
  if (isGroup(spec)) return;
  for (const option of spec.options)
    command.addOption(option.env ? new Option(option.flags, option.says).env(option.env) : plainOption(option));
  command.option("--json", "print the result as JSON");
  if (!spec.local)
    command
      .option("--endpoint <url>", "the server, by default LAMBENT_ENDPOINT or http://127.0.0.1:4566")
      .option("--region <region>", "by default AWS_REGION or the server's");
  const load = VERB_MODULES[verbName(spec)];
  if (!load) return;
  command.action(async () => {
    const options: Readonly<Record<string, unknown>> = command.opts();
    const output = openOutput({ json: options["json"] === true });
    const connection = { endpoint: options["endpoint"] as string | undefined, region: options["region"] as string | undefined };
    const context = createContext(output, environment, connection, variablesOf(command));
    const { run } = (await load()) as { run: Run<unknown> };
    const exit = await run(context, command.args, options);
    setExit(EXIT_CODES[exit ?? "done"]);
  });
}

/** Options whose value came from the environment, with its variable there. */
function variablesOf(command: Command): ReadonlyMap<string, string> {
  const fromThere = command.options.filter((option) => command.getOptionValueSource(option.attributeName()) === "env");
  return new Map(fromThere.map((option) => [option.long ?? "", option.envVar ?? ""]));
}

function plainOption(option: VerbSpec["options"][number]): Option {
  const made = new Option(option.flags, option.says);
  return option.repeated ? made.argParser((value: string, before: string[] | undefined) => [...(before ?? []), value]) : made;
}

function printFailure(failure: CommandFailure, json: boolean): void {
  const { message, next, exit } = failure;
  if (json) process.stderr.write(`${JSON.stringify({ error: message, next, exit: EXIT_CODES[exit] })}\n`);
  else process.stderr.write(`lambent: ${message}\n  ${asCalledHere(next)}\n`);
}

/** Commander's complaint as one line, and where the help is as the other. */
function usageLines(text: string): string {
  const [first = "", ...more] = text
    .replace(/^error: /u, "")
    .trim()
    .split("\n");
  const hint = more.join(" ").trim();
  return `lambent: ${first}${hint ? ` ${hint}` : ""}\n  ${asCalledHere("`lambent --help` lists the verbs, `lambent <verb> --help` shows one with an example.")}\n`;
}
