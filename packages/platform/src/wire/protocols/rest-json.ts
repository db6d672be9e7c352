import { LambentError } from "../../base/index.ts";
import { requireDocumentFits } from "../bounds.ts";
import { jsonResponse, parseJson } from "../codec/json.ts";
import { bytesOf } from "../codec/text.ts";
import { REST_JSON, TreeReader, writeMembers, writeValue } from "../codec/tree.ts";
import { eventStreamBody } from "../event-stream.ts";
import type { WireRequest, WireResponse } from "../http.ts";
import { readBindings, writeHeaders } from "../http-bindings.ts";
import { findRoute } from "../route.ts";
import type { HttpBindings, Member, OperationModel, ServiceModel, StructureShape } from "../schema.ts";
import { type Codec, type ErrorToEncode, errorMembers, type ReportDefect } from "./codec.ts";
import { Readable } from "node:stream";

const JSON_TYPE = "application/json";
const NO_BODY = Buffer.alloc(0);

/** JSON bodies over HTTP's own method, path, query and headers. */
export const restJson: Codec = {
  decode(request, service) {
    const routed = findRoute(service, request.method, request.rawUrl, request.headers);
    if (!routed)
      throw new LambentError("UnknownOperation", `${service.name} has no operation for ${request.method} ${request.rawUrl.slice(0, 256)}.`);
    const operation = routed.route.operation;
    const input: Record<string, unknown> = { __proto__: null };
    if (operation.input) {
      const bindings = operation.input.bindings;
      readBindings(bindings, routed, request, input);
      readBody(operation, bindings, request, input);
    }
    return { operation, input };
  },

  encodeOutput(service, operation, output, requestId, reportDefect) {
    const usual = operation.http?.status ?? 200;
    if (!operation.output) return { status: usual, headers: {}, body: NO_BODY };
    return encodeStructure(service, operation.output, output, { usualStatus: usual, requestId, reportDefect });
  },

  encodeError(error: ErrorToEncode): WireResponse {
    const members = errorMembers(error);
    const headers = error.shape ? writeHeaders(error.shape.bindings, members) : {};
    const tree = error.shape ? writeMembers(error.shape.bindings.body, members, REST_JSON) : members;
    if (!("message" in tree) && !("Message" in tree)) tree["message"] = error.message;
    const response = jsonResponse(error.status, JSON_TYPE, tree);
    Object.assign(response.headers, headers, { "x-amzn-errortype": error.name });
    return response;
  },
};

function readBody(operation: OperationModel, bindings: HttpBindings, request: WireRequest, input: Record<string, unknown>): void {
  if (bindings.payload) readPayload(operation, bindings.payload, request.body, input);
  else if (bindings.body.length > 0) {
    requireDocumentFits(operation, request.body.length);
    new TreeReader(REST_JSON).members(bindings.body, parseJson(request.body), input);
  }
}

function readPayload(operation: OperationModel, member: Member, body: Buffer, input: Record<string, unknown>): void {
  if (body.length === 0) return;
  switch (member.shape.kind) {
    case "blob":
      input[member.name] = body;
      return;
    case "string":
      input[member.name] = body.toString("utf8");
      return;
    default:
      requireDocumentFits(operation, body.length);
      input[member.name] = new TreeReader(REST_JSON).value(member, parseJson(body));
  }
}

interface Answering {
  readonly usualStatus: number;
  readonly requestId: string;
  readonly reportDefect: ReportDefect;
}

function encodeStructure(
  service: ServiceModel,
  shape: StructureShape,
  output: Readonly<Record<string, unknown>>,
  answering: Answering,
): WireResponse {
  const bindings = shape.bindings;
  const modelled = bindings.status && output[bindings.status.name];
  const status = typeof modelled === "number" ? modelled : answering.usualStatus;
  const headers = bindings.headers.length > 0 || bindings.prefixHeaders ? writeHeaders(bindings, output) : {};
  if (status === 204) return { status, headers, body: NO_BODY };
  if (bindings.payload) {
    const body = payloadBody(service, bindings.payload, output[bindings.payload.name], answering);
    headers["content-type"] ??= body.contentType;
    return { status, headers, body: body.bytes };
  }
  const response = jsonResponse(status, JSON_TYPE, writeMembers(bindings.body, output, REST_JSON));
  return { status, headers: { ...headers, ...response.headers }, body: response.body };
}

function payloadBody(
  service: ServiceModel,
  member: Member,
  value: unknown,
  { requestId, reportDefect }: Answering,
): { bytes: Buffer | Readable; contentType: string } {
  const shape = member.shape;
  if (shape.kind === "structure" && shape.eventStream) {
    const stream = { union: shape, events: value, style: REST_JSON, reportDefect: (error: unknown) => reportDefect(error, requestId) };
    return { bytes: eventStreamBody(stream), contentType: "application/vnd.amazon.eventstream" };
  }
  if (shape.kind === "blob") {
    const contentType = member.mediaType ?? service.metadata.payloadContentType ?? "application/octet-stream";
    if (value === undefined || value === null) return { bytes: NO_BODY, contentType };
    return { bytes: value instanceof Readable ? value : bytesOf(value), contentType };
  }
  if (shape.kind === "string") return { bytes: bytesOf(value ?? ""), contentType: member.mediaType ?? "text/plain" };
  const tree = value === undefined || value === null ? {} : writeValue(member, value, REST_JSON);
  return { bytes: Buffer.from(JSON.stringify(tree), "utf8"), contentType: JSON_TYPE };
}
