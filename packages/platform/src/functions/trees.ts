/**
 * Spare trees: for the code that is called, one tree of hard links lies ready, so that giving an instance its code is
 * a rename whatever the size (ARCHITECTURE.md §6). A taken tree belongs to who took it; the next is made a moment behind.
 *
 * Trees are named by what is in them, not by version: versions with the same code share a spare. Deliberately absent: knowledge of
 * slots and instances.
 */
import { constants } from "node:fs";
import { copyFile, link, mkdir, rm, symlink } from "node:fs/promises";
import { join } from "node:path";
import type { Clock, SecureRandom, Timer } from "../base/index.ts";
import type { CodeReference, FunctionVersion } from "../model/index.ts";
import { eachAtOnce } from "./code/each-at-once.ts";
import { mergeManifests, type MergedEntry } from "./code/manifest.ts";
import type { Shelf } from "./code/shelf.ts";

/** Trees that lie ready at most; at the bound the one unused for longest is removed (P7). */
export const SPARE_TREES_MAX = 256;

/** A taken tree is replaced only after this long: who took it starts a function, and that needs the disk and the processor now. */
const SPARE_DELAY_MS = 200;

/**
 * `links`: all trees share one copy of each file; right where functions cannot write to their code.
 * `copies`: every tree has its own; for plain processes, which could.
 */
export type TreeKind = "links" | "copies";

/** Files linked or copied at once: as many as the threads that do it. */
const FILES_AT_ONCE = 4;
const DIRECTORY_MODE = 0o755;

export interface TreesOptions {
  /** On the file system of the slots. Emptied at open: nobody remembers who took what. */
  readonly folder: string;
  readonly shelf: Shelf;
  readonly kind: TreeKind;
  readonly clock: Clock;
  readonly secureRandom: SecureRandom;
}

/** Opens the folder of trees. What lies in it was made for an earlier process and is removed. */
export async function openTrees(options: TreesOptions): Promise<Trees> {
  await rm(options.folder, { recursive: true, force: true });
  await mkdir(options.folder, { recursive: true, mode: DIRECTORY_MODE });
  return new Trees(options);
}

export class Trees {
  readonly #options: TreesOptions;
  /** By content, the one unused for longest first. */
  readonly #spares = new Map<string, Promise<string>>();
  /** By content: spares that are made once the taken one's function has started. */
  readonly #later = new Map<string, Timer>();
  readonly #background = new Set<Promise<void>>();
  #closed = false;

  constructor(options: TreesOptions) {
    this.#options = options;
  }

