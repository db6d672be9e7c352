/**
 * `lambent start` on a data folder that exists and is empty of functions: from the spawn to the ready line, and the memory of all
 * its processes once the pool is full. The start before the first measured one makes the folder and the compile cache.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compare, type PairResult, type Sample } from "../support/pair.ts";
import { commandMs } from "../support/processes.ts";
import { BenchServer } from "../support/server.ts";

export interface BootResult {
  /** Milliseconds, beside `node -e 0`: no budget compares them, it shows the share that is Node's own. */
  readonly ready: PairResult;
  /** Memory, MB. */
  readonly idle: readonly Sample[];
}

export async function measureBoot(rounds: number): Promise<BootResult> {
  const folder = mkdtempSync(join(tmpdir(), "lambent-bench-"));
  const samples = { ours: [] as Sample[], bound: [] as Sample[], idle: [] as Sample[] };
  try {
    await (await BenchServer.start({ dataFolder: folder })).stop();
    for (let round = 0; round < rounds; round++) {
      const bound = async (): Promise<unknown> => samples.bound.push({ value: await commandMs(process.execPath, ["-e", "0"]) });
      if (round % 2 === 1) await bound();
      const { ready, idle } = await bootOnce(folder);
      samples.ours.push(ready);
      samples.idle.push(idle);
      if (round % 2 === 0) await bound();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return { ready: compare(samples.ours, samples.bound), idle: samples.idle };
}

async function bootOnce(folder: string): Promise<{ readonly ready: Sample; readonly idle: Sample }> {
  const server = await BenchServer.start({ dataFolder: folder });
  try {
    await server.poolIsReady();
    const { pssMb, serverPssMb, privateMb, processes } = server.memory();
    const details = { "server's own process": serverPssMb, "private pages of all": privateMb, processes };
    return { ready: { value: server.readyMs }, idle: { value: pssMb, details } };
  } finally {
    await server.stop();
  }
}
