/** The bound of the HTTP benches: the smallest `node:http` server, in a process of its own. Prints its port. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

const body = Buffer.from('{"hello":"world"}');
const server = createServer((_request, response) => {
  response.writeHead(200, { "content-type": "application/json", "content-length": body.length });
  response.end(body);
});
server.listen(0, "127.0.0.1", () => console.log((server.address() as AddressInfo).port));
process.on("SIGTERM", () => process.exit(0));
