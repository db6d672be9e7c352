import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { S3, waitUntilObjectExists } from "@aws-sdk/client-s3";
import { startLambent } from "../../packages/platform/test/support/lambent-process.ts";

// A minute between attempts is 60 ms.
process.env["LAMBENT_RETRY_TIME_FACTOR"] = "0.001";
const lambent = await startLambent();
after(() => lambent.stop());
const deployed = await lambent.run("deploy", import.meta.dirname);
const { AWS_ACCESS_KEY_ID: accessKeyId = "", AWS_SECRET_ACCESS_KEY: secretAccessKey = "" } = await lambent.awsEnvironment();
const s3 = new S3({ endpoint: lambent.url, region: "us-east-1", credentials: { accessKeyId, secretAccessKey } });
after(() => s3.destroy());

/** Long enough for a loaded machine; nothing waits for it but a failure. */
const PATIENCE_S = 30;
const MEASURES = ["pressure", "temperature", "wind"] as const;
const csv = readFileSync(join(import.meta.dirname, "seattle-hourly-q1.csv"), "utf8");

type Means = { readonly day?: string; readonly month?: string; readonly hours: number } & Readonly<
  Record<(typeof MEASURES)[number], number>
>;

async function upload(name: string, Body: string): Promise<void> {
  await s3.putObject({ Bucket: "example-weather-uploads", Key: `hourly/${name}.csv`, Body });
}

/** The lines of a result, once the last result of its file is there. */
async function linesOf<Line>(kind: "rows" | "daily" | "monthly" | "rejected", name: string): Promise<readonly Line[]> {
  const of = (folder: string) => ({ Bucket: "example-weather", Key: `${folder}/${name}.jsonl` });
  await waitUntilObjectExists({ client: s3, minDelay: 0.01, maxDelay: 0.05, maxWaitTime: PATIENCE_S }, of("monthly"));
  const text = (await (await s3.getObject(of(kind))).Body?.transformToString()) ?? "";
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Line);
}

/** Rows of the file by the first `characters` of their time; figures in tenths, so that adding them up is exact. */
function groups(characters: number): Map<string, number[][]> {
  const rows = csv.trim().split("\n").slice(1);
  const tenths = (row: string): number[] =>
    row
      .split(",")
      .slice(1)
      .map((figure) => Math.round(Number(figure) * 10));
  const found = new Map<string, number[][]>();
  for (const row of rows) found.set(row.slice(0, characters), [...(found.get(row.slice(0, characters)) ?? []), tenths(row)]);
  return found;
}

function assertMeans(answered: readonly Means[], expected: Map<string, number[][]>, span: "day" | "month"): void {
  assert.deepEqual(
    answered.map((each) => [each[span], each.hours]),
    [...expected].map(([value, hours]) => [value, hours.length]),
  );
  for (const each of answered)
    MEASURES.forEach((measure, column) => {
      const hours = expected.get(each[span] ?? "") ?? [];
      const exact = hours.reduce((sum, hour) => sum + (hour[column] ?? 0), 0) / hours.length / 10;
      assert.ok(Math.abs(each[measure] - exact) <= 0.005 + 1e-9, `${each[span]}: ${measure} is ${each[measure]}, should be ${exact}`);
    });
}

test("one document brings the buckets, the function and the trigger between them", () => {
  assert.equal(deployed.exit, 0, deployed.err);
  assert.match(deployed.out, /example-weather-uploads\/\S+ → example-etl {3}trigger by uploads created/u);
});

test("a quarter of a year is uploaded: every row is there, and the means of its days and months", async () => {
  await upload("seattle-hourly-q1", csv);
  const rows = await linesOf<{ readonly time: string; readonly temperature: number }>("rows", "seattle-hourly-q1");
  assert.equal(rows.length, 31 * 24 - 1 + 28 * 24 + 31 * 24);
  assert.deepEqual(rows[0], { time: "2010-01-01T01:00:00", pressure: 1016.6, temperature: 4, wind: 3.8 });
  const daily = await linesOf<Means>("daily", "seattle-hourly-q1");
  assert.equal(daily.length, 90);
  assertMeans(daily, groups("2010-01-01".length), "day");
  const monthly = await linesOf<Means>("monthly", "seattle-hourly-q1");
  assertMeans(monthly, groups("2010-01".length), "month");
  assert.deepEqual(await linesOf("rejected", "seattle-hourly-q1"), []);
});

test("rows that cannot be read are listed with the reason, and the others count", async () => {
  await upload(
    "some",
    "date,pressure,temperature,wind\n2010-01-01T01:00:00,1016.6,4.0,3.8\nyesterday,1,2,3\n2010-01-01T02:00:00,1016.6,,3.8\n",
  );
  assert.deepEqual(await linesOf("monthly", "some"), [{ month: "2010-01", hours: 1, pressure: 1016.6, temperature: 4, wind: 3.8 }]);
  const rejected = await linesOf<{ readonly line: number; readonly reason: string }>("rejected", "some");
  assert.deepEqual(
    rejected.map(({ line }) => line),
    [3, 4],
  );
  assert.match(rejected[0]?.reason ?? "", /yesterday/u);
  assert.match(rejected[1]?.reason ?? "", /temperature is ''/u);
});

test("a file of another form fails with the columns it lacks, and one elsewhere in the bucket starts nothing", async () => {
  await s3.putObject({ Bucket: "example-weather-uploads", Key: "notes.csv", Body: csv });
  await upload("other", "name,price\ntea,3\n");
  for (const giveUpAt = performance.now() + PATIENCE_S * 1_000; ;) {
    const { out } = await lambent.run("logs", "example-etl");
    if (/ValueError: hourly\/other\.csv has no column date, pressure, temperature, wind/u.test(out)) {
      assert.doesNotMatch(out, /notes\.csv/u);
      break;
    }
    assert.ok(performance.now() < giveUpAt, `nothing failed: ${out}`);
  }
});
