/** The "public" machine: runs in a network namespace of its own, serves HTTP and TLS once it has its address, ends with its input. */
import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import { createServer as createTlsServer } from "node:https";

const { address, key, certificate } = JSON.parse(process.argv[2] ?? "{}") as Record<"address" | "key" | "certificate", string>;
const answer: RequestListener = (request, response) => response.end(`public ${request.method} ${request.url}`);

process.stdout.write("waiting\n");
await once(process.stdin, "data");
for (const [server, port] of [
  [createServer(answer), 80],
  [createTlsServer({ key, cert: certificate }, answer), 443],
] as const) {
  server.listen(port, address);
  await once(server, "listening");
}
process.stdout.write("serving\n");
await once(process.stdin.resume(), "close");
process.exit(0);
