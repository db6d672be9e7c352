/**
 * Connections: how requests to endpoints are authorised, by name.
 *
 * What authorises is sealed as a whole before it is written and stays sealed in memory; it is opened for the one request that needs it.
 * Nothing shows a secret again. Deliberately absent: getting tokens (`delivery/http`), which is announced by `onAuthorizing` and ends with
 * `settle`.
 */
import { type Clock, type Instant, LambentError, type SecureRandom } from "../../base/index.ts";
import { type Cipher, type Realm, realmKey } from "../../model/index.ts";
import { RealmTables, type Store } from "../../storage/index.ts";
import { type AuthorizationDraft, type AuthorizationKind, authorizationOf, type ConnectionContent } from "./authorization.ts";
import { checkParameters, type ConnectionParameters, NO_PARAMETERS } from "./connection-parameters.ts";
import { checkDestinationName, parseDestinationArn } from "./names.ts";

/** Connections of a realm; AWS's quota. @limit */
const CONNECTIONS_MAX = 3_000;
/** Changes of connections of one realm that wait for their turn (P7). @limit */
const CONNECTION_CHANGES_WAITING_MAX = 1_000;
/** Characters of a description. @limit */
const DESCRIPTION_CHARACTERS_MAX = 512;

/** What is sealed, as base64. Only who was de-authorised has nothing. */
export type ConnectionState =
  | { readonly kind: "authorized"; readonly sealed: string }
  /** Its first token is being fetched. */
  | { readonly kind: "authorizing"; readonly sealed: string }
  /** The token endpoint gave none, for this reason. What is sent by it asks again. */
  | { readonly kind: "refused"; readonly sealed: string; readonly reason: string }
  /** Its secrets were removed. */
  | { readonly kind: "deauthorized" };

export interface Connection {
  readonly name: string;
  /** Another one each time a connection of this name is created. */
  readonly id: string;
  readonly description: string | undefined;
  readonly authorizes: AuthorizationKind;
  readonly state: ConnectionState;
  /** Counts changes of what is sealed: a token that was got with the secrets before is not used. */
  readonly version: number;
  readonly createdAt: Instant;
  readonly modifiedAt: Instant;
  readonly authorizedAt: Instant | undefined;
}

export interface ConnectionDraft {
  readonly description: string | undefined;
  readonly authorization: AuthorizationDraft;
  readonly invocation: ConnectionParameters | undefined;
}

/** What is undefined stays. */
export interface ConnectionChange {
  readonly description: string | undefined;
  readonly authorization: AuthorizationDraft | undefined;
  readonly invocation: ConnectionParameters | undefined;
}

/** How getting the first token ended. */
export type AuthorizationEnd = { readonly kind: "authorized" } | { readonly kind: "refused"; readonly reason: string };

export interface ConnectionsParts {
  readonly store: Store;
  readonly cipher: Cipher;
  readonly clock: Clock;
  readonly secureRandom: SecureRandom;
  /** A connection needs its first token; `settle` says how that ended. */
  readonly onAuthorizing: (realm: Realm, name: string) => void;
}

export class Connections {
  readonly #parts: ConnectionsParts;
  readonly #tables: RealmTables<Connection>;

  private constructor(parts: ConnectionsParts, tables: RealmTables<Connection>) {
    this.#parts = parts;
    this.#tables = tables;
  }

  static async open(parts: ConnectionsParts): Promise<Connections> {
    const tables = await RealmTables.load<Connection>({
      store: parts.store,
      kind: "destinations",
      prefix: "connection/",
      changesWaitingMax: CONNECTION_CHANGES_WAITING_MAX,
    });
    return new Connections(parts, tables);
  }

  /** Announces those that a stop left without their first token. */
  resume(): void {
    for (const { realm, items } of this.#tables)
      for (const { name, state } of items.values()) if (state.kind === "authorizing") this.#parts.onAuthorizing(realm, name);
  }

  /** Throws `AlreadyExists`, `LimitExceeded`, `InvalidParameter`. */
  async create(realm: Realm, name: string, draft: ConnectionDraft): Promise<Connection> {
    checkDestinationName(name);
    checkDescription(draft.description);
    const content = contentOf(draft, undefined);
    const table = this.#tables.of(realm);
    const made = await table.changes.take(async () => {
      if (table.items.has(name)) throw new LambentError("AlreadyExists", `Connection ${name} already exists.`);
      if (table.items.size >= CONNECTIONS_MAX)
        throw new LambentError("LimitExceeded", `The account has ${CONNECTIONS_MAX} connections in this region, which is the limit.`);
      const now = this.#parts.clock.now();
      const blank = { name, id: this.#parts.secureRandom.uuid(), description: draft.description, version: 1, createdAt: now };
      const connection = this.#withContent(realm, blank, content, now);
      await table.put(name, connection);
      return connection;
    });
    this.#announce(realm, made);
    return made;
  }

  /** Throws `NotFound`, `InvalidParameter`. */
  async update(realm: Realm, name: string, change: ConnectionChange): Promise<Connection> {
    checkDescription(change.description);
    const changed = await this.#change(realm, name, (connection) => {
      const now = this.#parts.clock.now();
      const description = change.description ?? connection.description;
      if (!change.authorization && !change.invocation) return { ...connection, description, modifiedAt: now };
      const content = contentOf(change, this.content(realm, connection));
      const { id, createdAt, version } = connection;
      return this.#withContent(realm, { name, id, description, version: version + 1, createdAt }, content, now);
    });
    this.#announce(realm, changed);
    return changed;
  }

