import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { type Random, randomBelow } from "../../src/base/index.ts";
import type { KnownUpload } from "./object-history.ts";
import { BUCKETS, contentName, contentOf, etagOf, hugeName, partsOfHuge } from "./object-journal.ts";
import { isFull, type ObjectLoad } from "./object-load.ts";

const PARTS_MAX = 3;
/** Contents of parts have one of so many numbers each. */
const CONTENTS_MAX = 2 ** 30;

/**
 * A client that uploads objects in parts; each has a key of its own. Mostly one of the parts, which are small, becomes the object, now and then two:
 * the others go.
 */
export class ObjectUploads {
  readonly #load: ObjectLoad;
  readonly #random: Random;

  constructor(load: ObjectLoad, random: Random) {
    this.#load = load;
    this.#random = random;
  }

  /** Goes on with what the life before had begun, then begins others. */
  async run(): Promise<void> {
    for (const [id, upload] of [...this.#load.history.uploads]) {
      if (!this.#load.goesOn()) return;
      if (upload.state === "open") await this.#goOn(id, upload);
      // Nobody heard how it ended: asking again is answered as the first time, for a completion.
      else if (upload.state === "ending" && upload.content !== undefined) await this.#complete(id, upload, upload.content);
    }
    for (let number = this.#load.history.uploads.size; this.#load.goesOn(); number++) await this.#upload(number);
  }

  async #upload(number: number): Promise<void> {
    const key = `parts/${number}`;
    const { UploadId = "" } = await this.#load.s3.send(new CreateMultipartUploadCommand({ Bucket: BUCKETS.things, Key: key }));
    this.#load.say({ kind: "begun", upload: UploadId, key });
    const upload = this.#load.history.uploads.get(UploadId);
    const chance = this.#random.next();
    if (!upload || chance < 0.2) return;
    if (chance < 0.25) await this.#uploadHuge(UploadId, upload);
    else await this.#goOn(UploadId, upload);
  }

  /** Of two parts, beside one that goes. */
  async #uploadHuge(id: string, upload: KnownUpload): Promise<void> {
    const content = hugeName(upload.key, 0);
    const stored: (string | undefined)[] = [];
    for (const [index, part] of [...partsOfHuge(content), contentName(upload.key, 0, true)].entries())
      stored.push(await this.#part(id, upload, index + 1, part));
    if (!stored.includes(undefined)) await this.#complete(id, upload, content);
  }

  async #goOn(id: string, upload: KnownUpload): Promise<void> {
    const count = 1 + randomBelow(this.#random, PARTS_MAX);
    let last: string | undefined;
    for (let at = 0; at < count; at++) {
      // Now and then the one before is replaced.
      const number = 1 + randomBelow(this.#random, PARTS_MAX);
      const content = contentName(`${upload.key}.${number}.at`, randomBelow(this.#random, CONTENTS_MAX), this.#random.next() < 0.6);
      last = await this.#part(id, upload, number, content);
    }
    const chance = this.#random.next();
    if (chance < 0.6 && last !== undefined) await this.#complete(id, upload, last);
    else if (chance < 0.8) await this.#abort(id, upload);
  }

  /** Resolves with the content; with undefined where there is no room for it. */
  async #part(UploadId: string, { key: Key }: KnownUpload, PartNumber: number, content: string): Promise<string | undefined> {
    this.#load.say({ kind: "parting", upload: UploadId, number: PartNumber, content });
    try {
      await this.#load.s3.send(new UploadPartCommand({ Bucket: BUCKETS.things, Key, UploadId, PartNumber, Body: contentOf(content) }));
    } catch (error) {
      if (!isFull(error)) throw error;
      this.#load.say({ kind: "refused" });
      return undefined;
    }
    this.#load.say({ kind: "parted", upload: UploadId, number: PartNumber, content });
    return content;
  }

  async #complete(UploadId: string, { key: Key, parts }: KnownUpload, content: string): Promise<void> {
    const of = content === hugeName(Key, 0) ? partsOfHuge(content) : [content];
    const Parts = of.map((part) => ({
      PartNumber: [...parts].find(([, { contents }]) => contents.has(part))?.[0],
      ETag: etagOf(part, false),
    }));
    this.#load.say({ kind: "ending", upload: UploadId, content });
    const MultipartUpload = { Parts };
    await this.#load.change(Key, content, () =>
      this.#load.s3.send(new CompleteMultipartUploadCommand({ Bucket: BUCKETS.things, Key, UploadId, MultipartUpload })),
    );
    this.#load.say({ kind: "ended", upload: UploadId });
    await this.#load.check(Key);
  }

  async #abort(UploadId: string, { key: Key }: KnownUpload): Promise<void> {
    this.#load.say({ kind: "ending", upload: UploadId, content: undefined });
    await this.#load.s3.send(new AbortMultipartUploadCommand({ Bucket: BUCKETS.things, Key, UploadId }));
    this.#load.say({ kind: "ended", upload: UploadId });
  }
}
