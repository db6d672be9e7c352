import { LambentError } from "../../base/index.ts";
import { LATEST, type Realm } from "../../model/index.ts";
import type { CorsSettings, UrlRecord } from "../records.ts";
import type { FunctionEntry } from "../realm-state.ts";
import type { Registry } from "../registry.ts";
import { CORS_MAX_AGE_SECONDS_MAX } from "../rules/limits.ts";
import { functionArn, isVersionNumber } from "../rules/names.ts";
import { page, type Page, type PageRequest } from "../rules/paging.ts";

export interface UrlInput {
  readonly authType?: UrlRecord["authType"] | undefined;
  /** Replaces the settings there were; `null` takes them away. */
  readonly cors?: CorsSettings | null | undefined;
  readonly invokeMode?: UrlRecord["invokeMode"] | undefined;
}

export interface UrlView extends UrlRecord {
  readonly realm: Realm;
  readonly functionName: string;
  /** An alias, or undefined for the function itself. */
  readonly qualifier: string | undefined;
}

const URL_ID_ALPHABET = "abcdefghijklmnopqrstuvwxyz234567";
const URL_ID_LENGTH = 32;

/** Function URLs: one for a function, one for each of its aliases. */
export class Urls {
  readonly #registry: Registry;
  /** What `ofFunction` found, for each record: it is asked for every call by path. */
  readonly #ownViews = new WeakMap<UrlRecord, UrlView>();

  constructor(registry: Registry) {
    this.#registry = registry;
  }