  /** Removes its secrets; it stays, for new ones. Throws `NotFound`. */
  deauthorize(realm: Realm, name: string): Promise<Connection> {
    return this.#change(realm, name, (connection) => ({
      ...connection,
      state: { kind: "deauthorized" },
      version: connection.version + 1,
      modifiedAt: this.#parts.clock.now(),
    }));
  }

  /** Throws `NotFound`. What names it finds nothing from now on. */
  remove(realm: Realm, name: string): Promise<Connection> {
    const table = this.#tables.of(realm);
    return table.changes.take(async () => {
      const connection = this.get(realm, name);
      await table.remove(name);
      return connection;
    });
  }

  /** Notes how getting a token with the secrets of `version` ended; nothing happens when it has others by now. */
  async settle(realm: Realm, { name, id, version }: Pick<Connection, "name" | "id" | "version">, end: AuthorizationEnd): Promise<void> {
    const table = this.#tables.of(realm);
    await table.changes.take(async () => {
      const connection = table.items.get(name);
      if (connection?.id !== id || connection.version !== version || connection.state.kind === "deauthorized") return;
      const { sealed } = connection.state;
      if (end.kind === "refused") return table.put(name, { ...connection, state: { kind: "refused", sealed, reason: end.reason } });
      await table.put(name, { ...connection, state: { kind: "authorized", sealed }, authorizedAt: this.#parts.clock.now() });
    });
  }

  /** Throws `NotFound`. */
  get(realm: Realm, name: string): Connection {
    const connection = this.#tables.items(realm).get(name);
    if (!connection) throw new LambentError("NotFound", `Failed to describe the connection(s). Connection '${name}' does not exist.`);
    return connection;
  }

  /** The connection of an ARN; undefined when it is gone, or is another one of the same name. */
  byArn(arn: string): { readonly realm: Realm; readonly connection: Connection } | undefined {
    const reference = parseDestinationArn("connection", arn);
    const connection = reference && this.#tables.items(reference.realm).get(reference.name);
    return connection && connection.id === reference.id ? { realm: reference.realm, connection } : undefined;
  }

  /** In the order of names. */
  list(realm: Realm, prefix: string): readonly Connection[] {
    return byName(this.#tables.items(realm).values(), prefix);
  }

  /** What authorises, opened; undefined for one that was de-authorised. */
  content(realm: Realm, connection: Connection): ConnectionContent | undefined {
    if (connection.state.kind === "deauthorized") return undefined;
    const bytes = this.#parts.cipher.open(Buffer.from(connection.state.sealed, "base64"), sealContext(realm, connection));
    return JSON.parse(bytes.toString("utf8")) as ConnectionContent;
  }

  #withContent(
    realm: Realm,
    kept: Pick<Connection, "name" | "id" | "description" | "version" | "createdAt">,
    content: ConnectionContent,
    now: Instant,
  ): Connection {
    const sealed = this.#parts.cipher.seal(Buffer.from(JSON.stringify(content)), sealContext(realm, kept)).toString("base64");
    const authorizes = content.authorization.kind;
    if (authorizes === "oauth")
      return { ...kept, authorizes, state: { kind: "authorizing", sealed }, modifiedAt: now, authorizedAt: undefined };
    return { ...kept, authorizes, state: { kind: "authorized", sealed }, modifiedAt: now, authorizedAt: now };
  }

  #change(realm: Realm, name: string, change: (connection: Connection) => Connection): Promise<Connection> {
    const table = this.#tables.of(realm);
    return table.changes.take(async () => {
      const changed = change(this.get(realm, name));
      await table.put(name, changed);
      return changed;
    });
  }

  #announce(realm: Realm, { name, state }: Connection): void {
    if (state.kind === "authorizing") this.#parts.onAuthorizing(realm, name);
  }
}

/** What was sealed for one connection cannot be put into the place of another. */
function sealContext(realm: Realm, { name, id }: Pick<Connection, "name" | "id">): string {
  return `${realmKey(realm)}/connection/${name}/${id}`;
}

function contentOf(
  change: Pick<ConnectionChange, "authorization" | "invocation">,
  current: ConnectionContent | undefined,
): ConnectionContent {
  const authorization = change.authorization ? authorizationOf(change.authorization, current?.authorization) : current?.authorization;
  if (!authorization)
    throw new LambentError("InvalidParameter", "AuthorizationType and AuthParameters are required: the connection has none.");
  const invocation = change.invocation ?? current?.invocation ?? NO_PARAMETERS;
  checkParameters(invocation);
  return { authorization, invocation };
}

/** Refuses a description that is too long. */
export function checkDescription(description: string | undefined): void {
  if (description === undefined || description.length <= DESCRIPTION_CHARACTERS_MAX) return;
  throw new LambentError(
    "InvalidParameter",
    `Description has ${description.length} characters; at most ${DESCRIPTION_CHARACTERS_MAX} are allowed.`,
  );
}

/** Definitions whose name begins so, in order. */
export function byName<T extends { readonly name: string }>(items: Iterable<T>, prefix: string): readonly T[] {
  return [...items].filter(({ name }) => name.startsWith(prefix)).sort((left, right) => (left.name < right.name ? -1 : 1));
}
