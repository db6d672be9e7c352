/**
 * Events on a bus: how long one takes from PutEvents to the handler of the function a rule names, when nothing else happens; the same while
 * the rule has a target that answers nothing; and how many a server takes durably a second.
 */
import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import type { AddressInfo } from "node:net";
import { deployAll } from "../support/application.ts";
import { answersPerSecond } from "../support/load.ts";
import type { Sample } from "../support/pair.ts";
import { BenchServer } from "../support/server.ts";
import { oneAtATime } from "../support/to-handler.ts";

const CONNECTIONS = 64;
const SIGNED_REQUESTS = 64;
const ENTRIES = 10;
const ACCOUNT = "000000000000";
const FUNCTION_ARN = `arn:aws:lambda:us-east-1:${ACCOUNT}:function:listener`;
const RULE = "placed";
const ROLE = `arn:aws:iam::${ACCOUNT}:role/bench`;

const FILES = {
  "index.mjs": `
let entered = [];
export const handler = async (event) => {
  if (!event.read) return void (event.detail.n >= 0 && entered.push([event.detail.n, performance.timeOrigin + performance.now()]));
  const all = entered;
  entered = [];
  return all;
};`,
};

export interface BusDeliveryResult {
  /** From the write of the request to the handler. */
  readonly toHandler: readonly Sample[];
  /** The same beside a target that hangs, in the same rounds. */
  readonly besideDead: readonly Sample[];
  /** Events a second, ten in a call. */
  readonly accepted: readonly Sample[];
}

export async function measureBusDelivery(options: {
  readonly rounds: number;
  readonly roundMs: number;
  readonly idleEvents: number;
}): Promise<BusDeliveryResult> {
  const server = await BenchServer.start();
  const dead = await HangingEndpoint.open();
  try {
    await deployAll(server, { listener: { runtime: "nodejs24.x", files: FILES, concurrency: 100 } });
    await server.call("lambda", "POST", "/2015-03-31/functions/listener/invocations", '{"read":true}');
    await wire(server);
    const deadArn = await deadTarget(server, dead.url);
    const result = { toHandler: [] as Sample[], besideDead: [] as Sample[], accepted: [] as Sample[] };
    for (let round = 0; round < options.rounds; round++) {
      result.toHandler.push(await idle(server, options.idleEvents));
      await server.callRpc("events", "PutTargets", { Rule: RULE, Targets: [{ Id: "dead", Arn: deadArn, RoleArn: ROLE }] });
      result.besideDead.push(await idle(server, options.idleEvents));
      await server.callRpc("events", "RemoveTargets", { Rule: RULE, Ids: ["dead"] });
    }
    for (let round = 0; round < options.rounds; round++) result.accepted.push(await accept(server, options.roundMs));
    return result;
  } finally {
    await server.stop();
    dead.close();
  }
}

async function wire(server: BenchServer): Promise<void> {
  const permission = { StatementId: "bus", Action: "lambda:InvokeFunction", Principal: "events.amazonaws.com" };
  await server.call("lambda", "POST", "/2015-03-31/functions/listener/policy", JSON.stringify(permission));
  await server.callRpc("events", "PutRule", {
    Name: RULE,
    EventPattern: JSON.stringify({ source: ["bench"], detail: { n: [{ exists: true }] } }),
  });
  await server.callRpc("events", "PutTargets", { Rule: RULE, Targets: [{ Id: "listener", Arn: FUNCTION_ARN }] });
}

/** An API destination whose endpoint takes connections and answers nothing. */
async function deadTarget(server: BenchServer, url: string): Promise<string> {
  const auth = { AuthorizationType: "BASIC", AuthParameters: { BasicAuthParameters: { Username: "a", Password: "b" } } };
  const connection = JSON.parse((await server.callRpc("events", "CreateConnection", { Name: "dead", ...auth })).body) as {
    ConnectionArn: string;
  };
  const asked = { Name: "dead", ConnectionArn: connection.ConnectionArn, InvocationEndpoint: url, HttpMethod: "POST" };
  const made = JSON.parse((await server.callRpc("events", "CreateApiDestination", asked)).body) as { ApiDestinationArn: string };
  return made.ApiDestinationArn;
}

function putEvents(server: BenchServer, numbers: readonly number[]): Buffer {
  const entries = numbers.map((n) => ({ Source: "bench", DetailType: "placed", Detail: JSON.stringify({ n, fill: "x".repeat(200) }) }));
  return server.signedRpc("events", "PutEvents", { Entries: entries });
}

/** One event at a time, each after the one before has reached its handler. */
function idle(server: BenchServer, events: number): Promise<Sample> {
  return oneAtATime(server, "listener", { events, status: 200, request: (n) => putEvents(server, [n]) });
}

/** Events a second from 64 callers, delivered meanwhile; the next round begins when all are. */
async function accept(server: BenchServer, durationMs: number): Promise<Sample> {
  const requests = Array.from({ length: SIGNED_REQUESTS }, () =>
    putEvents(
      server,
      Array.from({ length: ENTRIES }, () => -1),
    ),
  );
  const sample = await answersPerSecond({ port: server.port, connections: CONNECTIONS, durationMs, requests }, () => server.cpuMs());
  await server.isQuiet();
  return { ...sample, value: sample.value * ENTRIES };
}

/** Takes connections and says nothing. */
class HangingEndpoint {
  readonly url: string;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(server: Server) {
    this.#server = server;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    server.on("connection", (socket) => this.#sockets.add(socket.on("error", () => undefined)));
  }

  static async open(): Promise<HangingEndpoint> {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    return new HangingEndpoint(server);
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
  }
}
