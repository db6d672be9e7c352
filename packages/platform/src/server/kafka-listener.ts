/**
 * Kafka's listener: a socket from the start on, and behind it nothing until a client comes. Connections of instances come by listeners of
 * their own and are handed over as well; the address a client came by is the one it is told.
 */
import { createHash } from "node:crypto";
import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { type Clock, isLambentError, type Later, LambentError } from "../base/index.ts";
import { type AccessRequest, type Arrival, KafkaDoor, type KafkaSockets } from "../gateway/index.ts";
import type { InstanceCaller, Realm } from "../model/index.ts";
import type { Authorizer, Credentials, RootKey } from "../security/index.ts";
import { isLoopback } from "./loopback.ts";
import type { KafkaOptions, KafkaReport } from "./options.ts";
import { principalOf } from "./role-permission.ts";
import type { Streaming } from "./streaming.ts";

/** Partitions of a topic that is made without saying how many. */
const PARTITIONS_DEFAULT = 1;

export interface KafkaListenerParts {
  readonly streaming: Later<Streaming>;
  readonly credentials: Credentials;
  readonly authorizer: Authorizer;
  readonly rootKey: RootKey;
  /** Whom clients of this machine are, who do not sign in. */
  readonly realm: Realm;
  readonly clock: Clock;
  /** The same for as long as the data folder is. */
  readonly folderKey: Uint8Array;
  readonly options: KafkaOptions;
  readonly reportDefect: (error: unknown) => void;
}

export class KafkaListener implements KafkaSockets {
  readonly #parts: KafkaListenerParts;
  readonly #door: KafkaDoor;
  readonly #server: Server;
  #admitsAll = false;
  #address: string | undefined;

  constructor(parts: KafkaListenerParts) {
    const { streaming, credentials, authorizer, realm, clock, folderKey, options, reportDefect } = parts;
    this.#parts = parts;
    this.#door = new KafkaDoor({
      ...{ credentials, clock, reportDefect, region: realm.region },
      streams: async () => (await streaming.get()).streams,
      groups: async () => (await streaming.get()).groups,
      allows: (asked) => allows(authorizer, asked),
      clusterId: createHash("sha256").update("kafka cluster").update(folderKey).digest("base64url").slice(0, 22),
      settings: { autoCreate: options.autoCreate, partitions: PARTITIONS_DEFAULT },
    });
    this.#server = createServer({ noDelay: true }, (socket) => this.take(socket));
  }

  /** Where clients of this machine come in; what is usual where there is no listener. */
  static readonly USUAL_ADDRESS = "127.0.0.1:9092";

  get address(): string {
    return this.#address ?? KafkaListener.USUAL_ADDRESS;
  }

  /** Begins to listen. A port that is taken is said in the report, unless it was asked for: then this throws `PortTaken`. */
  async listen(host: string): Promise<KafkaReport> {
    const { port, isAskedFor } = this.#parts.options;
    // Who is not on this machine signs in.
    this.#admitsAll = isLoopback(host);
    this.#server.listen({ host, port });
    try {
      await once(this.#server, "listening");
    } catch (error) {
      if (!isTaken(error)) throw error;
      if (isAskedFor) throw new LambentError("PortTaken", `Port ${port} of ${host} is in use.`, { port });
      return { kind: "portTaken", port };
    }
    const { address, family, port: bound } = this.#server.address() as AddressInfo;
    this.#address = `${family === "IPv6" ? `[${address}]` : address}:${bound}`;
    return { kind: "listening", address: this.#address };
  }

  take(socket: Socket, caller?: InstanceCaller): void {
    const advertised = { host: socket.localAddress ?? "127.0.0.1", port: socket.localPort ?? 0 };
    this.#door.serve(socket, { advertised, admitted: this.#admitted(caller), ...(caller ? { caller } : {}) });
  }

  /** Takes no more connections, and ends those that are open. */
  async close(): Promise<void> {
    this.#server.close();
    await this.#door.close();
  }

  #admitted(caller: InstanceCaller | undefined): Arrival["admitted"] {
    const { realm, rootKey } = this.#parts;
    if (caller) return { principal: principalOf(caller.version), realm: caller.version.realm };
    if (!this.#admitsAll) return undefined;
    return { principal: { kind: "root", account: rootKey.account, accessKeyId: rootKey.accessKeyId }, realm };
  }
}

function allows(authorizer: Authorizer, { principal, realm, action, resource }: AccessRequest): boolean {
  try {
    authorizer.authorize({ principal, requestId: "", region: realm.region, action, resource, resourcePolicy: undefined });
    return true;
  } catch (error) {
    if (isLambentError(error, "AccessDenied")) return false;
    throw error;
  }
}

function isTaken(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "EADDRINUSE";
}
