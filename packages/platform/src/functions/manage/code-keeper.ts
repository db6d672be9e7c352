import type { CodeReference, FunctionVersion } from "../../model/index.ts";
import type { Shelf } from "../code/shelf.ts";
import type { Registry } from "../registry.ts";
import type { Trees } from "../trees.ts";

/** Work that nobody waits for, so that closing can. */
export class Background {
  readonly #running = new Set<Promise<void>>();
  readonly #onProblem: (error: unknown) => void;

  constructor(onProblem: (error: unknown) => void) {
    this.#onProblem = onProblem;
  }

  /** Runs `work` now; never rejects. A failure is told to the operator; the next open repeats what is needed. */
  run(work: () => Promise<void>): Promise<void> {
    const running: Promise<void> = work().catch((error: unknown) => this.#onProblem(error));
    this.#running.add(running);
    void running.then(() => this.#running.delete(running));
    return running;
  }

  /** Resolves once nothing runs any more, what was started meanwhile included. */
  async settled(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }
}

/** Keeps code for as long as something uses it: a version, a layer, or a change that is being made. */
export class CodeKeeper {
  readonly #registry: Registry;
  readonly #shelf: Shelf;
  readonly #trees: Trees;
  readonly #background: Background;

  constructor(registry: Registry, shelf: Shelf, trees: Trees, background: Background) {
    this.#registry = registry;
    this.#shelf = shelf;
    this.#trees = trees;
    this.#background = background;
    registry.onCodeReleased((code) => void background.run(() => this.#forgetUnused(code)));
  }

  /** Checks and keeps `zip` while `use` runs, and behind it when `use` committed something that refers to it. */
  async hold<T>(zip: Uint8Array, use: (code: CodeReference) => Promise<T>): Promise<T> {
    let held: CodeReference | undefined;
    try {
      return await this.#shelf.hold(zip, (code) => use((held = code)));
    } finally {
      if (held) await this.#forgetUnused(held);
    }
  }

  /** Keeps a version's code for whoever waits for an instance of it: a deploy meanwhile must not fail their start. */
  keepVersion({ code, layers }: FunctionVersion): () => void {
    const codes = [code, ...layers.map((layer) => layer.code)];
    const letGo = codes.map((kept) => this.#shelf.keep(kept));
    return () => {
      for (const release of letGo) release();
      for (const kept of codes) if (!this.#inUse(kept)) void this.#background.run(() => this.#forgetUnused(kept));
    };
  }

  /** Makes the trees that instances of `version` are given. */
  async prepare(version: FunctionVersion): Promise<void> {
    await this.#trees.prepare([version.code]);
    if (version.layers.length > 0) await this.#trees.prepare(version.layers.map((layer) => layer.code));
  }

  async #forgetUnused(code: CodeReference): Promise<void> {
    if (this.#inUse(code)) return;
    await this.#trees.forget(code);
    // Asked again: somebody may have brought the same code meanwhile. From here on the shelf lets newcomers wait.
    if (!this.#inUse(code)) await this.#shelf.forget(code);
  }

  #inUse(code: CodeReference): boolean {
    return this.#shelf.held(code) || this.#registry.usesCode(code);
  }
}
