import { DEFAULT_ENDPOINT } from "./connection.ts";
import type { Paint } from "./output.ts";

/** What the banner tells of a server that is ready: only what is built and on. */
export interface BannerFacts {
  readonly version: string;
  readonly url: string;
  /** Undefined with `--memory`. */
  readonly dataFolder: string | undefined;
  readonly durability: string;
  readonly sandbox: { readonly kind: string; readonly confined: boolean };
  readonly network: string;
  readonly region: string;
  /** Where Kafka clients come in; undefined where they do not. */
  readonly kafka: string | undefined;
  /** One line each: what is missing and the command that mends it. */
  readonly remarks: readonly string[];
  /** Names of deployed examples; undefined when none were asked for. */
  readonly examples: readonly string[] | undefined;
  /** How the command is called from here. */
  readonly command: string;
}

/** Examples named in the banner; the rest is a number. */
const EXAMPLES_SHOWN = 3;

/** The lines from the first to `lambent ready …`. */
export function bannerLines(facts: BannerFacts, paint: Paint): string[] {
  const store =
    facts.dataFolder === undefined
      ? "store in memory (gone when the server ends)"
      : `store ${facts.dataFolder} (SQLite, durable: ${facts.durability})`;
  const confined = facts.sandbox.confined ? `functions confined by ${facts.sandbox.kind}` : "functions are not confined";
  const lines = [
    `  ${paint("bold", `Lambent ${facts.version}`)}   ${store}   ${facts.sandbox.confined ? confined : paint("red", confined)}`,
    `  API        ${facts.url}     credentials: eval "$(${facts.command} env${elsewhere(facts)})"   region ${facts.region}`,
  ];
  if (facts.kafka !== undefined) lines.push(`  Kafka      ${facts.kafka}`);
  if (facts.network !== "lambent")
    lines.push(`  Network    functions reach: ${facts.network === "host" ? "everything this machine reaches" : "nothing"}`);
  if (facts.examples) lines.push(examplesLine(facts.examples));
  for (const remark of facts.remarks) lines.push(`  ${paint(facts.sandbox.confined ? "yellow" : "red", "Missing")}    ${remark}`);
  return [...lines, "", ...tryLines(facts), "", `lambent ready ${facts.url}`];
}

function examplesLine(names: readonly string[]): string {
  const shown = names.slice(0, EXAMPLES_SHOWN).join(", ") + (names.length > EXAMPLES_SHOWN ? ", …" : "");
  return `  Examples   ${shown}     (${names.length} deployed)`;
}

/** What the commands need that a person pastes, where they would not find this server by themselves. */
function elsewhere({ url }: BannerFacts): string {
  return url === DEFAULT_ENDPOINT ? "" : ` --endpoint ${url}`;
}

function tryLines(facts: BannerFacts): string[] {
  const { examples, url, command } = facts;
  const there = elsewhere(facts);
  const aws = `eval "$(${command} env${there})" && aws lambda list-functions --query 'Functions[].FunctionName'`;
  const tries = [
    ...(examples?.includes("example-web") ? [`curl '${url}/function-url/example-web/hello?name=you'`] : []),
    ...(examples?.includes("example-sliding-average")
      ? [`${command} invoke example-sliding-average --event examples/sliding-average/event.json${there}`]
      : []),
    ...(examples ? [] : [`${command} init hello && ${command} deploy hello${there}`]),
    aws,
  ];
  return tries.map((line, at) => `${at === 0 ? "  Try    " : "         "}${line}`);
}
