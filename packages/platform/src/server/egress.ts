import { lookup } from "node:dns/promises";
import { createEgress, type Egress, type OpenedDestination } from "../security/index.ts";

/** How functions name this machine when a port of it is opened to them: their own loopback is another one. */
export const HOST_NAME_INSIDE = "host.lambent";

/** The egress rule with what the operator opened. Throws `InvalidParameter` for a destination that is none. */
export function openEgress(opened: readonly OpenedDestination[]): Egress {
  return createEgress({ opened, lookup: resolve });
}

async function resolve(host: string): Promise<readonly string[]> {
  if (host === HOST_NAME_INSIDE) return ["127.0.0.1"];
  return (await lookup(host, { all: true })).map(({ address }) => address);
}
