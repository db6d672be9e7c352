import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { crc32, deflateSync, inflateSync } from "node:zlib";
import { type GetObjectCommandOutput, S3, waitUntilObjectExists } from "@aws-sdk/client-s3";
import { CommandWorld } from "../../packages/platform/test/support/command-world.ts";
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

interface Picture {
  readonly width: number;
  readonly height: number;
  /** Red, green, blue, opacity of each pixel, row by row. */
  readonly pixels: readonly (readonly number[])[];
}

/** Uploads a picture, waits for its thumbnail and reads it. */
async function thumbnailOf(Key: string, Body: Buffer): Promise<Picture & Pick<GetObjectCommandOutput, "Metadata" | "ContentType">> {
  await s3.putObject({ Bucket: "example-pictures", Key, Body });
  const small = { Bucket: "example-thumbnails", Key };
  await waitUntilObjectExists({ client: s3, minDelay: 0.01, maxDelay: 0.05, maxWaitTime: PATIENCE_S }, small);
  const { Body: stored, Metadata, ContentType } = await s3.getObject(small);
  return { ...readPng(Buffer.from((await stored?.transformToByteArray()) ?? [])), Metadata, ContentType };
}

/** Reads what this example writes: RGBA, each row as the difference to the one above. */
function readPng(file: Buffer): Picture {
  const [width, height] = [file.readUInt32BE(16), file.readUInt32BE(20)];
  const begin = file.indexOf("IDAT") + 4;
  const raw = inflateSync(file.subarray(begin, begin + file.readUInt32BE(begin - 8)));
  const above = new Uint8Array(width * 4);
  const pixels = Array.from({ length: height }, (_, y) => {
    const row = raw.subarray(y * (width * 4 + 1), (y + 1) * (width * 4 + 1));
    assert.equal(row[0], 2);
    row.subarray(1).forEach((byte, x) => (above[x] = byte + (above[x] ?? 0)));
    return Array.from({ length: width }, (__, x) => [...above.subarray(x * 4, x * 4 + 4)]);
  });
  return { width, height, pixels: pixels.flat() };
}

/** A PNG whose rows are filtered in turn in each of the five ways. `at` says the channels of a pixel. */
function writePng(width: number, height: number, colour: number, at: (x: number, y: number) => readonly number[], extra = Buffer.alloc(0)) {
  const step = at(0, 0).length;
  const rows = Array.from({ length: height }, (_, y) => Array.from({ length: width }, (__, x) => at(x, y)).flat());
  const filtered = rows.map((row, y) => {
    const above = rows[y - 1] ?? [];
    const guesses = row.map((_, x) => guess(y % 5, row[x - step] ?? 0, above[x] ?? 0, above[x - step] ?? 0));
    return [y % 5, ...row.map((byte, x) => (byte - (guesses[x] ?? 0)) & 255)];
  });
  const header = Buffer.from([0, 0, width >> 8, width & 255, 0, 0, height >> 8, height & 255, 8, colour, 0, 0, 0]);
  const body = chunk("IDAT", deflateSync(Buffer.from(filtered.flat())));
  return Buffer.concat([Buffer.from("\x89PNG\r\n\x1a\n", "latin1"), chunk("IHDR", header), extra, body, chunk("IEND", Buffer.alloc(0))]);
}

function guess(filter: number, left: number, up: number, corner: number): number {
  const nearest = [left, up, corner].toSorted((one, other) => Math.abs(left + up - corner - one) - Math.abs(left + up - corner - other));
  return [0, left, up, Math.floor((left + up) / 2), nearest[0] ?? 0][filter] ?? 0;
}

function chunk(type: string, data: Buffer): Buffer {
  const named = Buffer.concat([Buffer.from(type), data]);
  const ends = Buffer.alloc(8);
  ends.writeUInt32BE(data.length, 0);
  ends.writeUInt32BE(crc32(named), 4);
  return Buffer.concat([ends.subarray(0, 4), named, ends.subarray(4)]);
}

test("one document brings the buckets, the function and the trigger between them", () => {
  assert.equal(deployed.exit, 0, deployed.err);
  assert.match(deployed.out, /example-pictures\/\S+ → example-thumbnail {3}trigger by uploads created/u);
});

