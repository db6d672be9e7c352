import { LATEST, type CodeReference, type Realm } from "../../model/index.ts";
import type { Shelf } from "../code/shelf.ts";
import type { RecursionMode } from "../records.ts";
import type { FunctionEntry } from "../realm-state.ts";
import type { Registry } from "../registry.ts";
import { numberKey, page, type Page, type PageRequest } from "../rules/paging.ts";
import type { Tags } from "../rules/tags.ts";
import { viewOf, viewOfLatest, viewOfVersion, type FunctionView } from "./views.ts";

/** What belongs to a function as a whole, whichever version is asked for. */
export interface FunctionDetails {
  readonly tags: Tags;
  readonly reservedConcurrency: number | undefined;
  readonly recursion: RecursionMode;
}

/** Functions and versions as their owners see them. Reads memory; nothing here changes anything. */
export class Reading {
  readonly #registry: Registry;
  readonly #shelf: Shelf;

  constructor(registry: Registry, shelf: Shelf) {
    this.#registry = registry;
    this.#shelf = shelf;
  }

  /** `NotFound` for function, version or alias. */
  get(realm: Realm, name: string, qualifier: string | undefined): FunctionView {
    return viewOf(realm, this.#registry.entry(realm, name), qualifier);
  }

  /** `NotFound`. */
  details(realm: Realm, name: string): FunctionDetails {
    const { tags, reservedConcurrency, recursion } = this.#registry.entry(realm, name).record;
    return { tags, reservedConcurrency, recursion };
  }

  /** `$LATEST` of all functions by name; with `allVersions`, every version of each behind it. */
  list(realm: Realm, allVersions: boolean, request: PageRequest): Page<FunctionView> {
    const views = [...this.#registry.state(realm).functions.values()].flatMap((entry) =>
      allVersions ? versionsOf(entry) : [viewOfLatest(entry)],
    );
    // A space sorts before everything names consist of, so a function's versions stay together.
    return page(views, ({ version }) => `${version.name} ${versionOrder(version.version)}`, request);
  }

  /** `$LATEST`, then the published versions from the first. `NotFound`. */
  listVersions(realm: Realm, name: string, request: PageRequest): Page<FunctionView> {
    return page(versionsOf(this.#registry.entry(realm, name)), ({ version }) => versionOrder(version.version), request);
  }

  /** The zip whose SHA-256 is `sha256` (base64url), when something in the realm uses it. */
  async zipBySha256(realm: Realm, sha256: string): Promise<Buffer | undefined> {
    const code = this.#registry.state(realm).codeBySha256(Buffer.from(sha256, "base64url").toString("base64"));
    return code && (await this.#shelf.zip(code));
  }

  /** The zip as it was uploaded. */
  async zip(code: CodeReference): Promise<Buffer> {
    return await this.#shelf.zip(code);
  }
}

function versionsOf(entry: FunctionEntry): FunctionView[] {
  return [viewOfLatest(entry), ...[...entry.parts.version.values()].map(viewOfVersion)];
}

function versionOrder(version: string): string {
  return numberKey(version === LATEST ? 0 : Number(version));
}
