/** What a handler is told about a request beside its body, and how a handler becomes the answer to one of the APIs. */
import type { Realm } from "../../model/index.ts";
import type { KafkaAction, ResourceKind } from "./access.ts";
import {
  type Api,
  type Decoded,
  type Encodable,
  type Fields,
  type Reader,
  type RequestHeader,
  Writer,
  writeResponseHeader,
} from "./protocol/index.ts";
import type { SignIn } from "./sign-in.ts";

export interface Address {
  readonly host: string;
  readonly port: number;
}

export interface Call {
  readonly realm: Realm;
  readonly version: number;
  /** What the client calls itself; empty where it does not. */
  readonly clientId: string;
  readonly clientHost: string;
  /** Where this client reaches this broker: the only one there is. */
  readonly broker: Address;
  /** Aborts when the client is gone or the server stops: nobody waits for the answer any more. */
  readonly stopping: AbortSignal;
  readonly signIn: SignIn;
  /** Whether the client may do this. */
  may(action: KafkaAction, kind: ResourceKind, name: string): boolean;
  /** Called once the answer is written or given up: for what is held for it. */
  onAnswered(task: () => void): void;
}

/** An answer on its way. `undefined` for a request that is not answered. */
interface Begun {
  readonly answer: Promise<Writer | undefined>;
}

/** One API and what answers it. */
export interface Route {
  readonly key: number;
  readonly versions: readonly [number, number];
  /** Whether the next request of this kind may begin while the answer to this one is on its way. */
  readonly isPipelined: boolean;
  isFlexible(version: number): boolean;
  /**
   * Resolves when the next request may begin. Rejects with `MalformedRequest` for a body that is none.
   */
  begin(body: Reader, header: RequestHeader, call: Call): Promise<Begun>;
}

/** A route whose requests are answered one behind the other. */
export function route<Request extends Fields, Response extends Fields>(
  api: Api<Request, Response>,
  handle: (request: Decoded<Request>, call: Call) => Promise<Encodable<Response>> | Encodable<Response>,
): Route {
  return pipelined(api, false, async (request, call) => ({ response: Promise.resolve(handle(request, call)) }));
}

/** A route whose requests overlap: what `handle` does before it resolves is in their order. */
export function pipelinedRoute<Request extends Fields, Response extends Fields>(
  api: Api<Request, Response>,
  handle: (request: Decoded<Request>, call: Call) => Promise<{ readonly response: Promise<Encodable<Response> | undefined> }>,
): Route {
  return pipelined(api, true, handle);
}

function pipelined<Request extends Fields, Response extends Fields>(
  api: Api<Request, Response>,
  isPipelined: boolean,
  handle: (request: Decoded<Request>, call: Call) => Promise<{ readonly response: Promise<Encodable<Response> | undefined> }>,
): Route {
  return {
    key: api.key,
    versions: api.versions,
    isPipelined,
    isFlexible: (version) => api.isFlexible(version),
    async begin(body, { version, correlationId }, call) {
      const { response } = await handle(api.requestCodec(version).read(body), call);
      return { answer: response.then((given) => given && encodeAnswer(api, version, correlationId, given)) };
    },
  };
}

/** The key of ApiVersions, whose answers have the header that every client understands. */
const API_VERSIONS_KEY = 18;

/** An answer with its header, without its length. */
export function encodeAnswer<Response extends Fields>(
  api: Api<Fields, Response>,
  version: number,
  correlationId: number,
  response: Encodable<Response>,
): Writer {
  const writer = new Writer();
  writeResponseHeader(writer, correlationId, api.isFlexible(version) && api.key !== API_VERSIONS_KEY);
  api.responseCodec(version).write(writer, response);
  return writer;
}
