/**
 * The protocols behind one door: which one a request speaks is seen in the request, never assumed from its service,
 * because clients of one service differ (wire protocols per SDK and age).
 *
 * Keeps P7 (every document, depth and count is bounded) and P8 (nothing a request holds throws anything but a
 * `LambentError`). Does not authenticate, does not route to operations, knows no service by name.
 */
import { LambentError, type Fault } from "../base/index.ts";
import { requireDocumentFits } from "./bounds.ts";
import { parseJson } from "./codec/json.ts";
import { TEXT_JSON, TreeReader } from "./codec/tree.ts";
import type { WireRequest, WireResponse } from "./http.ts";
import { detectProtocol } from "./detect.ts";
import type { Codec, ReportDefect } from "./protocols/codec.ts";
import { awsJson } from "./protocols/aws-json.ts";
import { awsQuery } from "./protocols/aws-query.ts";
import { restJson } from "./protocols/rest-json.ts";
import { isStreamed, restXml } from "./protocols/rest-xml.ts";
import { rpcCbor } from "./protocols/rpc-cbor.ts";
import type { OperationModel, ServiceModel, StructureShape } from "./schema.ts";
import type { Protocol } from "./service-data.ts";
import { validate } from "./validate.ts";

/** A request, understood. */
export interface Decoded {
  readonly service: ServiceModel;
  /** The operation's name as AWS spells it: `CreateFunction`. */
  readonly operation: string;
  readonly protocol: Protocol;
  readonly method?: string;
  /** Members by name; timestamps are `Date`, blobs are `Buffer`. Null prototypes throughout. */
  readonly input: Readonly<Record<string, unknown>>;
}

/** Whom an error is answered to; a `Decoded` is one, and `errorTarget` makes one for a request that could not be decoded. */
export interface ErrorTarget {
  readonly service: ServiceModel | undefined;
  readonly protocol: Protocol;
  /** The request's, where it is known. */
  readonly method?: string;
}

/** An error as the wire carries it. */
export interface WireError {
  /** The shape's name, or a name of its own where AWS has no shape: `ResourceNotFoundException`. */
  readonly name: string;
  readonly message: string;
  /** For names without a shape: what awsQuery calls it, where that is another name. */
  readonly queryCode?: string;
  /** For names without a shape; a shape's own status wins over the fault's usual one, and this over both. */
  readonly status?: number;
  /** For names without a shape. */
  readonly fault?: Fault;
  /** Further members, as the shape names them. */
  readonly members?: Readonly<Record<string, unknown>>;
  /** Headers of the answer, lower case. */
  readonly headers?: Readonly<Record<string, string>>;
}

const CODECS: Readonly<Record<Protocol, Codec>> = {
  restJson1: restJson,
  awsJson1_0: awsJson("1.0"),
  awsJson1_1: awsJson("1.1"),
  awsQuery,
  rpcv2Cbor: rpcCbor,
  restXml,
};

/**
 * Reads a request for `service` by the service's schema, and checks it against the schema's rules.
 *
 * @throws LambentError UnknownOperation, MalformedRequest (bytes or types), InvalidParameter (rules, all at once), RequestTooLarge
 */
export function decode(request: WireRequest, service: ServiceModel): Decoded {
  const protocol = detectProtocol(request, service);
  const codec = CODECS[protocol];
  const { operation, input } = codec.decode(request, service);
  if (codec.validate) codec.validate(operation, input);
  else if (operation.input) validate(operation.input, input);
  return { service, operation: operation.name, protocol, input, method: request.method };
}

/**
 * Whether the operation takes its payload as a stream: then `decode` is given the request with `stream`, and not with a body. Asked with the
 * head alone; a request that is for no operation takes none, and `decode` says what is wrong with it.
 */
export function takesStream(request: Pick<WireRequest, "method" | "rawUrl" | "headers">, service: ServiceModel): boolean {
  return service.protocol === "restXml" && isStreamed(request, service);
}

/**
 * Reads what `operation` is called with where it is no request of a client: JSON with AWS's own names of members, in which blobs are texts.
 * Checked as `decode` checks.
 *
 * @see EventBridge Scheduler User Guide, "Using universal targets"
 * @throws LambentError MalformedRequest, InvalidParameter, RequestTooLarge
 */
export function decodeInput(json: Buffer, operation: OperationModel): Decoded["input"] {
  requireDocumentFits(operation, json.length);
  const input: Record<string, unknown> = { __proto__: null };
  new TreeReader(TEXT_JSON).members(operation.input?.members ?? [], parseJson(json), input);
  if (operation.input) validate(operation.input, input);
  return input;
}

/**
 * Answers `decoded` with `output`. Members that are undefined or null are left out, as are members the schema does
 * not have. A streamed payload and an event stream (an async iterable of `{ member: value }`) become a stream, and what
 * breaks such a one is told to `reportDefect`, when it is no `LambentError`: its reader learns only that it broke.
 */
export function encodeOutput(
  decoded: Decoded,
  output: Readonly<Record<string, unknown>> | undefined,
  requestId: string,
  reportDefect: ReportDefect = () => undefined,
): WireResponse {
  const operation = decoded.service.operations.get(decoded.operation);
  if (!operation) throw new LambentError("UnknownOperation", `${decoded.service.name} has no operation ${decoded.operation}.`);
  const response = CODECS[decoded.protocol].encodeOutput(decoded.service, operation, output ?? {}, requestId, reportDefect);
  response.headers["x-amzn-requestid"] = requestId;
  return response;
}

/** Answers with an error, in the form the request's protocol has for errors. */
export function encodeError(target: ErrorTarget, error: WireError, requestId: string): WireResponse {
  const shape = target.service?.error(error.name);
  const response = CODECS[target.protocol].encodeError({
    service: target.service,
    shape,
    name: error.name,
    queryCode: shape?.error?.queryCode ?? error.queryCode ?? error.name,
    message: error.message,
    status: error.status ?? shape?.error?.status ?? (error.fault === "caller" ? 400 : 500),
    fault: faultOf(shape, error),
    members: error.members ?? {},
    requestId,
    method: target.method,
  });
  Object.assign(response.headers, error.headers);
  response.headers["x-amzn-requestid"] = requestId;
  return response;
}

function faultOf(shape: StructureShape | undefined, error: WireError): "client" | "server" {
  if (shape?.error) return shape.error.fault;
  if (error.fault) return error.fault === "caller" ? "client" : "server";
  return (error.status ?? 500) < 500 ? "client" : "server";
}

/**
 * Whom to answer when `request` could not be decoded: its protocol is guessed from what it shows. Where the service is known but its schema
 * could not be read, `known` says what it speaks.
 */
export function errorTarget(
  request: WireRequest,
  service: ServiceModel | undefined,
  known: Pick<ServiceModel, "protocol"> | undefined = service,
): ErrorTarget {
  return { service, protocol: detectProtocol(request, known), method: request.method };
}
