/** What docs/objects.md shows is so: its code runs, its events are those that are sent, its tables name everything there is. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { type CORSConfiguration, S3 } from "@aws-sdk/client-s3";
import { NOTIFICATION_EVENTS } from "../../../src/api/s3/notification-events.ts";
import { ManualClock, systemSecureRandom } from "../../../src/base/index.ts";
import type { BucketRecord, ObjectEvent } from "../../../src/objects/index.ts";
import { createNotifier } from "../../../src/sources/index.ts";
import { busWordsOf } from "../../../src/sources/objects/event-names.ts";
import { loadService } from "../../../src/wire/index.ts";
import { type RealServer, startServer } from "../../support/server.ts";

const document = readFileSync(new URL("../../../../../docs/objects.md", import.meta.url), "utf8");
const root = fileURLToPath(new URL("../../../../..", import.meta.url));
const run = promisify(execFile);

/** The fenced block whose fence says exactly this; there has to be one. */
function block(fence: string): string {
  const [found, another] = [...document.matchAll(new RegExp(`^\`\`\`${fence}\\n(.*?)\\n\`\`\`$`, "gmsu"))];
  assert.ok(found?.[1] !== undefined && another === undefined, `docs/objects.md has one block "${fence}"`);
  return found[1];
}

/** The lines of the table below a heading of its own. */
function tableWith(head: string): string {
  const begin = document.indexOf(head);
  assert.ok(begin >= 0, `docs/objects.md has a table "${head}"`);
  return document.slice(begin, document.indexOf("\n\n", begin));
}

describe("docs/objects.md: code", () => {
  let server: RealServer;
  let s3: S3;
  const folder = mkdtempSync(join(tmpdir(), "lambent-docs-"));
  before(async () => {
    server = await startServer();
    s3 = new S3({ endpoint: server.url, region: "us-east-1", credentials: server.key, maxAttempts: 1 });
    await s3.createBucket({ Bucket: "photos" });
  });
  after(async () => {
    s3.destroy();
    rmSync(folder, { recursive: true });
    await server.stop();
  });

  const python = async (code: string): Promise<string> =>
    (await run("python3", ["-c", code], { cwd: folder, env: { ...server.clientEnvironment } })).stdout;
  const stored = async (Key: string): Promise<string | undefined> =>
    (await s3.getObject({ Bucket: "photos", Key })).Body?.transformToString();

  test("boto3 stores a file and lists it", async () => {
    writeFileSync(join(folder, "cat.jpg"), "a cat");
    assert.equal(await python(block("python")), "2026/cat.jpg 5\n");
    assert.equal((await s3.headObject({ Bucket: "photos", Key: "2026/cat.jpg" })).ContentType, "image/jpeg");
  });

  test("the SDK for JavaScript stores an object that is not there yet, and reads a part of it", async () => {
    const code = ["--input-type=module", "-e", block("js")];
    const { stdout } = await run(process.execPath, code, { cwd: root, env: { ...server.clientEnvironment } });
    assert.equal(stdout, "hell\n");
  });

  test("a page of the origin that CORS allows uploads by link and by form, and nothing else than they allow", async () => {
    const cors = /put-bucket-cors .* '(?<json>.*)'$/mu.exec(document)?.groups?.["json"] ?? "";
    await s3.putBucketCors({ Bucket: "photos", CORSConfiguration: JSON.parse(cors) as CORSConfiguration });
    const { link, form } = JSON.parse(await python(block("python links"))) as { readonly link: string; readonly form: Form };
    await assertAllowed(link, "PUT", "https://shop.example");
    await assertAllowed(form.url, "POST", "https://shop.example");
    await assert.rejects(assertAllowed(link, "PUT", "https://elsewhere.example"));

    const page = (await import(`data:text/javascript,${encodeURIComponent(block("js upload"))}`)) as Page;
    const cat = new File(["a cat"], "tom cat.jpg", { type: "image/jpeg" });
    assert.match(await page.putFile(link, cat), /^"[0-9a-f]{32}"$/u);
    assert.equal(await stored("in/cat.jpg"), "a cat");
    assert.equal(await page.postFile(form, cat), `${server.url}/photos/in/tom%20cat.jpg`);
    assert.equal(await stored("in/tom cat.jpg"), "a cat");

    const letter = new File(["Dear"], "letter.txt", { type: "text/plain" });
    await assert.rejects(page.putFile(link, letter), /SignatureDoesNotMatch/u);
    await assert.rejects(page.postFile(form, letter), /AccessDenied/u);
    await assert.rejects(page.postFile(form, new File([new Uint8Array(10_000_001)], "big.jpg", { type: "image/jpeg" })), /EntityTooLarge/u);
    await assert.rejects(s3.headObject({ Bucket: "photos", Key: "in/letter.txt" }), { name: "NotFound" });
  });
});

