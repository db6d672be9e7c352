import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { randomBelow, type Random, seededRandom } from "../../src/base/index.ts";
import { CHECKS, type Finding } from "./checks.ts";
import { History } from "./history.ts";
import { parseJournal } from "./journal.ts";
import { live, type Life, type LifeOptions } from "./lives.ts";
import { type Failing, powerEnvironment } from "./power-layer.ts";
import { PowerDisk, type PowerRecord, readPowerLog, writeCut } from "./power-log.ts";

export interface Round {
  readonly mode: "kill" | "failpoint" | "power" | "failure";
  /** Lives ended by SIGKILL. */
  readonly kills: number;
  /** Disks looked at as a power cut left them. */
  readonly cuts: number;
  readonly acknowledged: number;
  /** Messages that say again what another one said, where that is allowed. */
  readonly toldAgain: number;
  readonly findings: readonly Finding[];
}

export interface RoundOptions {
  readonly seed: number;
  /** Runs on an engine that was changed so. */
  readonly mutation?: string | undefined;
}

/** Opens a folder nobody uses any more, and says what is not as the history says it must be. */
export type Inspect = (folder: string, history: History) => Promise<Finding[]>;

/** Lines a life says at most before it ends. */
const LINES_MAX = 250;
export const LINES_MIN = 40;

/** Runs a round in a temporary folder. */
export async function inFolder(
  mode: Round["mode"],
  options: RoundOptions,
  inspect: Inspect,
  body: (round: OpenRound) => Promise<Round>,
): Promise<Round> {
  const place = mkdtempSync(join(tmpdir(), "lambent-crash-"));
  try {
    return await body(new OpenRound(mode, options, inspect, place));
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}

export class OpenRound {
  readonly random: Random;
  readonly folder: string;
  readonly history = new History();
  readonly #mode: Round["mode"];
  readonly #options: RoundOptions;
  readonly #inspect: Inspect;
  readonly #place: string;
  /** What the layer logs: the data folder's own name is part of it. */
  readonly #disk: string;
  readonly #found: Finding[] = [];
  #lives = 0;
  /** Entries of the logged journal that the history has. */
  #heard = 0;
  #kills = 0;
  #cuts = 0;

  constructor(mode: Round["mode"], options: RoundOptions, inspect: Inspect, place: string) {
    this.#inspect = inspect;
    this.#mode = mode;
    this.#options = options;
    this.#place = place;
    this.#disk = join(place, "disk");
    this.folder = join(this.#disk, "data");
    mkdirSync(this.#disk);
    this.random = seededRandom(options.seed);
  }

  get powerLog(): string {
    return join(this.#place, "power.log");
  }

  get journalFile(): string {
    return join(this.#disk, "journal");
  }

  someLines(): number {
    return LINES_MIN + randomBelow(this.random, LINES_MAX - LINES_MIN);
  }

  /** The environment of a life on the layer that logs its writes; all lives of a round have one log. */
  power(failing?: Failing): Record<string, string> {
    return powerEnvironment(this.#disk, this.powerLog, failing);
  }

  /**
   * One life, ended from outside (`killAtLine`), or by itself behind `lines` of a journal that is a logged file. Resolves with
   * how many lines it said to us.
   */
  async life(
    how: Pick<LifeOptions, "environment" | "killAtLine"> & { readonly lines?: number; readonly how?: "kill" | "close" },
  ): Promise<number> {
    const journal = how.lines === undefined ? {} : { journal: this.journalFile, end: { lines: how.lines, how: how.how ?? "kill" } };
    const plan = { folder: this.folder, seed: this.#options.seed + ++this.#lives, producers: this.history.producers(), ...journal };
    const life = await live({ plan, mutation: this.#options.mutation, ...how });
    this.#note(life, how.lines !== undefined);
    return life.said.split("\n").length - 1;
  }

  #note({ said, ending }: Life, onLayer: boolean): void {
    if (ending.kind === "killed") this.killed();
    if (ending.kind === "failed") this.find(CHECKS.ends, ending.why);
    this.history.add(parseJournal(said));
    // A life on the layer says nothing here; what it said is in the log, and needed before the next one begins.
    if (onLayer) this.#readJournal();
  }

  /** A life ended by SIGKILL. */
  killed(): void {
    this.#kills += 1;
  }

  #readJournal(): void {
    let said = "";
    for (const record of readPowerLog(this.powerLog)) if (isJournal(record)) said += record.bytes.toString("utf8");
    this.history.add(parseJournal(said).slice(this.#heard));
    this.#heard = parseJournal(said).length;
  }

  find(check: Finding["check"], what: string): void {
    this.#found.push({ check, what });
  }

  /** Looks at what the last life left. */
  inspect(): Promise<Finding[]> {
    return this.#inspect(this.folder, this.history);
  }

  /** Looks at `count` disks: one as the log leaves it, the others cut at random moments before. */
  async inspectCuts(count: number): Promise<Finding[]> {
    const records = readPowerLog(this.powerLog);
    const moments = Array.from({ length: count - 1 }, () => randomBelow(this.random, records.length)).toSorted(
      (left, right) => left - right,
    );
    const disk = new PowerDisk(this.#disk);
    const findings: Finding[] = [];
    let said = "";
    let applied = 0;
    for (const moment of [...moments, records.length]) {
      for (const record of records.slice(applied, moment)) {
        if (isJournal(record)) said += record.bytes.toString("utf8");
        else disk.apply(record);
      }
      applied = moment;
      const target = join(this.#place, `cut-${++this.#cuts}`);
      writeCut(disk.cut(this.random), this.#disk, target);
      const heard = new History();
      heard.add(parseJournal(said));
      const at = `after ${moment} of ${records.length} writes and syncs: `;
      for (const { check, what } of await this.#inspect(join(target, "data"), heard)) findings.push({ check, what: at + what });
      rmSync(target, { recursive: true, force: true });
    }
    return findings;
  }

  end(findings: readonly Finding[]): Round {
    return {
      mode: this.#mode,
      kills: this.#kills,
      cuts: this.#cuts,
      acknowledged: this.history.acknowledged,
      toldAgain: this.history.objects.toldAgain,
      findings: [...this.#found, ...this.history.findings, ...findings],
    };
  }
}

const isJournal = ({ operation, path }: PowerRecord): boolean => operation === "W" && path.endsWith("/disk/journal");
