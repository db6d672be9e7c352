/**
 * The registry: who the functions and layers of every realm are. One cell per realm, one commit per change, memory
 * changes only behind the commit (P1, P11). Changes of a realm run one after the other, each decided on what the one
 * before it committed.
 *
 * Deliberately absent: rules (rules/), shapes of the API, code on disk.
 */
import { isLambentError, LambentError, Turns, type Clock, type SecureRandom } from "../base/index.ts";
import { realmKey, type Cipher, type CodeReference, type Realm } from "../model/index.ts";
import { eachRealm, eachRow, OPS_PER_COMMIT_MAX, type Store } from "../storage/index.ts";
import type { FunctionChange } from "./directory.ts";
import { decodeRow, encodeWrites, type Write } from "./records.ts";
import { codesReplacedBy, RealmState, type FunctionEntry } from "./realm-state.ts";
import { functionArn } from "./rules/names.ts";

/** Changes that wait for their turn in one realm; beyond them callers are told to come back (P7). */
export const REGISTRY_CHANGES_WAITING_MAX = 10_000;

/** What a change does, decided from the committed state. */
export interface ChangeDecision<T> {
  readonly writes: readonly Write[];
  readonly result: T;
  /** Told to listeners once committed. */
  readonly announce?: readonly FunctionChange[];
}

export interface RegistryOptions {
  readonly store: Store;
  readonly cipher: Cipher;
  readonly clock: Clock;
  readonly secureRandom: SecureRandom;
}

interface RealmCell {
  readonly key: string;
  readonly state: RealmState;
  readonly changes: Turns;
}

/** Loads every realm's registry. Rows of deleted functions that a stop left behind are removed. */
export async function openRegistry(options: RegistryOptions): Promise<Registry> {
  const registry = new Registry(options);
  await registry.load();
  return registry;
}

export class Registry {
  readonly clock: Clock;
  readonly secureRandom: SecureRandom;
  readonly #store: Store;
  readonly #cipher: Cipher;
  readonly #cells = new Map<string, RealmCell>();
  /** The same realm comes as the same object with every call of a function: no key is built for it. */
  readonly #byRealm = new WeakMap<Realm, RealmCell>();
  readonly #listeners: ((change: FunctionChange) => void)[] = [];
  readonly #released: ((code: CodeReference) => void)[] = [];

  constructor(options: RegistryOptions) {
    this.#store = options.store;
    this.#cipher = options.cipher;
    this.clock = options.clock;
    this.secureRandom = options.secureRandom;
  }

  async load(): Promise<void> {
    for await (const realm of eachRealm(this.#store)) await this.#loadCell(realm);
  }

  states(): RealmState[] {
    return [...this.#cells.values()].map((cell) => cell.state);
  }

  state(realm: Realm): RealmState {
    return this.#cell(realm).state;
  }

  /** The function; throws `NotFound`, naming the region where there is one of that name. */
  entry(realm: Realm, name: string): FunctionEntry {
    const entry = this.#cell(realm).state.functions.get(name);
    if (entry) return entry;
    const elsewhere = this.states().find((state) => state.realm.account === realm.account && state.functions.has(name));
    const hint = elsewhere ? ` (there is one of that name in ${elsewhere.realm.region})` : "";
    throw new LambentError("NotFound", `Function not found: ${functionArn(realm, name)}${hint}`);
  }

  onChange(listener: (change: FunctionChange) => void): void {
    this.#listeners.push(listener);
  }

  /** Calls `listener` with code that no version or layer of any realm uses any more. */
  onCodeReleased(listener: (code: CodeReference) => void): void {
    this.#released.push(listener);
  }

  usesCode(code: Pick<CodeReference, "sha256">): boolean {
    return this.states().some((state) => state.usesCode(code));
  }

  /** Decides on committed state, commits, applies. Throws what `decide` throws, and then nothing has happened. */
  async change<T>(realm: Realm, decide: (state: RealmState) => ChangeDecision<T>): Promise<T> {
    const cell = this.#cell(realm);
    return cell.changes.take(() => this.#commit(cell, decide));
  }

  async #commit<T>(cell: RealmCell, decide: (state: RealmState) => ChangeDecision<T>): Promise<T> {
    const decision = decide(cell.state);
    if (decision.writes.length > 0) await this.#commitPart(cell, decision.writes.slice(0, OPS_PER_COMMIT_MAX));
    for (const change of decision.announce ?? []) for (const listener of this.#listeners) listener(change);
    await this.#removeRest(cell, decision.writes.slice(OPS_PER_COMMIT_MAX));
    return decision.result;
  }

  /**
   * A commit takes so many ops; only the deletion of a function has more. Its first commit made the rest unreachable, so
   * the change has happened whatever becomes of them: `load` removes what stays.
   */
  async #removeRest(cell: RealmCell, writes: readonly Write[]): Promise<void> {
    try {
      for (let start = 0; start < writes.length; start += OPS_PER_COMMIT_MAX) {
        await this.#commitPart(cell, writes.slice(start, start + OPS_PER_COMMIT_MAX));
      }
    } catch (error) {
      if (!isLambentError(error)) throw error;
    }
  }

  async #commitPart(cell: RealmCell, writes: readonly Write[]): Promise<void> {
    const ended = await this.#store.commit(cell.key, "any", encodeWrites(cell.key, cell.state.realm, writes, this.#cipher));
    if (ended.kind === "conflict") throw new LambentError("Conflict", "The registry was changed by another owner.");
    const replaced = writes.flatMap((write) => codesReplacedBy(cell.state, write));
    for (const write of writes) cell.state.apply(write);
    for (const code of new Map(replaced.map((code) => [code.sha256, code])).values()) {
      if (!this.usesCode(code)) for (const listener of this.#released) listener(code);
    }
  }

  #cell(realm: Realm): RealmCell {
    const met = this.#byRealm.get(realm);
    if (met) return met;
    const cell = this.#cellByKey(realm);
    this.#byRealm.set(realm, cell);
    return cell;
  }

  #cellByKey(realm: Realm): RealmCell {
    const key = `${realmKey(realm)}/registry/functions/0`;
    const known = this.#cells.get(key);
    if (known) return known;
    const fresh: RealmCell = { key, state: new RealmState(realm), changes: new Turns("functions", REGISTRY_CHANGES_WAITING_MAX) };
    this.#cells.set(key, fresh);
    return fresh;
  }

  async #loadCell(realm: Realm): Promise<void> {
    const cell = this.#cell(realm);
    const leftOver: Write[] = [];
    for await (const row of eachRow(this.#store, cell.key)) {
      const write = decodeRow(realm, row.key, row.value, this.#cipher);
      if (!cell.state.apply(write)) leftOver.push({ ...write, value: undefined } as Write);
    }
    if (leftOver.length > 0) await this.change(realm, () => ({ writes: leftOver, result: undefined }));
  }
}
