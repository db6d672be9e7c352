import { LATEST, type FunctionVersion, type Realm } from "../../model/index.ts";
import type { EventInvokeRecord, RecursionMode } from "../records.ts";
import type { FunctionEntry } from "../realm-state.ts";
import type { Registry } from "../registry.ts";
import { flowFromTags, type FlowSettings } from "../rules/flow.ts";
import type { Tags } from "../rules/tags.ts";

/** What an asynchronous invocation of a function goes by. */
export interface AsynchronousSettings {
  readonly recursion: RecursionMode;
  /** Of the version that is called; through an alias, of the one it points to first. */
  readonly deadLetterArn: string | undefined;
  readonly reservedConcurrency: number | undefined;
  /** Undefined when nothing was set for the qualifier. */
  readonly eventInvoke: EventInvokeRecord | undefined;
  readonly flow: FlowSettings;
}

/** Asynchronous invocations: who a name stands for now, and what is set for them. Reads memory. */
export class Asynchronous {
  readonly #registry: Registry;
  readonly #flows = new WeakMap<Tags, FlowSettings>();

  constructor(registry: Registry) {
    this.#registry = registry;
  }

  /** What tells a function from an earlier one of the same name; undefined when there is none. */
  functionId(realm: Realm, name: string): string | undefined {
    return this.#registry.state(realm).functions.get(name)?.record.id;
  }

  /** Realms that have, or had, functions. */
  realms(): Realm[] {
    return this.#registry.states().map(({ realm }) => realm);
  }

  /** The settings for calls with this qualifier; undefined when there is no such function, version or alias. */
  settings(realm: Realm, name: string, qualifier: string | undefined): AsynchronousSettings | undefined {
    const entry = this.#registry.state(realm).functions.get(name);
    const version = entry && versionOf(entry, qualifier ?? LATEST);
    if (!entry || !version) return undefined;
    const { recursion, reservedConcurrency, tags } = entry.record;
    const eventInvoke = entry.parts.eventInvoke.get(qualifier ?? LATEST);
    return { recursion, reservedConcurrency, deadLetterArn: version.deadLetterArn, eventInvoke, flow: this.#flow(tags) };
  }

  #flow(tags: Tags): FlowSettings {
    const known = this.#flows.get(tags);
    if (known) return known;
    const made = flowFromTags(tags);
    this.#flows.set(tags, made);
    return made;
  }
}

function versionOf({ record, parts }: FunctionEntry, qualifier: string): FunctionVersion | undefined {
  const number = parts.alias.get(qualifier)?.version ?? qualifier;
  return number === LATEST ? record.latest.version : parts.version.get(number)?.version;
}
