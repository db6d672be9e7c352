import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { test, type TestContext } from "node:test";
import { isLambentError } from "../../src/base/index.ts";
import { BodyBudget, RECEIVED_BYTES_MAX } from "../../src/gateway/index.ts";

const LIMIT = 100_000;

/** A server that hands its requests to the test, and raw connections to it. */
async function listen(context: TestContext) {
  const server = createServer();
  const sockets: Socket[] = [];
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  context.after(() => {
    for (const socket of sockets) socket.destroy();
    server.closeAllConnections();
    server.close();
  });
  return async (head: string): Promise<{ readonly request: IncomingMessage; readonly socket: Socket }> => {
    const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
    sockets.push(socket.on("error", () => undefined));
    const arrived = once(server, "request") as Promise<[IncomingMessage]>;
    socket.write(`POST / HTTP/1.1\r\nHost: here\r\n${head}\r\n\r\n`);
    const [request] = await arrived;
    return { request, socket };
  };
}

const refused = (code: "RequestTooLarge" | "MalformedRequest" | "InFlightBytesExceeded") => (error: unknown) => isLambentError(error, code);

test("P7: a body counts from its first byte until it is released", async (context) => {
  const begin = await listen(context);
  const budget = new BodyBudget();
  const { request, socket } = await begin("Content-Length: 10");
  const received = budget.receive(request, LIMIT);
  socket.write("12345");
  await once(request, "data");
  assert.equal(budget.held, 5);
  socket.write("67890");
  const body = await received;
  assert.equal(body.bytes.toString(), "1234567890");
  assert.equal(budget.held, 10);
  body.release();
  body.release();
  assert.equal(budget.held, 0, "releasing twice gives back once");
});

test("a chunked body is put together, and bounded as it comes", async (context) => {
  const begin = await listen(context);
  const budget = new BodyBudget();
  const whole = await begin("Transfer-Encoding: chunked");
  const received = budget.receive(whole.request, LIMIT);
  whole.socket.write("5\r\nhello\r\n6\r\n there\r\n0\r\n\r\n");
  assert.equal((await received).bytes.toString(), "hello there");
  (await received).release();

  const long = await begin("Transfer-Encoding: chunked");
  const refusal = assert.rejects(async () => budget.receive(long.request, 10), refused("RequestTooLarge"));
  long.socket.write("b\r\nhello world\r\n");
  await refusal;
  assert.equal(budget.held, 0);
});

test("a body that says it is too long is refused before a byte of it is read", async (context) => {
  const begin = await listen(context);
  const budget = new BodyBudget();
  const { request } = await begin(`Content-Length: ${LIMIT + 1}`);
  assert.throws(() => budget.receive(request, LIMIT), refused("RequestTooLarge"));
  assert.equal(budget.held, 0);
});

test("a request without a body is an empty one, at once", async (context) => {
  const begin = await listen(context);
  const budget = new BodyBudget();
  const body = budget.receive((await begin("Content-Length: 0")).request, LIMIT);
  assert.ok(!(body instanceof Promise));
  assert.equal(body.bytes.length, 0);
  assert.ok(!(budget.receive((await begin("X-Nothing: 1")).request, LIMIT) instanceof Promise));
});

test("a connection that ends within the body is a malformed request, and its bytes are given back", async (context) => {
  const begin = await listen(context);
  const budget = new BodyBudget();
  for (const end of ["destroy", "resetAndDestroy"] as const) {
    const { request, socket } = await begin("Content-Length: 100");
    const refusal = assert.rejects(async () => budget.receive(request, LIMIT), refused("MalformedRequest"));
    socket.write("some of it");
    await once(request, "data");
    socket[end]();
    await refusal;
    assert.equal(budget.held, 0);
  }
});

test("P7: when all bodies together are over the bound the next bytes are refused, and the others go on", async (context) => {
  const begin = await listen(context);
  const budget = new BodyBudget();
  const first = await begin("Content-Length: 10");
  const kept = budget.receive(first.request, LIMIT);
  const second = await begin("Content-Length: 20");
  // The bound is half a gigabyte: bodies of that size are stood in for by a chunk that says it is as long.
  const huge = Object.defineProperty(Buffer.from("x"), "length", { value: RECEIVED_BYTES_MAX });
  const refusal = assert.rejects(async () => budget.receive(second.request, Infinity), refused("InFlightBytesExceeded"));
  first.socket.write("12345");
  await once(first.request, "data");
  second.request.emit("data", huge);
  await refusal;
  assert.equal(budget.held, 5);
  first.socket.write("67890");
  assert.equal((await kept).bytes.length, 10);
});
