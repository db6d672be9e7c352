import { lookup } from "node:dns/promises";
import { createEgress, type Egress, type EgressToAll, type OpenedDestination } from "../security/index.ts";

/** How functions name this machine when a port of it is opened to them: their own loopback is another one. */
export const HOST_NAME_INSIDE = "host.lambent";

/** The egress rule with what the operator opened. Throws `InvalidParameter` for a destination that is none. */
export function openEgress(opened: readonly OpenedDestination[]): Egress {
  return createEgress({ opened, lookup: resolve });
}

/** The same for what the platform sends itself; with `onLoopback` also to this machine, which is said once. */
export function openDeliveryEgress(
  opened: readonly OpenedDestination[],
  onLoopback: ((host: string, port: number) => void) | undefined,
): EgressToAll {
  return createEgress({ opened, lookup: resolve, ...(onLoopback ? { onLoopback } : {}) });
}

/** What is said the first time an event goes to an endpoint on this machine. */
export function loopbackSaid(host: string, port: number): string {
  return `events are sent to ${host}:${port} on this machine; a server that others reach would refuse that`;
}

async function resolve(host: string): Promise<readonly string[]> {
  if (host === HOST_NAME_INSIDE) return ["127.0.0.1"];
  return (await lookup(host, { all: true })).map(({ address }) => address);
}
