/** `lambent trigger --upload`, `triggers` and `untrigger` against a real server, and the same in a `lambent.yaml`. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { EXIT_CODES } from "../../src/cli/exit-codes.ts";
import { CommandWorld } from "../support/command-world.ts";

const world = new CommandWorld();
await world.start();
after(() => world.stop());

const SHOWS_KEY = "export const handler = async ({ Records: [{ eventName, s3 }] }) => console.log(`${eventName} ${s3.object.key}`);\n";

/** Sends an object of a few bytes. */
async function put(place: string): Promise<void> {
  await world.runWith("bytes", "objects", "cp", "-", place);
}

/** Resolves once the function logged the line. */
async function logged(name: string, line: RegExp): Promise<void> {
  const log = world.begin("logs", name, "-f", "--since", "1m");
  await log.said(line);
  await log.interrupt();
}

test("what is missing of bucket, permission and rule is created and printed; what is there stays", async () => {
  await world.run("deploy", world.file("hello.mjs", SHOWS_KEY), "--no-url");
  assert.match(
    await world.refused(EXIT_CODES.notFound, "trigger", "hello", "--upload", "photos/*.jpg", "--no-create"),
    /^lambent: There is no bucket photos\.\n/u,
  );
  assert.match(await world.refused(EXIT_CODES.notFound, "trigger", "nobody", "--upload", "photos"), /Function not found/u);
  assert.equal(
    await world.run("trigger", "hello", "--upload", "photos/*.jpg"),
    "  bucket    photos   created\n  allowed   bucket photos may call hello\n" +
      "  trigger   hello-created-jpg (guessed) → hello   created: photos/*.jpg created\n",
  );
  assert.equal(
    await world.run("trigger", "hello", "--upload", "photos/*.jpg"),
    "  trigger   hello-created-jpg → hello   is there already: photos/*.jpg created\n",
  );
  await put("photos:a b+ü.png");
  await put("photos:a b+ü.jpg");
  await logged("hello", /\tObjectCreated:Put a\+b%2B%C3%BC\.jpg$/mu);
  assert.match(await world.run("events", "--source", "objects"), / bucket photos: ObjectCreated:Put a b\+ü\.jpg +hello +1 /u);
});

test("a rule of somebody else stays as it is, whatever is added and taken away beside it", async () => {
  await world.run("deploy", world.file("other.mjs", SHOWS_KEY), "--no-url");
  const made = JSON.parse(
    await world.run("trigger", "other", "--upload", "photos/in/*", "--event", "removed", "--name", "gone", "--json"),
  ) as object;
  const arn = "arn:aws:lambda:us-east-1:000000000000:function:other";
  assert.deepEqual(made, {
    ...{ Bucket: "photos", Created: true, CreatedPermission: true },
    Configuration: {
      ...{ Id: "gone", LambdaFunctionArn: arn, Events: ["s3:ObjectRemoved:*"] },
      Filter: { Key: { FilterRules: [{ Name: "prefix", Value: "in/" }] } },
    },
  });
  assert.match(await world.run("triggers"), /^hello +rule hello-created-jpg of bucket photos +Enabled +photos\/\*\.jpg created$/mu);
  await put("photos:in/x");
  await world.run("objects", "rm", "photos/in/x");
  await logged("other", /\tObjectRemoved:Delete in\/x$/mu);
  assert.equal(
    await world.run("trigger", "other", "--upload", "photos/out/*", "--event", "removed", "--name", "gone"),
    "  trigger   gone → other   changed: photos/out/* removed\n",
  );
  assert.match(
    await world.refused(EXIT_CODES.usage, "trigger", "hello", "--upload", "photos/x*", "--name", "gone"),
    /^lambent: Bucket photos has a rule gone for another target\.\n.*--name/u,
  );
});