  /** `NotFound`, `AlreadyExists`, `InvalidParameter`. */
  async create(
    realm: Realm,
    name: string,
    qualifier: string | undefined,
    input: UrlInput & { readonly authType: UrlRecord["authType"] },
  ): Promise<UrlView> {
    checkCors(input.cors);
    return await this.#registry.change(realm, () => {
      const entry = this.#entry(realm, name, qualifier);
      if (entry.parts.url.has(qualifier ?? LATEST)) {
        throw new LambentError(
          "AlreadyExists",
          `Failed to create function url config for [functionArn = ${functionArn(realm, name, qualifier)}]. Error message:  FunctionUrlConfig exists for this Lambda function`,
        );
      }
      const now = this.#registry.clock.now();
      const value: UrlRecord = {
        urlId: this.#freshId(),
        authType: input.authType,
        cors: input.cors ?? undefined,
        invokeMode: input.invokeMode ?? "BUFFERED",
        createdAt: now,
        modifiedAt: now,
      };
      return {
        writes: [{ kind: "url", functionId: entry.record.id, qualifier: qualifier ?? LATEST, value }],
        result: view(realm, name, qualifier, value),
      };
    });
  }

  /** What is left out keeps its value. `NotFound`, `InvalidParameter`. */
  async update(realm: Realm, name: string, qualifier: string | undefined, input: UrlInput): Promise<UrlView> {
    checkCors(input.cors);
    return await this.#registry.change(realm, () => {
      const before = this.get(realm, name, qualifier);
      const value: UrlRecord = {
        urlId: before.urlId,
        authType: input.authType ?? before.authType,
        cors: input.cors === undefined ? before.cors : (input.cors ?? undefined),
        invokeMode: input.invokeMode ?? before.invokeMode,
        createdAt: before.createdAt,
        modifiedAt: this.#registry.clock.now(),
      };
      const functionId = this.#registry.entry(realm, name).record.id;
      return { writes: [{ kind: "url", functionId, qualifier: qualifier ?? LATEST, value }], result: view(realm, name, qualifier, value) };
    });
  }

  /** `NotFound` for function, alias or URL. In memory, for every call. */
  get(realm: Realm, name: string, qualifier: string | undefined): UrlView {
    const record = this.#entry(realm, name, qualifier).parts.url.get(qualifier ?? LATEST);
    if (!record)
      throw new LambentError(
        "NotFound",
        `The resource you requested does not exist: ${functionArn(realm, name, qualifier)} has no function URL.`,
      );
    return view(realm, name, qualifier, record);
  }

  /** The URL whose host begins with `urlId`, in whichever realm. */
  find(urlId: string): UrlView | undefined {
    for (const state of this.#registry.states()) {
      const place = state.urlOwner(urlId);
      const record = place?.entry.parts.url.get(place.qualifier);
      if (place && record) return view(state.realm, place.entry.name, aliasOf(place.qualifier), record);
    }
    return undefined;
  }

  /** The function's own URL, or undefined. For every HTTP call that names the function in its path. */
  ofFunction(realm: Realm, name: string): UrlView | undefined {
    const record = this.#registry.state(realm).functions.get(name)?.parts.url.get(LATEST);
    return record && this.#ownView(realm, name, record);
  }

  list(realm: Realm, name: string, request: PageRequest): Page<UrlView> {
    const urls = [...this.#registry.entry(realm, name).parts.url].map(([qualifier, record]) =>
      view(realm, name, aliasOf(qualifier), record),
    );
    return page(urls, (url) => url.qualifier ?? LATEST, request);
  }

  /** `NotFound` for function, alias or URL. */
  async remove(realm: Realm, name: string, qualifier: string | undefined): Promise<void> {
    await this.#registry.change(realm, () => {
      this.get(realm, name, qualifier);
      const functionId = this.#registry.entry(realm, name).record.id;
      return { writes: [{ kind: "url", functionId, qualifier: qualifier ?? LATEST, value: undefined }], result: undefined };
    });
  }

  #ownView(realm: Realm, name: string, record: UrlRecord): UrlView {
    const known = this.#ownViews.get(record);
    if (known) return known;
    const made = view(realm, name, undefined, record);
    this.#ownViews.set(record, made);
    return made;
  }

  #entry(realm: Realm, name: string, qualifier: string | undefined): FunctionEntry {
    const entry = this.#registry.entry(realm, name);
    if (qualifier === undefined) return entry;
    if (qualifier === LATEST || isVersionNumber(qualifier))
      throw new LambentError("InvalidParameter", `Qualifier is ${qualifier}; a function URL belongs to a function or an alias.`);
    if (!entry.parts.alias.has(qualifier)) throw new LambentError("NotFound", `Function not found: ${functionArn(realm, name, qualifier)}`);
    return entry;
  }

  #freshId(): string {
    return [...this.#registry.secureRandom.bytes(URL_ID_LENGTH)]
      .map((byte) => URL_ID_ALPHABET.charAt(byte % URL_ID_ALPHABET.length))
      .join("");
  }
}

function aliasOf(qualifier: string): string | undefined {
  return qualifier === LATEST ? undefined : qualifier;
}

function view(realm: Realm, functionName: string, qualifier: string | undefined, record: UrlRecord): UrlView {
  return { realm, functionName, qualifier, ...record };
}

const METHOD = /^(?:\*|GET|PUT|HEAD|POST|PATCH|DELETE)$/;

function checkCors(cors: CorsSettings | null | undefined): void {
  if (!cors) return;
  const wrong = cors.allowMethods?.find((method) => !METHOD.test(method));
  if (wrong !== undefined)
    throw new LambentError(
      "InvalidParameter",
      `Cors.AllowMethods has ${JSON.stringify(wrong.slice(0, 50))}; it takes GET, PUT, HEAD, POST, PATCH, DELETE and *.`,
    );
  const age = cors.maxAgeSeconds;
  if (age !== undefined && (!Number.isInteger(age) || age < 0 || age > CORS_MAX_AGE_SECONDS_MAX)) {
    throw new LambentError(
      "InvalidParameter",
      `Cors.MaxAge is ${age}; it is a whole number of seconds from 0 to ${CORS_MAX_AGE_SECONDS_MAX}.`,
    );
  }
}
