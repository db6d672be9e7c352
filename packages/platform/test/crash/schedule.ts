import { FAILPOINTS } from "../../src/base/index.ts";
import { CHECKS } from "./checks.ts";
import { objectsFailpointRound, type ObjectsFailure, objectsFailureRound, objectsKillRound, objectsPowerRound } from "./object-rounds.ts";
import type { Round, RoundOptions } from "./open-round.ts";
import { type Failure, failpointRound, failureRound, killRound, longPowerRound, powerRound } from "./rounds.ts";
import { streamsFailpointRound, type StreamsFailure, streamsFailureRound, streamsKillRound, streamsPowerRound } from "./stream-rounds.ts";
import { serverFailpointRound, serverFailureRound, serverKillRound, serverPowerRound } from "./server-rounds.ts";

export interface Planned {
  readonly name: string;
  run(options: RoundOptions): Promise<Round>;
}

const FAILURES: readonly Failure[] = [
  "a full disk",
  "a failed write",
  "a failed fsync that succeeds when repeated",
  "a failed fsync of a body's folder",
];
const OBJECTS_FAILURES: readonly ObjectsFailure[] = ["no room for files", "a failed fsync of a file's folder", "a failed write of a file"];
const OF_OBJECTS = ["body.written", "body.named", "commit.half", "commit.before", "commit.after", "commit.told"] as const;
const STREAMS_FAILURES: readonly StreamsFailure[] = ["a full disk", "a failed fsync of the log"];
const IN_COMMITS = ["commit.half", "commit.before", "commit.after", "commit.told"] as const;
/** Disks looked at in one round. */
const CUTS = 3;

/** What `npm test` goes through once. */
export const SCHEDULE: readonly Planned[] = [
  ...Array.from({ length: 2 }, (_, index) => ({ name: `SIGKILL at a random moment, ${index + 1}`, run: killRound })),
  ...FAILPOINTS.map((point) => ({ name: `SIGKILL at ${point}`, run: (options: RoundOptions) => failpointRound(options, point) })),
  ...Array.from({ length: 2 }, (_, index) => ({
    name: `a power cut at random moments, ${index + 1}`,
    run: (options: RoundOptions) => powerRound(options, CUTS),
  })),
  ...FAILURES.map((failure) => ({
    name: `${failure}, then a power cut`,
    run: (options: RoundOptions) => failureRound(options, failure, CUTS),
  })),
  { name: "SIGKILL of the server under clients of SQS, Lambda and EventBridge", run: serverKillRound },
  { name: "SIGKILL of the server inside a commit", run: (options) => serverFailpointRound(options, pick(IN_COMMITS, options.seed)) },
  { name: "a power cut of the server under clients of SQS, Lambda and EventBridge", run: (options) => serverPowerRound(options, CUTS) },
  { name: "SIGKILL of the server under clients of S3", run: (options) => objectsKillRound(options) },
  {
    name: "SIGKILL of the server while an object is stored",
    run: (options) => objectsFailpointRound(options, pick(OF_OBJECTS, options.seed)),
  },
  { name: "a power cut of the server under clients of S3", run: (options) => objectsPowerRound(options, CUTS) },
  { name: "SIGKILL of the server under clients of Kinesis and Kafka", run: (options) => streamsKillRound(options) },
  { name: "a power cut of the server under clients of Kinesis and Kafka", run: (options) => streamsPowerRound(options, CUTS) },
];

/** What campaigns go through again and again with other seeds. */
export const CAMPAIGN_SCHEDULE: readonly Planned[] = [
  ...SCHEDULE,
  ...OBJECTS_FAILURES.map((failure) => ({
    name: `${failure} under clients of S3, then a power cut`,
    run: (options: RoundOptions) => objectsFailureRound(options, failure, CUTS),
  })),
  {
    name: "SIGKILL of the server inside a commit under clients of Kinesis and Kafka",
    run: (options) => streamsFailpointRound(options, pick(IN_COMMITS, options.seed)),
  },
  ...STREAMS_FAILURES.map((failure) => ({
    name: `${failure} under clients of Kinesis and Kafka, then a power cut`,
    run: (options: RoundOptions) => streamsFailureRound(options, failure, CUTS),
  })),
  { name: "a full disk under the server", run: (options) => serverFailureRound(options, CUTS) },
  { name: "a power cut over a log that began anew", run: (options) => longPowerRound(options, CUTS) },
];

function pick<T>(choices: readonly [T, ...T[]], seed: number): T {
  return choices[seed % choices.length] ?? choices[0];
}

/** Adds up rounds. */
export class Tally {
  #rounds = 0;
  #kills = 0;
  #cuts = 0;
  #failures = 0;
  #acknowledged = 0;
  #toldAgain = 0;
  readonly #found = new Map<string, number>();

  add({ mode, kills, cuts, acknowledged, toldAgain, findings }: Round): void {
    this.#rounds += 1;
    this.#kills += kills;
    this.#cuts += cuts;
    this.#failures += mode === "failure" ? 1 : 0;
    this.#acknowledged += acknowledged;
    this.#toldAgain += toldAgain;
    for (const { check } of findings) this.#found.set(check, (this.#found.get(check) ?? 0) + 1);
  }

  get isClean(): boolean {
    return this.#found.size === 0;
  }

  /** One line: what was done, what was lost. */
  get summary(): string {
    const of = (...checks: readonly string[]): number => checks.reduce((sum, check) => sum + (this.#found.get(check) ?? 0), 0);
    const lost = of(CHECKS.kept, CHECKS.settled, CHECKS.bodies, CHECKS.groups);
    const duplicated = of(CHECKS.crossed, CHECKS.lease, CHECKS.once);
    const all = of(...this.#found.keys());
    return (
      `${this.#rounds} rounds, ${this.#kills} kills, ${this.#cuts} power cuts, ${this.#failures} failing disks, ` +
      `${this.#acknowledged} acknowledged; lost ${lost}, duplicated ${duplicated}, other findings ${all - lost - duplicated}; ${this.#toldAgain} told again`
    );
  }
}
