/**
 * Object storage: a gigabyte up and down beside a synced copy of the file; small objects beside one write and fdatasync after the other;
 * a bucket with a million objects; upload → the handler of a function that the bucket notifies.
 *
 * `npm run bench -- objects [--rounds n] [--bytes n] [--objects n] [--only large,small,many,trigger]`; measures/objects-*.ts say how.
 */
import { parseArgs } from "node:util";
import { measureLarge, measureParts, PART_BYTES, PARTS_AT_ONCE } from "./measures/objects-large.ts";
import { measureMany, PAGE } from "./measures/objects-many.ts";
import { CONNECTIONS, measureRequests, measureStoring, OBJECT_BYTES } from "./measures/objects-small.ts";
import { measureUploadTrigger } from "./measures/objects-trigger.ts";
import { BUDGETS } from "./support/budgets.ts";
import { describeMachine, reportFigure, reportNotMeasured, reportPair, reportSamples } from "./support/report.ts";

const { values } = parseArgs({
  options: { rounds: { type: "string" }, bytes: { type: "string" }, objects: { type: "string" }, only: { type: "string" } },
});
const rounds = Number(values.rounds ?? 5);
const bytes = Number(values.bytes ?? 2 ** 30);
const objects = Number(values.objects ?? 1_000_000);
const asked = new Set(values.only?.split(",") ?? ["large", "small", "many", "trigger"]);
const COPY = "copy, synced";
const FDATASYNC = "fdatasync, one at a time";

describeMachine(`${CONNECTIONS} connections`);
if (asked.has("large")) {
  const size = `${(bytes / 2 ** 20).toLocaleString("en-US")} MiB`;
  const { put, get } = await measureLarge(rounds, bytes);
  for (const [name, { rate, memory }] of [["PutObject", put] as const, ["GetObject", get] as const]) {
    reportPair(`${size}: ${name}`, "MB/s", rate, BUDGETS.largeBodies, COPY);
    reportFigure(`${size}: ${name}, the most memory of the server above idle`, "MB", memory, BUDGETS.largeBodiesMb);
  }
  const { rate, memory } = await measureParts(Math.min(rounds, 3), bytes);
  console.log(`${size} in parts of ${PART_BYTES / 2 ** 20} MiB, ${PARTS_AT_ONCE} at once; no budget`);
  reportSamples("ours             ", "MB/s", rate.ours);
  reportSamples(`${COPY}     `, "MB/s", rate.bound);
  reportSamples("memory above idle", "MB", memory);
  console.log(`  ratio ${rate.ratio.toFixed(3)}\n`);
}
if (asked.has("small")) {
  const options = { rounds, roundMs: 1_500, warmUpMs: 2_000 };
  const stored = await measureStoring(options);
  reportPair(`${OBJECT_BYTES} bytes, put in process by ${CONNECTIONS} writers`, "puts/s", stored, BUDGETS.smallObjects, FDATASYNC);
  const { puts, gets } = await measureRequests(options);
  reportFigure(`${OBJECT_BYTES} bytes, PutObject`, "puts/s", puts.ours, BUDGETS.smallPuts, { name: FDATASYNC, samples: puts.bound });
  reportFigure(`${OBJECT_BYTES} bytes, GetObject`, "gets/s", gets.ours, BUDGETS.smallGets, { name: "bare node:http", samples: gets.bound });
}
if (asked.has("many")) {
  const many = await measureMany(objects, { rounds: Math.min(rounds, 3), roundMs: 1_000 });
  console.log(`${objects.toLocaleString("en-US")} objects in one bucket\n`);
  reportFigure(`a page of ${PAGE} objects in process, p50`, "ms", many.pageInProcess, BUDGETS.listMs);
  reportFigure(`a page of ${PAGE} objects, p50`, "ms", many.page, BUDGETS.listMs);
  reportFigure("a folder's page with its delimiter, p50", "ms", many.folderPage, BUDGETS.listMs);
  reportFigure(`a page of ${PAGE} folders, p50`, "ms", many.prefixesPage, BUDGETS.listMs);
  reportPair("GetObject", "gets/s", many.gets, BUDGETS.getAmongMany, "a bucket with ten");
}
if (asked.has("trigger"))
  reportFigure("upload → handler entered, idle server, p50", "ms", await measureUploadTrigger(rounds), BUDGETS.uploadToHandlerMs);
reportNotMeasured(
  "signing, which is the client's work",
  "buckets with versions or notifications under load",
  "several large bodies at once",
  "other disks than that of the temporary folder",
  "other object stores: none that keeps durably is at hand",
);
