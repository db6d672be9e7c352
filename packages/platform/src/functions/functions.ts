/**
 * Functions: their settings, code, versions, aliases and limits.
 *
 * Owns the registry of every realm (one cell each, P11), the shelf of unpacked code and the spare trees. Keeps P1 (memory changes behind
 * the commit), P7 (limits with names, `rules/limits.ts`), P8 (a zip is refused with entry and rule, or applied whole).
 * Deliberately does not: run anything, evaluate policies, know shapes of an API.
 */
import type { Clock, SecureRandom } from "../base/index.ts";
import type { Cipher, FunctionVersion } from "../model/index.ts";
import type { Blobs, Store } from "../storage/index.ts";
import { openShelf, type Shelf } from "./code/shelf.ts";
import type { CodeProvider } from "./code-provider.ts";
import type { FunctionDirectory } from "./directory.ts";
import { Account } from "./manage/account.ts";
import { Aliases } from "./manage/aliases.ts";
import { Asynchronous } from "./manage/asynchronous.ts";
import { Background, CodeKeeper } from "./manage/code-keeper.ts";
import { Concurrency } from "./manage/concurrency.ts";
import { EventInvoke } from "./manage/event-invoke.ts";
import { Layers } from "./manage/layers.ts";
import { Lifecycle } from "./manage/lifecycle.ts";
import { Policies } from "./manage/policies.ts";
import { Reading } from "./manage/reading.ts";
import { Urls } from "./manage/urls.ts";
import { Versions } from "./manage/versions.ts";
import { openRegistry, type Registry } from "./registry.ts";
import { RegistryDirectory } from "./registry-directory.ts";
import { openTrees, type TreeKind, type Trees } from "./trees.ts";

export interface FunctionsOptions {
  readonly store: Store;
  /** For code alone: what no function and no layer uses is deleted from it. */
  readonly blobs: Blobs;
  readonly cipher: Cipher;
  readonly clock: Clock;
  readonly secureRandom: SecureRandom;
  /** Unpacked code, made again from the blobs when it is gone. */
  readonly codeFolder: string;
  /** Trees to give away; on the file system of the slots and of `codeFolder`. Emptied at open and at close. */
  readonly treesFolder: string;
  /** `links` where functions cannot write to their code, `copies` where they could. */
  readonly treeKind: TreeKind;
  /** Told of failures in work that no caller waits for. */
  readonly onProblem: (error: unknown) => void;
  /** For tests: names this start of the machine (`code/shelf.ts`). */
  readonly bootId?: string;
}

/** Everything about functions: what a call needs (`FunctionDirectory`), what an instance needs (`CodeProvider`), and management by subject. */
export interface Functions extends FunctionDirectory, CodeProvider {
  readonly lifecycle: Lifecycle;
  readonly reading: Reading;
  readonly versions: Versions;
  readonly aliases: Aliases;
  readonly concurrency: Concurrency;
  readonly policies: Policies;
  readonly urls: Urls;
  readonly eventInvoke: EventInvoke;
  readonly asynchronous: Asynchronous;
  readonly layers: Layers;
  readonly account: Account;
  /** Versions for which instances are kept initialised: what has to be started after a start of the server. */
  provisionedVersions(): FunctionVersion[];
  /** Makes the spare trees of the functions changed last, at most `SPARE_TREES_MAX`, one after the other: for after a start. */
  warm(): Promise<void>;
  /** Resolves once no change is being made ready any more. */
  settled(): Promise<void>;
  /** Lets changes under way end and removes the spare trees. The store stays open. */
  close(): Promise<void>;
}

/** Loads all realms, sweeps what an earlier process left, and takes up the changes it did not finish. */
export async function openFunctions(options: FunctionsOptions): Promise<Functions> {
  const registry = await openRegistry(options);
  const shelf = await openShelf({
    folder: options.codeFolder,
    blobs: options.blobs,
    secureRandom: options.secureRandom,
    bootId: options.bootId,
    isUsed: (code) => registry.usesCode(code),
  });
  const { treesFolder: folder, treeKind: kind, clock, secureRandom } = options;
  const trees = await openTrees({ folder, shelf, kind, clock, secureRandom });
  const functions = new RegistryFunctions(registry, shelf, trees, new Background(options.onProblem));
  functions.lifecycle.resume();
  return functions;
}

class RegistryFunctions extends RegistryDirectory implements Functions {
  readonly #keeper: CodeKeeper;
  readonly lifecycle: Lifecycle;
  readonly reading: Reading;
  readonly versions: Versions;
  readonly aliases: Aliases;
  readonly concurrency: Concurrency;
  readonly policies: Policies;
  readonly urls: Urls;
  readonly eventInvoke: EventInvoke;
  readonly asynchronous: Asynchronous;
  readonly layers: Layers;
  readonly account: Account;
  readonly #registry: Registry;
  readonly #trees: Trees;
  readonly #background: Background;

  constructor(registry: Registry, shelf: Shelf, trees: Trees, background: Background) {
    super(registry);
    const keeper = new CodeKeeper(registry, shelf, trees, background);
    this.#registry = registry;
    this.#trees = trees;
    this.#background = background;
    this.#keeper = keeper;
    this.lifecycle = new Lifecycle(registry, keeper, background);
    this.reading = new Reading(registry, shelf);
    this.versions = new Versions(registry);
    this.aliases = new Aliases(registry);
    this.concurrency = new Concurrency(registry);
    this.policies = new Policies(registry);
    this.urls = new Urls(registry);
    this.eventInvoke = new EventInvoke(registry);
    this.asynchronous = new Asynchronous(registry);
    this.layers = new Layers(registry, keeper);
    this.account = new Account(registry);
  }

  keepCode(version: FunctionVersion): () => void {
    return this.#keeper.keepVersion(version);
  }

  async takeTree(version: FunctionVersion): Promise<string> {
    return await this.#trees.take([version.code]);
  }

  async takeLayers(version: FunctionVersion): Promise<string | undefined> {
    if (version.layers.length === 0) return undefined;
    return await this.#trees.take(version.layers.map((layer) => layer.code));
  }

  async warm(): Promise<void> {
    await this.#trees.warm(newestFirst(this.#registry));
  }

  async settled(): Promise<void> {
    await this.#background.settled();
  }

  async close(): Promise<void> {
    await this.#background.settled();
    await this.#trees.close();
  }
}

/** `$LATEST` of every function, the one changed last first. */
function newestFirst(registry: Registry): FunctionVersion[] {
  const versions = registry.states().flatMap((state) => [...state.functions.values()].map((entry) => entry.record.latest.version));
  return versions.toSorted((a, b) => b.modifiedAt - a.modifiedAt);
}
