/** Whose broker a mapping of Kafka names: this server's own, or one elsewhere. */
import type { KafkaCluster } from "../mappings/mapping.ts";

const LOOPBACK: ReadonlySet<string> = new Set(["localhost", "127.0.0.1", "[::1]"]);

/** The broker in this server is known by where it is reached; names of this machine are alike. */
export function clusterOf(cluster: KafkaCluster, ownAddress: string): KafkaCluster {
  if (cluster.kind !== "selfManaged" || cluster.servers.every((server) => plain(server) === plain(ownAddress))) return cluster;
  return { kind: "external", servers: cluster.servers, access: cluster.access ?? [] };
}

function plain(server: string): string {
  const colon = server.lastIndexOf(":");
  const host = server.slice(0, colon).toLowerCase();
  return `${LOOPBACK.has(host) ? "localhost" : host}${server.slice(colon)}`;
}
