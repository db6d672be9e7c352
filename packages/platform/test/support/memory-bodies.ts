/** Bodies of objects in memory, for simulations: what `openBodyFiles` promises, without a disk, and with steps that go wrong when asked. */
import { Readable } from "node:stream";
import { invariant, LambentError } from "../../src/base/index.ts";
import type { BodyFiles, BodyName, ByteRange } from "../../src/storage/index.ts";

const NAME_FORM = /^[A-Za-z0-9_-]{2,128}$/;

/** What survives a crash: open other bodies on it. */
export class MemoryBodyDisk {
  readonly files = new Map<string, Buffer>();
}

/** A step on a file. */
export type BodyStep = "write" | "link" | "remove" | "read";

/** What goes wrong: there is no room; the disk refuses, before the step, or behind it, when it has happened and nobody is told. */
export type BodyFault = "full" | "stopBefore" | "stopAfter";

export interface MemoryBodiesOptions {
  readonly disk?: MemoryBodyDisk;
  /** Asked before each step; without it nothing goes wrong. */
  readonly faults?: (step: BodyStep) => BodyFault | undefined;
}

export function openMemoryBodies({ disk = new MemoryBodyDisk(), faults = () => undefined }: MemoryBodiesOptions = {}): BodyFiles {
  return new MemoryBodies(disk, faults);
}

class MemoryBodies implements BodyFiles {
  readonly #disk: MemoryBodyDisk;
  readonly #faults: (step: BodyStep) => BodyFault | undefined;
  #hold: { readonly removed: Map<string, Buffer>; holders: number } | undefined;

  constructor(disk: MemoryBodyDisk, faults: (step: BodyStep) => BodyFault | undefined) {
    this.#disk = disk;
    this.#faults = faults;
  }

  async write(owner: string, file: string, source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<void> {
    const path = pathOf(owner, file);
    const chunks: Uint8Array[] = [];
    for await (const chunk of source) chunks.push(chunk);
    this.#step("write", () => this.#disk.files.set(path, Buffer.concat(chunks)));
  }

  async read(owner: string, file: string, range?: ByteRange): Promise<Readable | undefined> {
    const path = pathOf(owner, file);
    this.#step("read", () => undefined);
    const found = this.#disk.files.get(path) ?? this.#hold?.removed.get(path);
    return found && Readable.from([range ? found.subarray(range.start, range.end + 1) : found], { objectMode: false });
  }

  async link(from: BodyName, to: BodyName): Promise<void> {
    const [source, target] = [pathOf(from.owner, from.file), pathOf(to.owner, to.file)];
    this.#step("link", () => {
      const found = this.#disk.files.get(source);
      if (!found) throw new LambentError("NotFound", `There is no file ${source}.`, { what: "file" });
      this.#disk.files.set(target, found);
    });
  }

  async remove(owner: string, file: string): Promise<void> {
    const path = pathOf(owner, file);
    this.#step("remove", () => this.#take(path));
  }

  async removeOwner(owner: string): Promise<void> {
    invariant(NAME_FORM.test(owner), `${owner} is no owner of files`);
    this.#step("remove", () => {
      for (const path of [...this.#disk.files.keys()]) if (path.startsWith(`${owner}/`)) this.#take(path);
    });
  }

  holdRemovals(): () => Promise<void> {
    const hold = (this.#hold ??= { removed: new Map<string, Buffer>(), holders: 0 });
    hold.holders++;
    return async () => {
      if (--hold.holders === 0 && this.#hold === hold) this.#hold = undefined;
    };
  }

  async *list(): AsyncGenerator<{ readonly path: string; readonly body: BodyName | undefined }> {
    for (const path of this.#disk.files.keys()) {
      const [owner = "", prefix = "", file = ""] = path.split("/");
      yield { path: `${owner}/${prefix}/${file}`, body: { owner, file } };
    }
  }

  #take(path: string): void {
    const found = this.#disk.files.get(path);
    if (found) this.#hold?.removed.set(path, found);
    this.#disk.files.delete(path);
  }

  #step(step: BodyStep, work: () => void): void {
    const fault = this.#faults(step);
    if (fault === "full") throw new LambentError("StorageFull", "There is no room on the disk for this body.");
    if (fault !== "stopBefore") work();
    if (fault !== undefined) throw new LambentError("StorageStopped", "The disk refused a body.");
  }
}

function pathOf(owner: string, file: string): string {
  invariant(NAME_FORM.test(owner) && NAME_FORM.test(file), `${owner}/${file} names no file`);
  return `${owner}/${file.slice(0, 2)}/${file}`;
}
