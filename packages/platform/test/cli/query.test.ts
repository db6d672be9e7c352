/** `lambent query` and `lambent plot` against a real server. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { Kinesis } from "@aws-sdk/client-kinesis";
import { parquetReadObjects } from "hyparquet";
import { EXIT_CODES } from "../../src/cli/exit-codes.ts";
import { CommandWorld } from "../support/command-world.ts";

const world = new CommandWorld("--pool", "0", "--no-kafka");
const READINGS = [
  { device: "a", celsius: 20.5 },
  { device: "b", celsius: 19 },
  { device: "a", celsius: 22.5 },
  { device: "b", celsius: null },
];

before(async () => {
  await world.start();
  const variables = JSON.parse(await world.run("env", "--json")) as Record<string, string>;
  const kinesis = new Kinesis({
    endpoint: variables["AWS_ENDPOINT_URL"] ?? "",
    region: "us-east-1",
    credentials: { accessKeyId: variables["AWS_ACCESS_KEY_ID"] ?? "", secretAccessKey: variables["AWS_SECRET_ACCESS_KEY"] ?? "" },
  });
  await kinesis.createStream({ StreamName: "readings", ShardCount: 1 });
  await kinesis.putRecords({
    StreamName: "readings",
    Records: READINGS.map((each) => ({ PartitionKey: each.device, Data: Buffer.from(JSON.stringify(each)) })),
  });
  kinesis.destroy();
});
after(() => world.stop());

test("a query of a stream is a table, CSV, JSON, or a file of the format that its name ends with", async () => {
  const sql = "select device, count(*) as n, avg(celsius) as mean from readings group by device order by device";
  assert.equal(await world.run("query", sql), "device  n  mean\na       2  21.5\nb       2    19\n");
  assert.equal(await world.run("query", sql, "--format", "csv"), "device,n,mean\r\na,2,21.5\r\nb,2,19\r\n");
  const rows = [
    { device: "a", n: 2, mean: 21.5 },
    { device: "b", n: 2, mean: 19 },
  ];
  const whole = JSON.parse(await world.run("query", sql, "--json")) as {
    readonly columns: string[];
    readonly cells: unknown[];
    readonly tables: { readonly stream: string; readonly records: number }[];
  };
  assert.deepEqual(
    [whole.columns, whole.cells, whole.tables[0]?.records],
    [["device", "n", "mean"], rows.map((row) => Object.values(row)), 4],
  );
  const out = join(world.folder, "rows.parquet");
  assert.equal(await world.run("query", sql, "--out", out), "");
  const bytes = readFileSync(out);
  const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length);
  assert.deepEqual(
    await parquetReadObjects({ file }),
    rows.map((row) => ({ ...row, n: BigInt(row.n) })),
  );
});

test("what cannot be asked is one line, with what there is", async () => {
  assert.match(
    await world.refused(EXIT_CODES.usage, "query", "select heat from readings"),
    /no such column: heat; readings has partition, offset, time, key, value, headers, device, celsius\.\n/u,
  );
  assert.match(await world.refused(EXIT_CODES.notFound, "query", "select * from reading"), /There is no stream reading in this account/u);
  assert.match(
    await world.refused(EXIT_CODES.usage, "query", "select 1", "--last", "5", "--from-start"),
    /--last and --from-start exclude each other/u,
  );
  assert.match(await world.refused(EXIT_CODES.usage, "plot", "readings"), /--y value/u);
  assert.match(await world.refused(EXIT_CODES.usage, "plot", "select device, key from readings"), /No column beside device holds numbers/u);
});

test("a stream is drawn in the terminal, and a query into a file", async () => {
  const drawn = await world.run("plot", "readings", "--y", "celsius", "--by", "device", "--since", "1h");
  assert.match(drawn, /┤[\s\S]*└[─┬]+\n[\s\S]* time \(UTC\)\n *a a\n *b b\n$/u);
  const out = join(world.folder, "chart.svg");
  await world.run(
    "plot",
    'select device, max(celsius) as "the <highest>" from readings group by device',
    "--kind",
    "bar",
    "--out",
    out,
    "--width",
    "500",
  );
  assert.match(readFileSync(out, "utf8"), /^<svg [^>]*width="500"[\s\S]*<title>the &lt;highest&gt;<\/title>/u);
});
