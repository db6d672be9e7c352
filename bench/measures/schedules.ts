/**
 * Schedules that are due in the same second, and at the same instant: how long after it is due each one's handler is entered. Those of a round
 * are made some seconds before and go with their only occurrence.
 */
import { deployAll } from "../support/application.ts";
import { Connection } from "../support/connection.ts";
import type { Sample } from "../support/pair.ts";
import { BenchServer } from "../support/server.ts";

export const DUE_TOGETHER = 1_000;
/** Until all are made, and the look ahead has nothing to catch up with. */
const AHEAD_MS = 6_000;
const CONNECTIONS = 32;
const ACCOUNT = "000000000000";
/** Calls one instance takes at once: enough for all of them. */
const CONCURRENCY = 1_000;

const FILES = {
  "index.mjs": `
let entered = [];
export const handler = async (event) => {
  if (!event.read) return void entered.push(performance.timeOrigin + performance.now() - event.due);
  const all = entered;
  entered = [];
  return all;
};`,
};

export interface SchedulesResult {
  /** Due all over one second: from when each is due to its handler, p95 ms. */
  readonly spread: readonly Sample[];
  /** Due at the same instant. */
  readonly together: readonly Sample[];
  /** Of the earliest of all, ms; below 0 it would have been early. */
  readonly earliestMs: number;
}

export async function measureSchedules(rounds: number): Promise<SchedulesResult> {
  const server = await BenchServer.start();
  try {
    await deployAll(server, { worker: { runtime: "nodejs24.x", files: FILES, concurrency: CONCURRENCY } });
    const result = { spread: [] as Sample[], together: [] as Sample[], earliestMs: Number.POSITIVE_INFINITY };
    // The first round wakes the function up.
    for (let round = -1; round < rounds; round++) {
      for (const [kind, apartMs] of [
        ["spread", 1_000 / DUE_TOGETHER],
        ["together", 0],
      ] as const) {
        const { all, cpuMs } = await dueIn(server, `${kind}-${round}`, apartMs);
        const late = all.toSorted((left, right) => left - right);
        result.earliestMs = Math.min(result.earliestMs, late[0] ?? Number.NaN);
        const at = (share: number): number => late[Math.ceil(late.length * share) - 1] ?? Number.NaN;
        if (round >= 0)
          result[kind].push({ value: at(0.95), details: { "p50 ms": at(0.5), "max ms": at(1), "CPU ms of the server": cpuMs } });
      }
    }
    return result;
  } finally {
    await server.stop();
  }
}

async function dueIn(server: BenchServer, name: string, apartMs: number): Promise<{ readonly all: number[]; readonly cpuMs: number }> {
  const from = Math.ceil((Date.now() + AHEAD_MS) / 1_000) * 1_000;
  await Promise.all(
    Array.from({ length: CONNECTIONS }, (_, first) => make(server, name, first, (index) => from + Math.floor(index * apartMs))),
  );
  const cpuBefore = server.cpuMs().server;
  // Nothing asks while they are due: that would be measured too.
  await new Promise((resolve) => setTimeout(resolve, from + 2_000 - Date.now()));
  const cpuMs = server.cpuMs().server - cpuBefore;
  const all: number[] = [];
  while (all.length < DUE_TOGETHER) {
    const { body } = await server.call("lambda", "POST", "/2015-03-31/functions/worker/invocations", '{"read":true}');
    all.push(...(JSON.parse(body) as number[]));
  }
  await server.isQuiet();
  return { all, cpuMs };
}

/** Makes every one of a connection's share. */
async function make(server: BenchServer, name: string, first: number, dueOf: (index: number) => number): Promise<void> {
  const connection = await Connection.open(server.port);
  for (let index = first; index < DUE_TOGETHER; index += CONNECTIONS) {
    const { status, body } = await connection.send(
      server.signed("scheduler", "POST", `/schedules/${name}-${index}`, requestOf(dueOf(index))),
    );
    if (status !== 200) throw new TypeError(`CreateSchedule was answered ${status}: ${body}`);
  }
  connection.close();
}

/** A rate has its first occurrence at its start, to the millisecond; none follows before its end. */
function requestOf(due: number): string {
  return JSON.stringify({
    ScheduleExpression: "rate(1 day)",
    StartDate: due / 1_000,
    EndDate: (due + 1_000) / 1_000,
    FlexibleTimeWindow: { Mode: "OFF" },
    ActionAfterCompletion: "DELETE",
    Target: {
      Arn: `arn:aws:lambda:us-east-1:${ACCOUNT}:function:worker`,
      RoleArn: `arn:aws:iam::${ACCOUNT}:role/bench`,
      Input: JSON.stringify({ due }),
    },
  });
}
