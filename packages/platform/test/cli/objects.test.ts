/** `lambent objects cp`, `ls` and `rm` against a real server. */
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { EXIT_CODES } from "../../src/cli/exit-codes.ts";
import { CommandWorld } from "../support/command-world.ts";

const world = new CommandWorld();
await world.start();
after(() => world.stop());

/** Over the bound of one request. */
const MANY_PARTS_BYTES = 70 * 1024 * 1024 + 1;

const inWorld = (...steps: readonly string[]): string => join(world.folder, ...steps);

function write(path: string, bytes: string | Buffer): string {
  const whole = inWorld(path);
  mkdirSync(dirname(whole), { recursive: true });
  writeFileSync(whole, bytes);
  return whole;
}

const filesOf = (folder: string): ReadonlySet<string> => new Set(readdirSync(inWorld(folder), { recursive: true, encoding: "utf8" }));

const digest = (bytes: Buffer): string => createHash("sha256").update(bytes).digest("hex");

async function listed(...args: readonly string[]): Promise<readonly { readonly Key: string; readonly Size: number }[]> {
  const { Objects } = JSON.parse(await world.run("objects", "ls", ...args, "--json")) as {
    readonly Objects: readonly { readonly Key: string; readonly Size: number }[];
  };
  return Objects;
}

test("a file goes to a bucket, which is created and said, and comes back byte for byte", async () => {
  const file = write("cat.jpg", randomBytes(100_000));
  assert.match(
    await world.refused(EXIT_CODES.notFound, "objects", "cp", file, "photos:", "--no-create"),
    /^lambent: There is no bucket photos\./u,
  );
  assert.match(
    await world.run("objects", "cp", file, "photos:"),
    /^ {2}bucket {4}photos {3}created\n {2}photos:cat\.jpg {3}sent: 97\.7 KB in \S+ m?s, image\/jpeg\n$/u,
  );
  await world.run("objects", "cp", file, "s3://photos/2026/");
  await world.run("objects", "cp", file, "photos:2026/a b+ü?#%25.jpg", "--content-type", "image/x-odd");
  assert.match(await world.run("objects", "cp", "photos:2026/a b+ü?#%25.jpg", inWorld("back.jpg")), /back\.jpg {3}fetched: 97\.7 KB in /u);
  assert.deepEqual(readFileSync(inWorld("back.jpg")), readFileSync(file));
  await world.run("objects", "cp", "photos:2026/cat.jpg", inWorld("new", "folder/"));
  assert.deepEqual(readFileSync(inWorld("new", "folder", "cat.jpg")), readFileSync(file));
});

test("standard input and output are files like others", async () => {
  const text = `${"line\n".repeat(10_000)}the end`;
  await world.runWith(text, "objects", "cp", "-", "texts:all.txt");
  assert.equal(await world.run("objects", "cp", "texts:all.txt", "-"), text);
  await world.runWith("", "objects", "cp", "-", "texts:empty");
  assert.equal(await world.run("objects", "cp", "texts:empty", "-"), "");
  assert.match(await world.refused(EXIT_CODES.usage, "objects", "cp", "-", "texts:"), /Standard input has no name/u);
});

test("what is over the bound of one request goes in parts, and nothing is left of parts", async () => {
  const bytes = randomBytes(MANY_PARTS_BYTES);
  const file = write("large.bin", bytes);
  const { Bytes } = JSON.parse(await world.run("objects", "cp", file, "large:file", "--json")) as { readonly Bytes: number };
  assert.equal(Bytes, MANY_PARTS_BYTES);
  await world.run("objects", "cp", "large:file", inWorld("large.back"));
  assert.equal(digest(readFileSync(inWorld("large.back"))), digest(bytes));
  assert.deepEqual(
    readdirSync(world.folder).filter((name) => name.endsWith(".part")),
    [],
  );
  const [found] = (
    JSON.parse(await world.run("objects", "ls", "large", "--json")) as { readonly Objects: readonly { readonly ETag: string }[] }
  ).Objects;
  assert.match(found?.ETag ?? "", /^[0-9a-f]{32}-5$/u, "70 MiB and a byte are five parts of 16 MiB");
});

test("Ctrl-C leaves neither half an object nor half a file", async () => {
  const going = world.begin("objects", "cp", "/dev/zero", "large:endless");
  // It is under way once the bucket knows of the upload.
  const uploads = async (): Promise<string> => {
    const environment = JSON.parse(await world.run("env", "--json")) as Record<string, string>;
    const { ListMultipartUploadsCommand, S3Client } = await import("@aws-sdk/client-s3");
    const {
      AWS_ENDPOINT_URL: endpoint = "",
      AWS_ACCESS_KEY_ID: accessKeyId = "",
      AWS_SECRET_ACCESS_KEY: secretAccessKey = "",
    } = environment;
    const client = new S3Client({ endpoint, region: "us-east-1", forcePathStyle: true, credentials: { accessKeyId, secretAccessKey } });
    const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket: "large" }));
    client.destroy();
    return Uploads.map(({ Key }) => Key).join();
  };
  while ((await uploads()) !== "endless");
  assert.equal(await going.interrupt(), EXIT_CODES.interrupted, going.printed());
  assert.match(going.printed(), /^lambent: Interrupted: no object and no file is there in part\.\n/u);
  assert.equal(await uploads(), "");
  assert.deepEqual(
    (await listed("large")).map(({ Key }) => Key),
    ["file"],
  );
});