interface Form {
  readonly url: string;
  readonly fields: Readonly<Record<string, string>>;
}

interface Page {
  putFile(link: string, file: File): Promise<string>;
  postFile(form: Form, file: File): Promise<string>;
}

/** Asks as a browser does before it sends. */
async function assertAllowed(url: string, method: string, origin: string): Promise<void> {
  const headers = { origin, "access-control-request-method": method, "access-control-request-headers": "content-type" };
  const answer = await fetch(url, { method: "OPTIONS", headers });
  assert.equal(answer.status, 200);
  assert.equal(answer.headers.get("access-control-allow-origin"), origin);
}

describe("docs/objects.md: events", () => {
  const at = Date.parse("2026-11-21T23:51:52.036Z");
  const requestId = "01a20086-01e1-7dca-9988-7eea40a9a526";
  const target = "arn:aws:lambda:us-east-1:000000000000:function:resize";
  const bucket: BucketRecord = {
    ...{ name: "photos", id: "b1", realm: { account: "000000000000", region: "us-east-1" }, createdAt: 0, versioning: "enabled", tags: {} },
    ...{ lifecycle: [], documents: {} },
    notifications: { rules: [{ id: "thumbnails", target, events: ["s3:ObjectCreated:*"], prefix: "", suffix: "" }], toBus: true },
  };
  const event: ObjectEvent = {
    ...{ name: "ObjectCreated:Put", at, key: "in/Zürich 1.jpg", bytes: 6, etag: "b1946ac92492d2347c6235b4d2611184" },
    ...{ versionId: "i3nltpqyv4.yBVYXg3KeDgOnexX", sequencer: "0006880218079000" },
    caller: { principalId: "000000000000", sourceAddress: "127.0.0.1", requestId, traceHeader: undefined },
  };

  test("the record and the detail on a bus are what is sent", () => {
    const notifier = createNotifier({ clock: new ManualClock(at), secureRandom: systemSecureRandom });
    const sent = notifier.deliveries(bucket, event).map(({ parcel }) => JSON.parse(parcel.payload.toString()) as unknown);
    assert.deepEqual(sent, [JSON.parse(block("json record")), JSON.parse(block("json bus detail"))]);
  });

  test("the table has each event that happens here, and no other", () => {
    const lines = tableWith("| event | when |").split("\n").slice(2);
    const listed = lines.flatMap((line) => {
      const [first = "", ...more] = [...(line.split("|")[1] ?? "").matchAll(/`([^`]+)`/gu)].map(([, name = ""]) => name);
      return [first, ...more.map((name) => `${first.slice(0, first.lastIndexOf(":"))}${name}`)];
    });
    const happening = [...NOTIFICATION_EVENTS].filter((name) => busWordsOf(name.slice("s3:".length)) !== undefined);
    assert.deepEqual(listed.toSorted(), happening.toSorted());
  });
});

describe("docs/objects.md: tables", () => {
  test("every operation of S3 stands in the table, once", () => {
    const listed = [...tableWith("| | operations |").matchAll(/`(\w+)`/gu)].map(([, name = ""]) => name);
    assert.deepEqual(listed.toSorted(), [...loadService("s3").operations.keys()].toSorted());
  });

  test("whatever a bucket can be told stands in the table of configurations", () => {
    const words: Readonly<Record<string, string>> = {
      ...{ PublicAccessBlock: "public access block", OwnershipControls: "ownership controls", Acl: "access control lists" },
      ...{ NotificationConfiguration: "notifications", LifecycleConfiguration: "lifecycle", AccelerateConfiguration: "acceleration" },
      ...{ RequestPayment: "request payment", Tagging: "tags", AnalyticsConfiguration: "analytics", InventoryConfiguration: "inventory" },
      ...{ MetricsConfiguration: "metrics", IntelligentTieringConfiguration: "intelligent tiering", Cors: "CORS" },
    };
    const table = tableWith("| configuration | here |");
    const told = [...loadService("s3").operations.keys()].flatMap((name) => /^Put(?:Bucket)?(?!Object)(\w+)$/u.exec(name)?.[1] ?? []);
    // Attributes of buckets that AWS added behind those that are known here: 501, as the table of operations says.
    const missing = told.filter((name) => name !== "Abac" && !table.includes(words[name] ?? name.toLowerCase()));
    assert.deepEqual(missing, []);
  });
});