test("of one object S3 tells only one: the refusal names whom it tells already, and leaves nothing behind", async () => {
  assert.match(
    await world.refused(EXIT_CODES.usage, "trigger", "other", "--upload", "photos/in/*"),
    /^lambent: photos\/in\/\* overlaps with what bucket photos tells already.*: photos\/\*\.jpg created → hello; photos\/out\/\* removed → other\.\n {2}Choose another prefix or suffix/u,
  );
  assert.match(
    await world.refused(EXIT_CODES.usage, "trigger", "hello", "--upload", "photos", "--event", "s3:Odd:Kind"),
    /'s3:Odd:Kind' is not supported/u,
  );
});

test("what is taken away calls no more; the bucket stays", async () => {
  assert.match(
    await world.refused(EXIT_CODES.notFound, "untrigger", "hello", "--upload", "photos/*.png"),
    /no trigger by uploads to photos\/\*\.png/u,
  );
  assert.equal(
    await world.run("untrigger", "hello", "--upload", "photos/*.jpg"),
    "  rule hello-created-jpg of bucket photos → hello   removed\n",
  );
  assert.match(
    await world.run("trigger", "hello", "--upload", "photos/*.jpg"),
    /allowed {3}bucket photos may call hello/u,
    "the permission went with the trigger",
  );
  await world.run("remove", "other", "--yes");
  await world.run("untrigger", "hello");
  assert.match(
    await world.run("untrigger", "other"),
    /^ {2}rule gone of bucket photos → other {3}removed\n$/u,
    "of a function that is gone",
  );
  assert.match(await world.run("objects", "ls"), / photos\n$/u);
});

test("a lambent.yaml brings buckets and uploads, shows what would change, and removes what it no longer names", async () => {
  const document = (triggers: string): string =>
    world.file(
      "lambent.yaml",
      `app: gallery\nbuckets: { archive: }\nfunctions: { thumbs: { code: hello.mjs, url: false, triggers: [${triggers}] } }\n`,
    );
  const path = document("{ upload: inbox/a/* }, { upload: inbox/b/*, name: second }");
  const rule = "inbox/thumbs-created-a-[0-9a-f]{8} → thumbs";
  assert.match(
    await world.run("deploy", path, "--plan"),
    new RegExp(
      `^  thumbs   would be created\n  archive   bucket would be created\n  inbox   bucket would be created\n  ${rule}   trigger by uploads would be created\n  inbox/second → thumbs   trigger by uploads would be created\n$`,
      "u",
    ),
  );
  await world.run("deploy", path);
  assert.equal(await world.run("deploy", path, "--plan"), "  Nothing would change.\n");
  await put("inbox:a/first");
  await logged("thumbs", /\tObjectCreated:Put a\/first$/mu);
  document("{ upload: inbox/a/*, name: second }, { upload: inbox/a/*, event: removed }");
  assert.match(
    await world.run("deploy", path),
    new RegExp(
      `  ${rule}   trigger by uploads removed\n  inbox/second → thumbs   trigger by uploads changed\n +prefix: b/ → a/\n  inbox/thumbs-removed-a-\\S+ → thumbs   trigger by uploads created\n$`,
      "u",
    ),
  );
  document("");
  assert.match(await world.run("deploy", path), /trigger by uploads removed\n.*trigger by uploads removed\n$/u);
  assert.match(await world.refused(EXIT_CODES.notFound, "untrigger", "thumbs"), /thumbs has no trigger\./u);
  assert.match(await world.run("objects", "ls", "--json"), /"archive"[^]*"inbox"/u);
});

test("two rules of a document may swap what they are for", async () => {
  const document = (one: string, two: string): string =>
    world.file(
      "lambent.yaml",
      `app: swapping\nfunctions: { swaps: { code: hello.mjs, url: false, triggers: [{ upload: drop/${one}/*, name: r1 }, { upload: drop/${two}/*, name: r2 }] } }\n`,
    );
  await world.run("deploy", document("a", "b"));
  assert.match(await world.run("deploy", document("b", "a")), /prefix: a\/ → b\/\n.*\n +prefix: b\/ → a\/\n$/u);
});
