import { CAMPAIGN_SCHEDULE, type Planned, Tally } from "./schedule.ts";

/** Rounds at once: each is a process that works and one that looks. */
const ROUNDS_AT_ONCE = 2;
/** Rounds between two lines of progress. */
const PROGRESS_ROUNDS = 50;
const FINDINGS_TOLD_MAX = 10;

export interface Campaign {
  /** The first round's; the following ones count on. */
  readonly seed: number;
  /** Takes only rounds whose name has this in it. */
  readonly only?: string;
  goesOn(roundsBegun: number): boolean;
  progress(text: string): void;
}

/** Goes through the schedule until `goesOn` says no. A finding is told at once, with what repeats its round. */
export async function runCampaign({ seed, only = "", goesOn, progress }: Campaign): Promise<Tally> {
  const schedule = CAMPAIGN_SCHEDULE.filter(({ name }) => name.includes(only));
  if (schedule.length === 0)
    throw new TypeError(`no round is called ${only}; there are: ${CAMPAIGN_SCHEDULE.map(({ name }) => name).join(", ")}`);
  const tally = new Tally();
  let begun = 0;
  let done = 0;
  const work = async (): Promise<void> => {
    while (goesOn(begun)) {
      const number = begun++;
      const planned = schedule[number % schedule.length] as Planned;
      const round = await planned.run({ seed: seed + number });
      tally.add(round);
      for (const { check, what } of round.findings.slice(0, FINDINGS_TOLD_MAX)) progress(`${planned.name}: ${check}: ${what}`);
      if (round.findings.length > 0) progress(`  again: npm run crash -- --rounds 1 --seed ${seed + number} --only "${planned.name}"`);
      if (++done % PROGRESS_ROUNDS === 0) progress(tally.summary);
    }
  };
  await Promise.all(Array.from({ length: ROUNDS_AT_ONCE }, work));
  return tally;
}
