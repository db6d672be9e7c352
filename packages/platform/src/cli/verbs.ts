/** Every verb of the command: its arguments, its options, an example. `verb-modules.ts` says which module does it. */
import { WINDOW_VERBS } from "./window-verbs.ts";

export interface OptionSpec {
  readonly flags: string;
  readonly says: string;
  /** May be given several times. */
  readonly repeated?: boolean;
  /** Environment variable that stands in for it. */
  readonly env?: string;
}

export interface VerbSpec {
  readonly usage: string;
  /** The verb this one is a part of: `config set`. */
  readonly under?: string;
  readonly description: string;
  readonly example: string;
  readonly options: readonly OptionSpec[];
  /** Needs no server. */
  readonly local?: boolean;
}

const option = (flags: string, says: string): OptionSpec => ({ flags, says });
const setting = (flags: string, says: string, env: string): OptionSpec => ({ flags, says, env });
const repeated = (flags: string, says: string): OptionSpec => ({ flags, says, repeated: true });

const SETTINGS: readonly OptionSpec[] = [
  option("--runtime <id>", "for example nodejs22.x, python3.12, provided.al2023"),
  option("--handler <file.export>", "the function to call"),
  option("--memory <mb>", "128 to 10240"),
  option("--timeout <seconds>", "1 to 900"),
  option("--description <text>", "what it is for"),
  option("--role <arn>", "the role it runs as"),
  option("--concurrency <calls>", "calls one instance takes at once"),
  repeated("--async <setting=value>", 'flow control of asynchronous calls, as concurrency="2 per customer.id"; may be given several times'),
  repeated("--env <name=value>", "an environment entry; may be given several times"),
  option("--env-file <file>", "environment entries, one name=value a line"),
];

const RANGE: readonly OptionSpec[] = [
  option("--last <records>", "so many of the newest records of each stream; 100000 by default, up to 1000000"),
  option("--since <span>", "records made since then, for example 30s, 10m, 2h"),
  option("--from-start", "from the oldest record on"),
  option("--timeout <seconds>", "10 by default, up to 60"),
];

