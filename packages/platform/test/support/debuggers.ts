/** Debuggers as the real ones speak: Chrome's protocol over WebSocket, the Debug Adapter Protocol over a socket. */
import { once } from "node:events";
import { connect } from "node:net";
import { deferred, type Deferred, invariant } from "../../src/base/index.ts";

type Json = Readonly<Record<string, unknown>>;

export interface DebuggerClient {
  /** One request; rejects when the debugger refuses it. */
  ask(method: string, parameters?: Json): Promise<Json>;
  /** The next event of this name, also one that came before and nobody took. */
  event(name: string): Promise<Json>;
  readonly closed: Promise<void>;
  close(): void;
}

/** What both protocols share: answers by number, events by name. */
class Conversation {
  readonly closed: Promise<void>;
  readonly #closed = deferred<void>();
  readonly #answers = new Map<number, Deferred<Json>>();
  readonly #events = new Map<string, { readonly came: Json[]; readonly awaited: Deferred<Json>[] }>();
  #nextId = 1;

  constructor() {
    this.closed = this.#closed.promise;
  }

  ask(send: (id: number) => void): Promise<Json> {
    const id = this.#nextId++;
    const answer = deferred<Json>();
    this.#answers.set(id, answer);
    send(id);
    return answer.promise;
  }

  answered(id: number, failure: string | undefined, result: Json): void {
    const answer = this.#answers.get(id);
    this.#answers.delete(id);
    if (failure === undefined) answer?.resolve(result);
    else answer?.reject(new TypeError(failure));
  }

  happened(name: string, what: Json): void {
    const { came, awaited } = this.#of(name);
    const next = awaited.shift();
    if (next) next.resolve(what);
    else came.push(what);
  }

  event(name: string): Promise<Json> {
    const { came, awaited } = this.#of(name);
    const next = came.shift();
    if (next) return Promise.resolve(next);
    const wanted = deferred<Json>();
    awaited.push(wanted);
    return wanted.promise;
  }

  end(): void {
    this.#closed.resolve();
    for (const answer of this.#answers.values()) answer.reject(new TypeError("the debugger's connection ended"));
  }

  #of(name: string): { readonly came: Json[]; readonly awaited: Deferred<Json>[] } {
    const known = this.#events.get(name) ?? { came: [], awaited: [] };
    this.#events.set(name, known);
    return known;
  }
}

/** The address Chrome finds: `/json` at the host and port a person gave it. */
export async function inspectorUrl(address: string): Promise<string> {
  const [target] = (await (await fetch(`http://${address}/json`)).json()) as { readonly webSocketDebuggerUrl: string }[];
  invariant(target, "the inspector names its target");
  return target.webSocketDebuggerUrl;
}

export async function attachInspector(address: string): Promise<DebuggerClient> {
  const conversation = new Conversation();
  const socket = new WebSocket(await inspectorUrl(address));
  socket.addEventListener("message", ({ data }) => {
    const message = JSON.parse(String(data)) as { id?: number; method?: string; params?: Json; result?: Json; error?: { message: string } };
    if (message.id !== undefined) conversation.answered(message.id, message.error?.message, message.result ?? {});
    else conversation.happened(message.method ?? "", message.params ?? {});
  });
  socket.addEventListener("close", () => conversation.end());
  await once(socket, "open");
  return {
    ask: (method, params = {}) => conversation.ask((id) => socket.send(JSON.stringify({ id, method, params }))),
    event: (name) => conversation.event(name),
    closed: conversation.closed,
    close: () => socket.close(),
  };
}

/** A message of the Debug Adapter Protocol: an event, or the response to a request. */
type Message =
  | { readonly type: "event"; readonly event: string; readonly body?: Json }
  | { readonly type: "response"; readonly request_seq: number; readonly success: boolean; readonly message?: string; readonly body?: Json };

export async function attachDebugpy(address: string): Promise<DebuggerClient> {
  const conversation = new Conversation();
  const [host, port] = address.split(":");
  const socket = connect({ host: host ?? "", port: Number(port) });
  let buffered = Buffer.alloc(0);
  socket.on("data", (piece: Buffer) => {
    buffered = Buffer.concat([buffered, piece]);
    for (let message = cut(); message; message = cut()) {
      const body = message.body ?? {};
      if (message.type === "event") conversation.happened(message.event, body);
      else if (message.type === "response") {
        conversation.answered(message.request_seq, message.success ? undefined : (message.message ?? "refused"), body);
      }
    }
  });
  function cut(): Message | undefined {
    const headEnd = buffered.indexOf("\r\n\r\n");
    const length = Number(/Content-Length: (\d+)/u.exec(buffered.subarray(0, headEnd + 1).toString())?.[1]);
    if (headEnd < 0 || buffered.length < headEnd + 4 + length) return undefined;
    const text = buffered.subarray(headEnd + 4, headEnd + 4 + length).toString();
    buffered = buffered.subarray(headEnd + 4 + length);
    return JSON.parse(text) as Message;
  }
  socket.on("error", () => socket.destroy());
  socket.once("close", () => conversation.end());
  await once(socket, "connect");
  return {
    ask: (command, args = {}) =>
      conversation.ask((seq) => {
        const text = JSON.stringify({ seq, type: "request", command, arguments: args });
        socket.write(`Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`);
      }),
    event: (name) => conversation.event(name),
    closed: conversation.closed,
    close: () => socket.destroy(),
  };
}