test("the picture of the example gets a thumbnail of its shape, under its own key", async () => {
  const small = await thumbnailOf("summer photos/Zürich+1.png", readFileSync(join(import.meta.dirname, "sunset.png")));
  assert.deepEqual([small.width, small.height, small.ContentType], [128, 80, "image/png"]);
  assert.deepEqual(small.Metadata, { "original-size": "640x400" });
  const [sky = [], sea = []] = [small.pixels[0], small.pixels.at(-1)];
  assert.ok((sky[2] ?? 0) > (sky[0] ?? 0) && (sea[2] ?? 0) > (sea[0] ?? 0), "the sky and the sea are blue");
});

test("each pixel of a thumbnail is the mean of those it stands for", async () => {
  const at = (x: number, y: number): number[] => [(x * 7 + y * 3) & 255, (x * y) & 255, (255 - x) & 255];
  const { width, height, pixels } = await thumbnailOf("mean.png", writePng(256, 64, 2, at));
  assert.deepEqual([width, height], [128, 32]);
  const mean = (x: number, y: number): number[] => {
    const four = [at(2 * x, 2 * y), at(2 * x + 1, 2 * y), at(2 * x, 2 * y + 1), at(2 * x + 1, 2 * y + 1)];
    return [0, 1, 2].map((channel) => Math.round(four.reduce((sum, each) => sum + (each[channel] ?? 0), 0) / 4));
  };
  assert.deepEqual(
    pixels,
    Array.from({ length: 128 * 32 }, (_, index) => [...mean(index % 128, Math.floor(index / 128)), 255]),
  );
});

test("what cannot be seen has no colour to give, and small pictures stay as they are", async () => {
  // Grey with opacity: white that is seen beside black that is not.
  const seen = await thumbnailOf(
    "seen.png",
    writePng(256, 2, 4, (x) => (x % 2 === 0 ? [255, 255] : [0, 0])),
  );
  assert.deepEqual([seen.width, seen.height], [128, 1]);
  assert.ok(seen.pixels.every((pixel) => pixel.join() === "255,255,255,128"));
  // A palette of two, the second one half transparent.
  const palette = Buffer.concat([chunk("PLTE", Buffer.from([1, 2, 3, 40, 50, 60])), chunk("tRNS", Buffer.from([255, 128]))]);
  const small = await thumbnailOf(
    "palette.png",
    writePng(2, 1, 3, (x) => [x], palette),
  );
  assert.deepEqual(small.pixels, [
    [1, 2, 3, 255],
    [40, 50, 60, 128],
  ]);
});

test("what is no picture is tried three times and said to be none, and what comes behind it is handled", async () => {
  await s3.putObject({ Bucket: "example-pictures", Key: "letter.png", Body: "Dear Sir or Madam" });
  assert.equal(
    (
      await thumbnailOf(
        "after.png",
        writePng(1, 1, 0, () => [7]),
      )
    ).width,
    1,
  );
  for (const giveUpAt = performance.now() + PATIENCE_S * 1_000; ;) {
    const { out } = await lambent.run("events", "--state", "ended", "--json");
    const failed = (JSON.parse(out) as { readonly AttemptCount: number; readonly Outcome: string }[]).filter(
      ({ Outcome }) => Outcome !== "handled",
    );
    if (failed.length > 0) {
      assert.equal(failed[0]?.AttemptCount, 3);
      break;
    }
    assert.ok(performance.now() < giveUpAt, `the letter's event has not ended: ${out}`);
  }
  assert.match((await lambent.run("logs", "example-thumbnail")).out, /this is no PNG/u);
});

test("a server that is killed behind the uploads makes their thumbnails when it is back", async (t) => {
  const world = new CommandWorld();
  await world.start();
  t.after(() => world.stop());
  await world.run("deploy", import.meta.dirname);
  const names = Array.from({ length: 4 }, (_, index) => `${index}.png`);
  const album = join(world.folder, "album");
  mkdirSync(album);
  for (const name of names)
    writeFileSync(
      join(album, name),
      writePng(200, 100, 0, () => [9]),
    );
  await world.run("objects", "cp", "--recursive", album, "example-pictures:album/");
  await world.kill();
  await world.start();
  for (const giveUpAt = performance.now() + PATIENCE_S * 1_000; ;) {
    const listed = await world.run("objects", "ls", "example-thumbnails", "--recursive");
    if (names.every((name) => listed.includes(`album/${name}`))) break;
    assert.ok(performance.now() < giveUpAt, `thumbnails are missing: ${listed}`);
  }
});