test("a folder goes and comes as it is; what is no file is told, and a key that leads out of the folder is not followed", async () => {
  for (let number = 0; number < 30; number += 1) write(`site/pages/${number}.html`, `page ${number}`);
  write("site/index.html", "<h1>");
  write("site/empty", "");
  assert.match(await world.refused(EXIT_CODES.usage, "objects", "cp", inWorld("site"), "www:"), /site is a folder\.\n.*--recursive/u);
  assert.match(
    await world.run("objects", "cp", "--recursive", inWorld("site"), "www:v1"),
    /^ {2}bucket {4}www {3}created\n {2}www:v1\/ {3}sent: 32 objects, /u,
  );
  await world.run("objects", "cp", "--recursive", "www:v1", inWorld("fetched"));
  assert.deepEqual(filesOf("fetched"), filesOf("site"));
  assert.equal(readFileSync(inWorld("fetched", "pages", "7.html"), "utf8"), "page 7");
  symlinkSync(inWorld("site"), inWorld("site", "circle"));
  assert.match(
    await world.refused(EXIT_CODES.failed, "objects", "cp", "--recursive", inWorld("site"), "www:v2"),
    /circle {3}is a link to a folder\n.*1 of 33 were not sent/u,
  );
  await world.runWith("evil", "objects", "cp", "-", "www:v1/../../evil");
  assert.match(
    await world.refused(EXIT_CODES.failed, "objects", "cp", "--recursive", "www:v1", inWorld("a", "b")),
    /www:v1\/\.\.\/\.\.\/evil .*\n.*1 of 33 were not fetched/u,
  );
  assert.equal(existsSync(inWorld("evil")), false);
  assert.equal(statSync(inWorld("a", "b", "index.html")).size, 4);
});

test("a list has folders as one line each, sizes and times, or every object", async () => {
  assert.match(
    await world.run("objects", "ls", "www/v1/"),
    /^MODIFIED +SIZE {2}KEY\n +v1\/\.\.\/\n[-\d]{10} [:\d]{8} +0 B {2}v1\/empty\n[-\d]{10} [:\d]{8} +4 B {2}v1\/index\.html\n +v1\/pages\/\n$/u,
  );
  assert.equal((await listed("s3://www/v1/pages/", "--recursive")).length, 30);
  const { CommonPrefixes } = JSON.parse(await world.run("objects", "ls", "www", "--json")) as {
    readonly CommonPrefixes: readonly string[];
  };
  assert.deepEqual(CommonPrefixes, ["v1/", "v2/"]);
  assert.match(await world.run("objects", "ls"), /^CREATED +BUCKET\n/u);
  assert.match(await world.refused(EXIT_CODES.notFound, "objects", "ls", "www/nothing"), /Nothing begins with www:nothing\./u);
  assert.match(await world.refused(EXIT_CODES.notFound, "objects", "ls", "nowhere"), /There is no bucket nowhere\./u);
});

test("one object is removed, or all in a folder; a name that is mistyped is told", async () => {
  assert.match(await world.refused(EXIT_CODES.notFound, "objects", "rm", "www/v1/nothing"), /Bucket www has no object v1\/nothing\./u);
  assert.equal(await world.run("objects", "rm", "www/v1/empty"), "  www:v1/empty   removed\n");
  assert.match(await world.refused(EXIT_CODES.usage, "objects", "rm", "www"), /www is a bucket\./u);
  assert.match(await world.refused(EXIT_CODES.usage, "objects", "rm", "www/v1", "--recursive"), /Nobody is there to answer\.\n.*--yes/u);
  await world.runWith("neighbour", "objects", "cp", "-", "www:v1-neighbour");
  assert.equal(await world.run("objects", "rm", "www/v1", "--recursive", "--yes"), "  www:v1/   removed: 32 objects\n");
  assert.deepEqual(
    (await listed("www", "--recursive")).filter(({ Key }) => !Key.startsWith("v2/")).map(({ Key }) => Key),
    ["v1-neighbour"],
  );
});

test("what cannot be meant is refused in two lines", async () => {
  const refused = (exit: number, message: RegExp, ...args: readonly string[]): Promise<void> =>
    world.refused(exit, "objects", ...args).then((said) => assert.match(said, message));
  await refused(EXIT_CODES.usage, /^lambent: Neither a nor b is in a bucket\.\n {2}For example /u, "cp", "a", "b");
  await refused(EXIT_CODES.usage, /are both in a bucket/u, "cp", "photos:a", "s3://photos/b");
  await refused(EXIT_CODES.usage, /photos is a bucket\./u, "cp", "photos:", "b");
  await refused(EXIT_CODES.notFound, /Bucket photos has no object nothing\./u, "cp", "photos:nothing", inWorld("nothing"));
  await refused(EXIT_CODES.failed, /does not exist/u, "cp", inWorld("no file"), "photos:");
  await refused(EXIT_CODES.usage, /"P" does not begin with a bucket's name/u, "ls", "P");
  await refused(EXIT_CODES.usage, /--content-type and --no-create are for what is sent/u, "cp", "photos:a", "b", "--no-create");
  assert.equal(existsSync(inWorld("nothing")), false);
});
