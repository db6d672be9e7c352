/**
 * A bucket with many objects: pages of its listing, and single objects beside those of a bucket that has ten. The objects are put into
 * the data folder by the commits of their bucket's cell, many in each, while no server runs: their rows are those of an object that was put.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { NO_ATTRIBUTES } from "../../packages/platform/src/objects/index.ts";
import { bodyKey, currentKey, encodeInline, encodeVersion } from "../../packages/platform/src/objects/rows.ts";
import { Connection } from "../support/connection.ts";
import { answersPerSecond } from "../support/load.ts";
import { openObjects, WRITER } from "../support/objects-on-disk.ts";
import { compare, median, type PairResult, type Sample } from "../support/pair.ts";
import { BenchServer } from "../support/server.ts";

export const PAGE = 1_000;
const FOLDERS = 1_000;
const BODY = Buffer.alloc(100, "o");
const OBJECTS_PER_COMMIT = 200;
const COMMITS_AT_ONCE = 8;
const PAGES = 50;
const CONNECTIONS = 64;
const KEYS = 1_024;
const FEW = 10;

export interface ManyResult {
  /** p50 ms of a page over HTTP, one at a time: anywhere among the keys; within a folder, with the delimiter; of the folders. */
  readonly page: readonly Sample[];
  readonly folderPage: readonly Sample[];
  readonly prefixesPage: readonly Sample[];
  /** The first of them by `list` in this process. */
  readonly pageInProcess: readonly Sample[];
  /** Gets a second beside those of the bucket with ten. */
  readonly gets: PairResult;
}

export async function measureMany(
  objects: number,
  { rounds, roundMs }: { readonly rounds: number; readonly roundMs: number },
): Promise<ManyResult> {
  const folder = mkdtempSync(join(tmpdir(), "lambent-bench-"));
  let server: BenchServer | undefined;
  try {
    server = await BenchServer.start({ dataFolder: folder });
    for (const name of ["many", "few"]) await server.call("s3", "PUT", `/${name}`);
    for (let n = 0; n < FEW; n++) await server.call("s3", "PUT", `/few/object-${n}`, BODY.toString());
    await server.stop();
    server = undefined;
    const pageInProcess = await filled(folder, objects, rounds);
    server = await BenchServer.start({ dataFolder: folder });
    const samples = {
      page: [] as Sample[],
      folderPage: [] as Sample[],
      prefixesPage: [] as Sample[],
      many: [] as Sample[],
      few: [] as Sample[],
    };
    for (let round = 0; round <= rounds; round++) {
      const taken = {
        page: await listed(server, objects, PAGE, (key) => `start-after=${encodeURIComponent(key)}`),
        folderPage: await listed(
          server,
          objects,
          objects / FOLDERS,
          (key) => `delimiter=%2F&prefix=${encodeURIComponent(key.slice(0, key.indexOf("/") + 1))}`,
        ),
        prefixesPage: await listed(server, objects, FOLDERS, () => "delimiter=%2F"),
        many: await got(server, `/many/`, (n) => keyOf(Math.floor((objects / KEYS) * n), objects), roundMs),
        few: await got(server, `/few/`, (n) => `object-${n % FEW}`, roundMs),
      };
      if (round === 0) continue; // compiles what the rounds measure
      for (const name of ["page", "folderPage", "prefixesPage", "many", "few"] as const) samples[name].push(taken[name]);
    }
    const { page, folderPage, prefixesPage, many, few } = samples;
    return { page, folderPage, prefixesPage, pageInProcess, gets: compare(many, few) };
  } finally {
    await server?.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

function keyOf(n: number, objects: number): string {
  const perFolder = objects / FOLDERS;
  return `folder-${String(Math.floor(n / perFolder)).padStart(4, "0")}/object-${String(n % perFolder).padStart(6, "0")}`;
}

/** Fills the bucket `many` and lists it. */
async function filled(folder: string, objects: number, rounds: number): Promise<Sample[]> {
  const { bucket, close } = await openObjects(folder, "many");
  try {
    const put = await bucket.put(keyOf(0, objects), NO_ATTRIBUTES, { source: BODY, length: BODY.length }, { caller: WRITER });
    const rows = [currentKey, bodyKey].map((keyed) => ({ keyed, value: keyed === bodyKey ? encodeInline(BODY) : encodeVersion(put) }));
    let begun = 0;
    const writer = async (): Promise<void> => {
      while (begun < objects) {
        const first = begun;
        begun = Math.min(first + OBJECTS_PER_COMMIT, objects);
        const keys = Array.from({ length: begun - first }, (_, index) => keyOf(first + index, objects));
        await bucket.cell.outbox.writeRows(keys.flatMap((key) => rows.map(({ keyed, value }) => ({ key: keyed(key), value }))));
      }
    };
    await Promise.all(Array.from({ length: COMMITS_AT_ONCE }, writer));
    const samples: Sample[] = [];
    for (let round = 0; round <= rounds; round++) {
      const sample = await timed(async (n) => void (await bucket.list({ prefix: "", after: somewhere(n, objects), max: PAGE })));
      if (round > 0) samples.push(sample);
    }
    return samples;
  } finally {
    await close();
  }
}

const somewhere = (n: number, objects: number): string => keyOf(Math.floor(((objects - PAGE) / PAGES) * n), objects);

async function listed(server: BenchServer, objects: number, entries: number, query: (after: string) => string): Promise<Sample> {
  const connection = await Connection.open(server.port);
  try {
    return await timed(async (n) => {
      const request = server.signed("s3", "GET", `/many?list-type=2&max-keys=${PAGE}&${query(somewhere(n, objects))}`);
      const { status, body, ms } = await connection.send(request);
      if (status !== 200 || !body.includes(`<KeyCount>${entries}</KeyCount>`))
        throw new TypeError(`a listing was answered ${status} ${body.slice(0, 1_000)}`);
      return ms;
    });
  } finally {
    connection.close();
  }
}

/** p50 of `PAGES` pages, one after the other. */
async function timed(page: (n: number) => Promise<number | void>): Promise<Sample> {
  const times: number[] = [];
  for (let n = 0; n < PAGES; n++) {
    const began = performance.now();
    const told = await page(n);
    times.push(typeof told === "number" ? told : performance.now() - began);
  }
  return { value: median(times), details: { "max ms": Math.max(...times) } };
}

function got(server: BenchServer, path: string, keyed: (n: number) => string, durationMs: number): Promise<Sample> {
  const requests = Array.from({ length: KEYS }, (_, n) => server.signed("s3", "GET", path + keyed(n)));
  return answersPerSecond({ port: server.port, connections: CONNECTIONS, durationMs, requests, step: CONNECTIONS }, () => server.cpuMs());
}