export const VERBS: readonly VerbSpec[] = [
  {
    usage: "start",
    description: "start the server here",
    example: "lambent start --port 0 --memory\nlambent start -d && lambent status",
    local: true,
    options: [
      setting("--port <port>", "4566 by default; 0 picks a free one", "LAMBENT_PORT"),
      setting("--host <address>", "127.0.0.1 by default", "LAMBENT_HOST"),
      setting("--data <folder>", "the data folder, .lambent by default", "LAMBENT_DATA"),
      option("--memory", "keep everything in memory: gone when the server ends"),
      setting("--sandbox <kind>", "auto, bubblewrap or process", "LAMBENT_SANDBOX"),
      setting("--auth <mode>", "root-key, or well-known for lambent/lambent and test/test", "LAMBENT_AUTH"),
      setting("--network <mode>", "what functions reach: none, lambent or host", "LAMBENT_NETWORK"),
      repeated("--allow-host <name>", "a further Host name to answer to"),
      setting("--region <region>", "us-east-1 by default", "LAMBENT_REGION"),
      repeated("--allow-host-port <host:port>", "an address functions may reach beside public ones"),
      repeated("--allow-network <cidr>", "a private network functions may reach"),
      setting("--kafka-port <port>", "where Kafka clients come in, 9092 by default; 0 picks a free one", "LAMBENT_KAFKA_PORT"),
      option("--no-kafka", "no listener for Kafka clients"),
      setting(
        "--kafka-auto-create <on|off>",
        "topics are made when a client first asks for them: on by default",
        "LAMBENT_KAFKA_AUTO_CREATE",
      ),
      setting("--pool <count>", "Node processes that wait ready, 2 by default", "LAMBENT_POOL"),
      setting("--idle <seconds>", "an instance nobody calls is let go after 300 by default", "LAMBENT_IDLE"),
      setting(
        "--retry-time-factor <factor>",
        "waits between attempts of asynchronous calls, times this; 1 as on AWS",
        "LAMBENT_RETRY_TIME_FACTOR",
      ),
      option("--examples", "deploy the examples, except where a person changed them"),
      option("--no-url", "examples get no public address"),
      option("-d, --detach", "go on in the background once ready"),
    ],
  },
  {
    usage: "stop",
    description: "drain the server of this machine and end it",
    example: "lambent stop",
    options: [],
  },
  {
    usage: "status",
    description: "what runs: folder, process, time up, what is on",
    example: "lambent status --json",
    options: [],
  },
  {
    usage: "reset",
    description: "delete everything a stopped server kept",
    example: "lambent stop && lambent reset --yes",
    local: true,
    options: [setting("--data <folder>", "the data folder, .lambent by default", "LAMBENT_DATA"), option("--yes", "do not ask")],
  },
  {
    usage: "backup <folder>",
    description: "copy all that a running server keeps, as it is at one moment, to a new folder",
    example: "lambent backup /mnt/backups/monday",
    options: [],
  },
  {
    usage: "restore <backup>",
    description: "make a data folder from a backup; start a server on it then",
    example: "lambent restore /mnt/backups/monday --data .lambent && lambent start --data .lambent",
    local: true,
    options: [setting("--data <folder>", "the data folder to make, .lambent by default; it has to be empty", "LAMBENT_DATA")],
  },
  {
    usage: "verify",
    description: "read all that is kept and name what is damaged",
    example: "lambent verify\nlambent stop && lambent verify --data .lambent",
    options: [option("--data <folder>", "the data folder of a stopped server; without it the running server is asked")],
  },
  {
    usage: "init [folder]",
    description: "write a new function with a test",
    example: "lambent init shop --template typescript",
    local: true,
    options: [option("--template <name>", "node, typescript or python; node by default")],
  },
  {
    usage: "deploy <path>",
    description: "bring a folder, a code file or a zip; with a lambent.yaml, all it names",
    example: "lambent deploy hello.mjs\nlambent deploy . --plan\nlambent deploy build.zip --runtime nodejs22.x --handler index.handler",
    options: [
      option("--name <name>", "by default the file's or the folder's name"),
      ...SETTINGS,
      option("--no-url", "no public address"),
      option("--plan", "show what would change, change nothing"),
      option("--adopt", "an application takes over functions that are there and that it did not bring"),
    ],
  },
  {
    usage: "dev [path]",
    description: "deploy at every save, and show calls as they run",
    example: "lambent dev .\nlambent dev hello.mjs\nlambent dev . --inspect",
    options: [
      option("--no-url", "no public address"),
      option("--inspect [port]", "attach a debugger; the first function's is at this port, 9229 by default, 0 for free ones"),
    ],
  },
  {
    usage: "invoke <function>",
    description: "call a function and print its answer",
    example: 'lambent invoke hello --event \'{"name":"Ada"}\'\nlambent event sample sqs | lambent invoke worker --event -',
    options: [
      option("--event <event>", "JSON when it begins like JSON, - for standard input, else a file; {} by default"),
      option("--qualifier <version>", "a version or an alias"),
      option("--tail", "show what the call logged"),
      option("--async", "hand it over and do not wait for its answer"),
    ],
  },
  { usage: "event", description: "events as triggers send them", example: "lambent event sample s3", local: true, options: [] },
  {
    usage: "sample [kind]",
    under: "event",
    description: "print an event of a kind; without one, list the kinds",
    example: "lambent event sample sqs",
    local: true,
    options: [],
  },
  {
    usage: "events [id]",
    description: "what became of events that nobody waited for; of one, every attempt, or all it led to",
    example: "lambent events --state waiting\nlambent events -f\nlambent events 01890a5d-ac96-774b-bcce-b302099a8057 --chain",
    options: [
      option("-f, --follow", "go on with events as they come and change"),
      option("--chain", "with an id: everything of its chain, from the first event on"),
      option("--function <name>", "only those for this function"),
      option("--source <source>", "invoke, queue, bus, schedule, topic, objects or stream"),
      option("--state <state>", "waiting, running or ended"),
      option("--since <span>", "for example 30s, 10m, 2h"),
      option("--limit <events>", "50 by default"),
    ],
  },
  {
    usage: "replay <id...>",
    description: "hand events that failed over again",
    example: "lambent replay 01890a5d-ac96-774b-bcce-b302099a8057",
    options: [],
  },
  {
    usage: "cancel <id>",
    description: "end an event that waits",
    example: "lambent cancel 01890a5d-ac96-774b-bcce-b302099a8057",
    options: [],
  },
  {
    usage: "logs <function>",
    description: "what a function logged",
    example: "lambent logs hello -f",
    options: [
      option("-f, --follow", "go on with lines as they are written"),
      option("--since <span>", "for example 30s, 10m, 2h; 10m by default"),
      option("--limit <lines>", "200 by default"),
    ],
  },
  {
    usage: "trigger <function>",
    description:
      "call a function with what comes to a queue or lies in a stream, with events on a bus, by a schedule, or with uploads to a bucket; what is missing is created",
    example: [
      "lambent trigger hello --queue orders --batch 100 --window 5 --report-failures",
      "lambent trigger hello --kafka clicks --batch 500 --on-failure queue:lost --retries 3",
      "lambent trigger hello --stream readings --from start --format json",
      "lambent trigger hello --on order.placed",
      `lambent trigger hello --on '{"source":["shop"],"detail":{"total":[{"numeric":[">",100]}]}}' --bus shop`,
      "lambent trigger hello --every '5 minutes'",
      "lambent trigger hello --cron '0 3 * * ? *' --timezone Europe/Berlin",
      "lambent trigger hello --upload 'photos/*.jpg'",
    ].join("\n"),
    options: [
      option("--queue <name>", "messages of this queue; a name that ends in .fifo is a FIFO one"),
      option("--kafka <topic>", "records of this topic, as Kafka's event"),
      option("--stream <name>", "records of this stream, as Kinesis' event; topics and streams are one"),
      option("--batch <count>", "what one call gets at most: 10 messages by default, of which more need a window, or 100 records"),
      option("--window <seconds>", "wait this long for a batch to fill, 0 to 300"),
      option("--concurrency <calls>", "calls at once, 2 to 1000; by default as many as the messages need"),
      repeated("--filter <pattern>", "an event pattern; what matches none is passed over; may be given several times"),
      option("--report-failures", "the function answers what of a batch failed"),
      option("--from <where>", "where reading begins when the trigger is made: start, latest, or a time; latest by default"),
      option("--parallel <batches>", "batches of one partition at once, 1 to 10; records of one key keep their order"),
      option("--bisect", "split a batch that failed in two"),
      option(
        "--retries <attempts>",
        "attempts behind the first, or forever: as long as the stream keeps the records, which is the default",
      ),
      option("--max-age <span>", "give up records that are older, as 1h or 2d; or forever"),
      option("--on-failure <destination>", "what is told of records that were given up: queue:name, an ARN, or none"),
      option("--tumble <span>", "call it with the records of one window after the other, up to 15m, and the state it answered"),
      option("--on <pattern>", "events that match: JSON, @file, or in short their type as order.placed or order.*"),
      option("--bus <name>", "the bus they are on, default by default"),
      option("--format <format>", "aws by default; for --on cloudevent, of streams json: the bare values in an array"),
      option("--every <period>", "a period of whole minutes, hours or days, as '5 minutes' or 2h"),
      option("--cron <expression>", "AWS's six fields, or the five of a crontab"),
      option("--timezone <name>", "of --cron, as Europe/Berlin; UTC by default"),
      option("--input <json>", "what a schedule calls the function with; by default a notification that names the schedule"),
      option("--upload <objects>", "objects of a bucket: 'photos/in/*.jpg' for keys that begin and end so, photos for all"),
      option("--event <kind>", "of uploads: created, removed, or a name of S3's as s3:ObjectCreated:Put; created by default"),
      option("--name <name>", "of the rule or the schedule; guessed by default"),
      option("--no-create", "refuse when the queue, the stream, the bus or the bucket is missing"),
    ],
  },
  {
    usage: "triggers [function]",
    description: "what calls functions: queues, streams, rules, schedules, uploads",
    example: "lambent triggers hello",
    options: [],
  },
  {
    usage: "untrigger <function>",
    description:
      "remove triggers of a function; queues, streams, what lies in them, buses and buckets stay, and so does a rule with other targets",
    example: "lambent untrigger hello --queue orders\nlambent untrigger hello --rule hello-order.placed",
    options: [
      option("--queue <name>", "only this queue's; by default all triggers of the function"),
      option("--kafka <topic>", "only this topic's"),
      option("--stream <name>", "only this stream's"),
      option("--rule <name>", "only this rule"),
      option("--bus <name>", "only rules of this bus"),
      option("--schedule <name>", "only this schedule"),
      option("--upload <objects>", "only by uploads to this bucket, or only those the trigger was made with"),
    ],
  },
  {
    usage: "publish <type> <json>",
    description: "put an event on a bus; - takes the JSON of one event a line from standard input",
    example: "lambent publish order.placed '{\"number\":1}'\nlambent publish order.placed - --bus shop < orders.ndjson",
    options: [option("--bus <name>", "default by default"), option("--source <source>", "lambent.cli by default")],
  },
  {
    usage: "send <queue> [message]",
    description:
      "put a message on a queue, or with --kafka or --stream a record, whose value stands alone; - takes one a line from standard input",
    example: [
      `lambent send orders '{"number":1}'`,
      "seq 1000 | lambent send orders -",
      `lambent send --kafka clicks --key ada '{"page":"/"}'`,
    ].join("\n"),
    options: [
      option("--group <id>", "the message group; FIFO queues need one"),
      option("--kafka <topic>", "append to this topic"),
      option("--stream <name>", "append to this stream"),
      option("--key <key>", "of the record: those of one key keep their order; by default each has its own"),
    ],
  },
  {
    usage: "query <sql>",
    description: "ask streams, and results of windows, in read-only SQL: each stream is a table of its name",
    example: [
      "lambent query 'select key, count(*), avg(celsius) from readings group by key'",
      "lambent query 'select * from readings where celsius > 30' --since 10m --format csv",
      `lambent query "select window ->> '$.end' as at, mean from averages" --out averages.parquet`,
    ].join("\n"),
    options: [
      option("--format <format>", "table, csv, json, jsonl or parquet; by the ending of --out, or table"),
      option("--out <file>", "write the rows there"),
      option("--rows <rows>", "rows of the answer at most, 10000 by default, up to 100000"),
      ...RANGE,
    ],
  },
  {
    usage: "plot <query>",
    description: "draw a query, or a stream's column: in the terminal, or as SVG",
    example: [
      "lambent plot readings --y celsius --by key --since 1h",
      "lambent plot 'select hour, total from orders' --x hour --y total --kind bar",
      "lambent plot 'select time, mean, max from averages' --y mean,max --out chart.svg",
    ].join("\n"),
    options: [
      option("--x <column>", "along the bottom; the first column by default, a record's time of a stream"),
      option("--y <columns>", "what is drawn, several with commas between; by default the first column of numbers beside --x"),
      option("--by <column>", "a line for each of its values"),
      option("--kind <kind>", "line, bar or points; line by default"),
      option("--out <file>", "an SVG file instead of the terminal"),
      option("--width <size>", "characters of the terminal, or pixels of the file"),
      option("--title <text>", "above the chart"),
      ...RANGE,
    ],
  },
  {
    usage: "objects",
    description: "files in buckets: copy, list, remove",
    example: "lambent objects cp cat.jpg photos:cat.jpg",
    options: [],
  },
  {
    usage: "cp <from> <to>",
    under: "objects",
    description: "copy a file to a bucket or from one: bucket:key or s3://bucket/key, - for standard input or output",
    example: [
      "lambent objects cp cat.jpg photos:2026/",
      "lambent objects cp photos:2026/cat.jpg .",
      "lambent objects cp --recursive site s3://www/",
      "pg_dump shop | lambent objects cp - backups:shop.sql",
    ].join("\n"),
    options: [
      option("--recursive", "all that is in a folder, of this machine or of a bucket"),
      option("--content-type <type>", "of what is sent; by default by the end of its name"),
      option("--no-create", "refuse when the bucket is missing"),
    ],
  },
  {
    usage: "ls [path]",
    under: "objects",
    description: "list buckets, or the objects of one whose keys begin so, with folders as one line each",
    example: "lambent objects ls\nlambent objects ls photos/2026/\nlambent objects ls photos --recursive --json",
    options: [option("--recursive", "every object, not only those of this folder")],
  },
  {
    usage: "rm <path>",
    under: "objects",
    description: "remove an object, or with --recursive all that is in a folder; the bucket stays",
    example: "lambent objects rm photos/2026/cat.jpg\nlambent objects rm photos/2025/ --recursive --yes",
    options: [option("--recursive", "all objects in this folder of the bucket"), option("--yes", "do not ask")],
  },
  ...WINDOW_VERBS,
  {
    usage: "list",
    description: "the functions that are here",
    example: "lambent list --json",
    options: [],
  },
  {
    usage: "describe <function>",
    description: "all that is set for a function",
    example: "lambent describe hello",
    options: [],
  },
  {
    usage: "config",
    description: "change settings of a function",
    example: "lambent config set hello --memory 256 --env LEVEL=3",
    options: [],
  },
  {
    usage: "set <function>",
    under: "config",
    description: "change settings of a function; what is not named stays",
    example: "lambent config set hello --memory 256 --env LEVEL=3 --unset-env OLD",
    options: [...SETTINGS, repeated("--unset-env <name>", "remove an environment entry")],
  },
  {
    usage: "versions <function>",
    description: "published versions; --publish adds one",
    example: "lambent versions hello --publish",
    options: [option("--publish", "publish what is deployed as a new version")],
  },
  {
    usage: "rollback <function>",
    description: "make code and settings those of a published version",
    example: "lambent rollback hello --to 3",
    options: [option("--to <version>", "by default the newest whose code differs")],
  },
  {
    usage: "remove <function>",
    description: "delete a function with all its versions",
    example: "lambent remove hello --yes",
    options: [option("--yes", "do not ask")],
  },
  {
    usage: "env",
    description: "print what points AWS tools of a shell here",
    example: 'eval "$(lambent env)" && aws lambda list-functions',
    options: [option("--shell <name>", "sh, fish or powershell; sh by default")],
  },
  {
    usage: "doctor",
    description: "what this machine lacks, and the command that mends it",
    example: "lambent doctor",
    options: [],
  },
  {
    usage: "completion <shell>",
    description: "print a completion script for bash, zsh or fish",
    example: "lambent completion bash > ~/.local/share/bash-completion/completions/lambent",
    local: true,
    options: [],
  },
];

/** A verb with the one it is a part of: `config set`. */
export function verbName(spec: VerbSpec): string {
  const word = spec.usage.split(" ")[0] ?? "";
  return spec.under ? `${spec.under} ${word}` : word;
}

/** Only holds other verbs: `config`. */
export function isGroup(spec: VerbSpec): boolean {
  return spec.under === undefined && VERBS.some(({ under }) => under === verbName(spec));
}
