import { once } from "node:events";
import { createServer, type AddressInfo, type Server } from "node:net";
import { invariant } from "../../base/index.ts";
import type { InstanceListeners } from "../sandbox.ts";
import { adoptListener } from "./listeners.ts";

/** Four listeners on free ports of the host's loopback, for instances without a network namespace of their own. */
export async function openHostListeners(): Promise<InstanceListeners> {
  const [api, proxy, runtimeApi, kafka] = await Promise.all([listen(), listen(), listen(), listen()]);
  return {
    api,
    proxy,
    runtimeApi,
    kafka,
    apiAddress: addressOf(api),
    proxyAddress: addressOf(proxy),
    runtimeApiAddress: addressOf(runtimeApi),
    kafkaAddress: addressOf(kafka),
  };
}

async function listen(): Promise<Server> {
  const server = adoptListener(createServer({ noDelay: true }));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return server;
}

function addressOf(server: Server): string {
  const address: AddressInfo | string | null = server.address();
  invariant(typeof address === "object" && address !== null, "a TCP listener has an address and a port");
  return `127.0.0.1:${address.port}`;
}
