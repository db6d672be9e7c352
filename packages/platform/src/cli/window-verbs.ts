import type { OptionSpec, VerbSpec } from "./verbs.ts";

const option = (flags: string, says: string): OptionSpec => ({ flags, says });
const repeated = (flags: string, says: string): OptionSpec => ({ flags, says, repeated: true });

/** Verbs of managed windows. */
export const WINDOW_VERBS: readonly VerbSpec[] = [
  {
    usage: "windows",
    description: "managed windows: averages, sums, the last values of a stream, exactly once",
    example:
      "lambent windows create averages --from readings --key '$.device' --value '$.celsius' --window 'sliding 1m' --aggregate mean --to averages",
    options: [],
  },
  {
    usage: "create <name>",
    under: "windows",
    description: "make a window over a stream, or give one another definition; a results stream that is missing is made",
    example: [
      "lambent windows create averages --from readings --key '$.device' --value '$.celsius' --window 'sliding 1m' --aggregate mean --to averages",
      "lambent windows create ten --from readings --window 'rolling 10' --to function:average",
      "lambent windows create averages --file averages.json --restart latest",
    ].join("\n"),
    options: [
      option("--from <stream>", "the stream it reads"),
      option("--start <where>", "latest by default, earliest, or a time"),
      option("--key <path>", "what tells its windows apart: the record's key by default, a path, or all"),
      option("--value <path>", "what is reckoned with; $ by default, all of the record"),
      option("--time <path>", "when it happened, as a path and :ms, :s or :iso; by default the record's own time"),
      option("--window <form>", "as 'tumbling 1m', 'hopping 5m every 1m', 'sliding 1m', 'session 30s', 'rolling 10'"),
      repeated("--aggregate <name=kind>", "count, sum, mean, min, max …; may be given several times"),
      repeated("--to <sink>", "a stream, function:name, s3://bucket/prefix, an ARN or an address; may be given several times"),
      option("--set-aside <stream>", "what gets records that cannot be taken"),
      option("--file <file>", "all of this as JSON; - for standard input"),
      option(
        "--restart <where>",
        "begin anew there, should what it has reckoned mean nothing under the new definition: latest, earliest, here, or a time",
      ),
    ],
  },
  { usage: "list", under: "windows", description: "the windows that are here", example: "lambent windows list", options: [] },
  {
    usage: "show <name>",
    under: "windows",
    description: "what a window has read, reckoned, handed on and set aside",
    example: "lambent windows show averages",
    options: [],
  },
  {
    usage: "pause <name>",
    under: "windows",
    description: "read nothing more; what was read is kept",
    example: "lambent windows pause averages",
    options: [],
  },
  { usage: "resume <name>", under: "windows", description: "go on reading", example: "lambent windows resume averages", options: [] },
  {
    usage: "reset <name>",
    under: "windows",
    description: "drop what was reckoned and begin anew",
    example: "lambent windows reset averages --start earliest --yes",
    options: [option("--start <where>", "latest, earliest, here, or a time; latest by default"), option("--yes", "do not ask")],
  },
  {
    usage: "rm <name>",
    under: "windows",
    description: "remove a window; the streams it read and wrote stay",
    example: "lambent windows rm averages --yes",
    options: [option("--yes", "do not ask")],
  },
];