  /** A tree of `codes` laid over each other in order. The caller owns it from here on. */
  async take(codes: readonly CodeReference[]): Promise<string> {
    const content = contentKey(codes);
    const spare = this.#spares.get(content);
    this.#spares.delete(content);
    const tree = (await spare?.catch(() => undefined)) ?? (await this.#build(codes));
    this.#keepSpareLater(codes);
    return tree;
  }

  /** Makes the spare of `codes` now and resolves when it lies ready; rejects when it cannot be made. */
  async prepare(codes: readonly CodeReference[]): Promise<void> {
    await this.#keepSpare(codes);
  }

  /** Makes the spares of `versions`, in their order, one at a time, while there is room. What cannot be made is left out. */
  async warm(versions: readonly FunctionVersion[]): Promise<void> {
    for (const version of versions) {
      if (this.#spares.size + 2 > SPARE_TREES_MAX || this.#closed) return;
      const layers = version.layers.map((layer) => layer.code);
      await Promise.allSettled([this.prepare([version.code]), ...(layers.length > 0 ? [this.prepare(layers)] : [])]);
    }
  }

  /** Removes spares that hold `code`. */
  async forget(code: CodeReference): Promise<void> {
    for (const [content, timer] of this.#later) {
      if (!holds(content, code)) continue;
      timer.cancel();
      this.#later.delete(content);
    }
    for (const [content, spare] of this.#spares) {
      if (!holds(content, code)) continue;
      this.#spares.delete(content);
      await this.#discard(spare);
    }
  }

  /** Waits for what is being made and removes all spares. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const timer of this.#later.values()) timer.cancel();
    this.#later.clear();
    await Promise.allSettled(this.#background);
    await rm(this.#options.folder, { recursive: true, force: true });
    this.#spares.clear();
  }

  #keepSpareLater(codes: readonly CodeReference[]): void {
    const content = contentKey(codes);
    if (this.#closed || this.#later.has(content)) return;
    if (this.#later.size >= SPARE_TREES_MAX) return void this.#keepSpare(codes);
    const make = (): void => {
      this.#later.delete(content);
      void this.#keepSpare(codes);
    };
    this.#later.set(content, this.#options.clock.schedule(SPARE_DELAY_MS, make));
  }

  #keepSpare(codes: readonly CodeReference[]): Promise<string | undefined> {
    const content = contentKey(codes);
    const known = this.#spares.get(content);
    if (known !== undefined || this.#closed) return known ?? Promise.resolve(undefined);
    const making = this.#build(codes);
    this.#spares.set(content, making);
    this.#inBackground(making);
    // A spare that could not be made is none: the next take tries again and tells its caller why.
    making.catch(() => this.#spares.get(content) === making && this.#spares.delete(content));
    if (this.#spares.size > SPARE_TREES_MAX) this.#dropOldest();
    return making;
  }

  #dropOldest(): void {
    const oldest = this.#spares.entries().next();
    if (oldest.done) return;
    const [content, spare] = oldest.value;
    this.#spares.delete(content);
    this.#inBackground(this.#discard(spare));
  }

  #inBackground(work: Promise<unknown>): void {
    const settled: Promise<void> = work.then(
      () => undefined,
      () => undefined,
    );
    this.#background.add(settled);
    void settled.then(() => this.#background.delete(settled));
  }

  async #discard(spare: Promise<string>): Promise<void> {
    const tree = await spare.catch(() => undefined);
    if (tree !== undefined) await rm(tree, { recursive: true, force: true });
  }

  async #build(codes: readonly CodeReference[]): Promise<string> {
    const shelved = await Promise.all(codes.map((code) => this.#options.shelf.take(code)));
    const target = join(this.#options.folder, this.#options.secureRandom.uuid());
    const entries = mergeManifests(shelved.map((code) => code.manifest));
    const sourceOf = (merged: MergedEntry): string => join(shelved[merged.source]?.tree ?? "", merged.entry.path);
    try {
      await mkdir(target, { mode: DIRECTORY_MODE });
      for (const { entry } of entries) if (entry.kind === "directory") await mkdir(join(target, entry.path), { mode: DIRECTORY_MODE });
      const files = entries.filter(({ entry }) => entry.kind === "file");
      await eachAtOnce(files, FILES_AT_ONCE, (file) => place(this.#options.kind, sourceOf(file), join(target, file.entry.path)));
      for (const { entry } of entries) if (entry.kind === "link") await symlink(entry.target, join(target, entry.path));
      return target;
    } catch (error) {
      await rm(target, { recursive: true, force: true });
      throw error;
    }
  }
}

/** Errors of `link` after which a copy still works: another file system, too many links, links not allowed. */
const COPY_INSTEAD = new Set(["EXDEV", "EMLINK", "EPERM", "ENOTSUP"]);

async function place(kind: TreeKind, source: string, target: string): Promise<void> {
  if (kind === "links") {
    try {
      return await link(source, target);
    } catch (error) {
      if (!(error instanceof Error && "code" in error && COPY_INSTEAD.has(String(error.code)))) throw error;
    }
  }
  await copyFile(source, target, constants.COPYFILE_FICLONE);
}

function holds(content: string, code: CodeReference): boolean {
  return content.split(" ").includes(code.sha256);
}

function contentKey(codes: readonly CodeReference[]): string {
  return codes.map((code) => code.sha256).join(" ");
}
