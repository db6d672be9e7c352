/** All connections of Kafka's clients: loaded when the first one comes. Owns what they share: routes, and the bounds over all of them (P7). */
import type { Socket } from "node:net";
import type { Clock } from "../../base/index.ts";
import type { InstanceCaller } from "../../model/index.ts";
import type { Credentials } from "../../security/index.ts";
import type { ConsumerGroups, Streams } from "../../streams/index.ts";
import type { Admitted, AllowsAccess } from "./access.ts";
import { ByteBudget } from "./byte-budget.ts";
import type { Address, Route } from "./call.ts";
import { Connection } from "./connection.ts";
import { configRoutes } from "./handlers/configs.ts";
import { fetchRoute } from "./handlers/fetch.ts";
import { groupAdminRoutes } from "./handlers/group-admin.ts";
import { groupOffsetRoutes } from "./handlers/group-offsets.ts";
import { groupRoutes } from "./handlers/groups.ts";
import { metadataRoutes } from "./handlers/metadata.ts";
import { offsetRoutes } from "./handlers/offsets.ts";
import type { HandlerParts } from "./handlers/parts.ts";
import { produceRoute } from "./handlers/produce.ts";
import { topicAdminRoutes } from "./handlers/topic-admin.ts";
import { SIGN_IN_ROUTES } from "./sign-in-routes.ts";
import { SignIn } from "./sign-in.ts";
import { Topics, type TopicSettings } from "./topics.ts";

/** Clients connected at once; one more is closed at once. @limit */
export const KAFKA_CONNECTIONS_MAX = 2_000;
/** Bytes of requests being received and answered, of all connections; beyond it they are read later. @limit */
export const KAFKA_RECEIVED_BYTES_MAX = 256 * 1024 * 1024;
/** Bytes of records on their way to readers, of all connections; beyond it answers get smaller. @limit */
export const KAFKA_FETCHED_BYTES_MAX = 256 * 1024 * 1024;
/** How long answers under way may take once the server stops. */
const CLOSE_MS_MAX = 2_000;

export interface KafkaDependencies {
  readonly streams: () => Promise<Streams>;
  readonly groups: () => Promise<ConsumerGroups>;
  readonly credentials: Pick<Credentials, "find">;
  /** Whether policies allow it; not asked for the holder of an account's root key. */
  readonly allows: AllowsAccess;
  readonly clock: Clock;
  /** Region of credentials that name none. */
  readonly region: string;
  /** What clients take for the cluster's id: the same for as long as the data is the same. */
  readonly clusterId: string;
  readonly settings: TopicSettings;
  readonly reportDefect: (error: unknown) => void;
}

/** What is known of a connection before it says anything. */
export interface Arrival {
  /** Where the client reaches this server: the address it came by. */
  readonly advertised: Address;
  /** Who it belongs to without signing in; undefined where everybody signs in. */
  readonly admitted: Admitted | undefined;
  /** The instance whose own listener this is: only its credentials are taken. */
  readonly caller?: InstanceCaller;
}

export class Connections {
  readonly #dependencies: KafkaDependencies;
  readonly #topics: Topics;
  readonly #routes: ReadonlyMap<number, Route>;
  readonly #frames = new ByteBudget(KAFKA_RECEIVED_BYTES_MAX);
  readonly #open = new Map<Connection, { readonly socket: Socket; readonly ended: Promise<void> }>();

  private constructor(dependencies: KafkaDependencies, streams: Streams, groups: ConsumerGroups) {
    const { clock, clusterId, settings, reportDefect } = dependencies;
    this.#dependencies = dependencies;
    this.#topics = new Topics(streams, settings);
    const fetched = new ByteBudget(KAFKA_FETCHED_BYTES_MAX);
    this.#routes = routesOf({ streams, groups, topics: this.#topics, clock, clusterId, fetched, reportDefect });
  }

  /** Opens what the handlers work with. */
  static async open(dependencies: KafkaDependencies): Promise<Connections> {
    const [streams, groups] = await Promise.all([dependencies.streams(), dependencies.groups()]);
    return new Connections(dependencies, streams, groups);
  }

  /** Serves a client until it goes. */
  serve(socket: Socket, { advertised, admitted, caller }: Arrival): void {
    if (this.#open.size >= KAFKA_CONNECTIONS_MAX || socket.destroyed) return void socket.destroy();
    const { clock, credentials, region, allows, clusterId, reportDefect } = this.#dependencies;
    const signIn = new SignIn({ credentials, region, caller, access: { allows, clock, clusterId } }, admitted);
    const connection = new Connection(socket, advertised, signIn, { clock, routes: this.#routes, frames: this.#frames, reportDefect });
    const ended = connection.run().then(() => void this.#open.delete(connection));
    this.#open.set(connection, { socket, ended });
  }

  /** Takes no more requests; waits a moment for the answers under way. */
  async close(): Promise<void> {
    this.#topics.close();
    const open = [...this.#open];
    for (const [connection] of open) connection.stop();
    const late = Promise.withResolvers<void>();
    const timer = this.#dependencies.clock.schedule(CLOSE_MS_MAX, late.resolve);
    await Promise.race([Promise.all(open.map(([, { ended }]) => ended)), late.promise]);
    timer.cancel();
    for (const [, { socket }] of open) socket.destroy();
  }
}

function routesOf(parts: HandlerParts): ReadonlyMap<number, Route> {
  const routes = [
    ...SIGN_IN_ROUTES,
    ...metadataRoutes(parts),
    produceRoute(parts),
    fetchRoute(parts),
    ...offsetRoutes(parts),
    ...topicAdminRoutes(parts),
    ...configRoutes(parts),
    ...groupRoutes(parts),
    ...groupOffsetRoutes(parts),
    ...groupAdminRoutes(parts),
  ];
  return new Map(routes.map((each) => [each.key, each]));
}
