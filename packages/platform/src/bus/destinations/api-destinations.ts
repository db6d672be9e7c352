/** API destinations: endpoints by name, each with the connection that authorises, and how often it may be called. */
import { type Clock, type Instant, LambentError, type SecureRandom } from "../../base/index.ts";
import type { Realm } from "../../model/index.ts";
import { RealmTables, type Store } from "../../storage/index.ts";
import { byName, checkDescription, type Connections } from "./connections.ts";
import { checkEndpoint } from "./connection-parameters.ts";
import { checkDestinationName, parseDestinationArn } from "./names.ts";

/** API destinations of a realm; AWS's quota. @limit */
const API_DESTINATIONS_MAX = 3_000;
/** Changes of API destinations of one realm that wait for their turn (P7). @limit */
const DESTINATION_CHANGES_WAITING_MAX = 1_000;
/** Calls per second where nothing is said; AWS's default. @limit */
const INVOCATIONS_PER_SECOND_DEFAULT = 300;

const DESTINATION_METHODS = ["POST", "GET", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE"] as const;
export type DestinationMethod = (typeof DESTINATION_METHODS)[number];

export interface ApiDestination {
  readonly name: string;
  /** Another one each time an API destination of this name is created. */
  readonly id: string;
  readonly description: string | undefined;
  readonly connectionArn: string;
  /** Stars in its path are filled by whoever sends. */
  readonly endpoint: string;
  readonly method: DestinationMethod;
  readonly invocationsPerSecond: number;
  readonly createdAt: Instant;
  readonly modifiedAt: Instant;
}

/** What is undefined stays, and has its default in a new one. */
export type ApiDestinationChange = {
  readonly [Member in "description" | "connectionArn" | "endpoint" | "method" | "invocationsPerSecond"]: ApiDestination[Member] | undefined;
};

export type ApiDestinationDraft = ApiDestinationChange & Pick<ApiDestination, "connectionArn" | "endpoint" | "method">;

export interface ApiDestinationsParts {
  readonly store: Store;
  readonly connections: Pick<Connections, "byArn">;
  readonly clock: Clock;
  readonly secureRandom: SecureRandom;
}

export class ApiDestinations {
  readonly #parts: ApiDestinationsParts;
  readonly #tables: RealmTables<ApiDestination>;

  private constructor(parts: ApiDestinationsParts, tables: RealmTables<ApiDestination>) {
    this.#parts = parts;
    this.#tables = tables;
  }

  static async open(parts: ApiDestinationsParts): Promise<ApiDestinations> {
    const tables = await RealmTables.load<ApiDestination>({
      store: parts.store,
      kind: "destinations",
      prefix: "api-destination/",
      changesWaitingMax: DESTINATION_CHANGES_WAITING_MAX,
    });
    return new ApiDestinations(parts, tables);
  }

  /** Throws `AlreadyExists`, `LimitExceeded`, `InvalidParameter`; `NotFound` for the connection. */
  create(realm: Realm, name: string, draft: ApiDestinationDraft): Promise<ApiDestination> {
    checkDestinationName(name);
    this.#check(realm, draft);
    const table = this.#tables.of(realm);
    return table.changes.take(async () => {
      if (table.items.has(name)) throw new LambentError("AlreadyExists", `An api-destination '${name}' already exists.`);
      if (table.items.size >= API_DESTINATIONS_MAX)
        throw new LambentError(
          "LimitExceeded",
          `The account has ${API_DESTINATIONS_MAX} API destinations in this region, which is the limit.`,
        );
      const now = this.#parts.clock.now();
      const { description, connectionArn, endpoint, method, invocationsPerSecond = INVOCATIONS_PER_SECOND_DEFAULT } = draft;
      const destination = {
        ...{ name, id: this.#parts.secureRandom.uuid(), description, connectionArn, endpoint, method, invocationsPerSecond },
        ...{ createdAt: now, modifiedAt: now },
      };
      await table.put(name, destination);
      return destination;
    });
  }

  /** Throws `NotFound`, also for the connection, and `InvalidParameter`. */
  update(realm: Realm, name: string, change: ApiDestinationChange): Promise<ApiDestination> {
    this.#check(realm, change);
    const table = this.#tables.of(realm);
    return table.changes.take(async () => {
      const given = Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined));
      const changed: ApiDestination = { ...this.get(realm, name), ...given, modifiedAt: this.#parts.clock.now() };
      await table.put(name, changed);
      return changed;
    });
  }

  /** Throws `NotFound`. */
  async remove(realm: Realm, name: string): Promise<void> {
    const table = this.#tables.of(realm);
    await table.changes.take(async () => {
      this.get(realm, name);
      await table.remove(name);
    });
  }

  /** Throws `NotFound`. */
  get(realm: Realm, name: string): ApiDestination {
    const destination = this.#tables.items(realm).get(name);
    if (!destination)
      throw new LambentError("NotFound", `Failed to describe the api-destination(s). An api-destination '${name}' does not exist.`);
    return destination;
  }

  /** The API destination of an ARN; undefined when it is gone, or is another one of the same name. */
  byArn(arn: string): { readonly realm: Realm; readonly destination: ApiDestination } | undefined {
    const reference = parseDestinationArn("api-destination", arn);
    const destination = reference && this.#tables.items(reference.realm).get(reference.name);
    return destination && destination.id === reference.id ? { realm: reference.realm, destination } : undefined;
  }

  /** In the order of names. */
  list(realm: Realm, prefix: string): readonly ApiDestination[] {
    return byName(this.#tables.items(realm).values(), prefix);
  }

  #check(realm: Realm, { description, endpoint, connectionArn, method, invocationsPerSecond }: ApiDestinationChange): void {
    checkDescription(description);
    if (endpoint !== undefined) checkEndpoint(endpoint, "InvocationEndpoint", "stars");
    if (method !== undefined && !DESTINATION_METHODS.includes(method))
      throw new LambentError("InvalidParameter", `HttpMethod is ${String(method)}; it is one of ${DESTINATION_METHODS.join(", ")}.`);
    if (invocationsPerSecond !== undefined && !(Number.isInteger(invocationsPerSecond) && invocationsPerSecond >= 1))
      throw new LambentError("InvalidParameter", `InvocationRateLimitPerSecond is ${invocationsPerSecond}; it is a whole number from 1.`);
    if (connectionArn === undefined) return;
    const named = this.#parts.connections.byArn(connectionArn);
    if (!named || named.realm.account !== realm.account || named.realm.region !== realm.region)
      throw new LambentError("NotFound", `Connection '${connectionArn}' does not exist.`);
  }
}
