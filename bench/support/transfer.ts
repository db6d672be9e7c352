/** Large bodies over one connection each, written and read with as little as a client can do. */
import { once } from "node:events";
import { connect, type Socket } from "node:net";

const CHUNK = Buffer.alloc(1024 * 1024, "lambent ");
const HEAD_END = "\r\n\r\n";

/** Sends a request whose body is `bytes` bytes of text; gives the answer's head. */
export async function upload(port: number, head: Buffer, bytes: number): Promise<string> {
  const socket = connect({ host: "127.0.0.1", port, noDelay: true });
  await once(socket, "connect");
  try {
    const answered = answerHead(socket);
    socket.write(head);
    for (let left = bytes; left > 0; left -= CHUNK.length)
      if (!socket.write(left < CHUNK.length ? CHUNK.subarray(0, left) : CHUNK)) await Promise.race([once(socket, "drain"), answered]);
    return await answered;
  } finally {
    socket.destroy();
  }
}

/** Sends a request and throws the answer's body away as it comes; `look` sees it. Gives the number of its bytes. */
export async function download(port: number, request: Buffer, look: (chunk: Buffer) => void = () => undefined): Promise<number> {
  const socket = connect({ host: "127.0.0.1", port, noDelay: true });
  socket.write(request);
  let head: Buffer | undefined = Buffer.alloc(0);
  let expected = Number.NaN;
  let bytes = 0;
  try {
    for await (const chunk of socket as AsyncIterable<Buffer>) {
      let body = chunk;
      if (head) {
        head = Buffer.concat([head, chunk]);
        const end = head.indexOf(HEAD_END);
        if (end < 0) continue;
        expected = lengthOf(head.toString("latin1", 0, end));
        body = head.subarray(end + HEAD_END.length);
        head = undefined;
      }
      bytes += body.length;
      look(body);
      if (bytes === expected) return bytes;
    }
  } finally {
    socket.destroy();
  }
  throw new TypeError(`the connection ended after ${bytes} of ${expected} bytes`);
}

/** What `upload` sends, chunk by chunk. */
export function* uploaded(bytes: number): Generator<Buffer> {
  for (let left = bytes; left > 0; left -= CHUNK.length) yield left < CHUNK.length ? CHUNK.subarray(0, left) : CHUNK;
}

function answerHead(socket: Socket): Promise<string> {
  return new Promise((resolve, reject) => {
    let pending = "";
    socket.on("data", (chunk: Buffer) => {
      pending += chunk.toString("latin1");
      if (!pending.includes(HEAD_END)) return;
      if (pending.startsWith("HTTP/1.1 200 ")) resolve(pending);
      else reject(new TypeError(`an upload was answered ${pending}`));
    });
    socket.on("error", reject);
    socket.on("close", () => reject(new TypeError("the server closed the connection before it answered")));
  });
}

function lengthOf(head: string): number {
  if (!head.startsWith("HTTP/1.1 200 ")) throw new TypeError(`a download was answered ${head}`);
  return Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1]);
}
