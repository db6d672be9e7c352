/**
 * XML bodies over HTTP's own method, path, query and headers, as S3 has them.
 *
 * What stands in path, query and headers and breaks a rule is an argument (`InvalidParameter`, `what: "argument"`); what
 * breaks one inside the document makes the document malformed (`MalformedRequest`, `what: "xml"`), as S3 tells them apart.
 * Does not know buckets, addresses with a bucket in the host, or what a stream holds: who reads the stream decides that.
 */
import { isUtf8 } from "node:buffer";
import { Readable } from "node:stream";
import { type ErrorDetails, invariant, isLambentError, LambentError } from "../../base/index.ts";
import { requireDocumentFits, VALUE_ECHO_CHARS_MAX } from "../bounds.ts";
import { bytesOf, formatText } from "../codec/text.ts";
import { escapeXml, writeXmlElement } from "../codec/xml.ts";
import { malformedXml, parseXml } from "../codec/xml-document.ts";
import { readXmlMembers } from "../codec/xml-reader.ts";
import type { WireRequest, WireResponse } from "../http.ts";
import { readLabels, readQueries, writeHeaders } from "../http-bindings.ts";
import { findRoute, type RoutedRequest } from "../route.ts";
import type { HttpBindings, Member, OperationModel, ServiceModel, StructureShape } from "../schema.ts";
import { brokenRules } from "../validate.ts";
import type { Codec, ErrorToEncode } from "./codec.ts";
import { readHeaders } from "./rest-xml-headers.ts";

const XML_TYPE = "application/xml";
const DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n';
const NO_BODY = Buffer.alloc(0);
const PARTIAL = 206;
const ELEMENT_NAME = /^[A-Za-z_][A-Za-z0-9_.-]{0,63}$/;

type Head = Pick<WireRequest, "method" | "rawUrl" | "headers">;

export const restXml: Codec = {
  decode(request, service) {
    const routed = route(request, service);
    if (!routed)
      throw new LambentError("UnknownOperation", `${service.name} has no operation for ${request.method} ${request.rawUrl.slice(0, 256)}.`);
    requireWholeSelector(routed);
    const operation = routed.route.operation;
    const input: Record<string, unknown> = { __proto__: null };
    if (operation.input) {
      const bindings = operation.input.bindings;
      readOutside(bindings, routed, request, input);
      readBody(operation, operation.input, request, input);
    }
    return { operation, input };
  },

  validate(operation, input) {
    const shape = operation.input;
    if (!shape) return;
    const broken = brokenRules(shape.members, input);
    if (!broken) return;
    const { member, message } = broken;
    if (member && member.location !== "body" && member.location !== "payload")
      throw new LambentError("InvalidParameter", message, argument(member));
    if (member?.location === "payload" && input[member.name] === undefined)
      throw new LambentError("MalformedRequest", "The request has no body.", { what: "body" });
    throw malformedXml(message);
  },

  encodeOutput(service, operation, output, requestId) {
    const status = operation.http?.status ?? 200;
    const response = operation.output
      ? encodeStructure(service, operation.output, output, { status, method: operation.http?.method })
      : { status, headers: {}, body: NO_BODY };
    Object.assign(response.headers, requestHeaders(requestId));
    return response;
  },

  encodeError(error) {
    const headers = { ...requestHeaders(error.requestId) };
    if (error.method === "HEAD" || error.status === 304) return { status: error.status, headers, body: NO_BODY };
    return { status: error.status, headers: { ...headers, "content-type": XML_TYPE }, body: Buffer.from(errorDocument(error), "utf8") };
  },
};

/** No other method has a body that an operation could take as a stream, and this is asked for every request. */
const METHODS_WITH_BODY: ReadonlySet<string> = new Set(["PUT", "POST", "PATCH"]);

/** Whether the operation of a request takes its payload as a stream. */
export function isStreamed(request: Head, service: ServiceModel): boolean {
  if (!METHODS_WITH_BODY.has(request.method)) return false;
  try {
    return isStream(findRoute(service, request.method, request.rawUrl, request.headers)?.route.operation.input?.bindings.payload);
  } catch (error) {
    if (isLambentError(error)) return false;
    throw error;
  }
}

const isStream = (payload: Member | undefined): boolean => payload?.shape.kind === "blob" && payload.shape.streaming;

function route(request: Head, service: ServiceModel): RoutedRequest | undefined {
  return restated("MalformedRequest", { what: "uri" }, () => findRoute(service, request.method, request.rawUrl, request.headers));
}

/**
 * Half of what names an operation is a mistake: `?partNumber=1` without the upload's id would overwrite the object.
 *
 * @throws LambentError InvalidParameter
 */
function requireWholeSelector({ route: { operation, foreignQueries }, query }: RoutedRequest): void {
  const foreign = query.size === 0 ? undefined : foreignQueries.find((name) => query.has(name));
  if (foreign === undefined) return;
  const message = `${operation.name} takes no ${foreign}, and what the operation that takes it needs besides is missing.`;
  throw new LambentError("InvalidParameter", message, { what: "argument", argument: foreign });
}

function readOutside(bindings: HttpBindings, routed: RoutedRequest, request: WireRequest, input: Record<string, unknown>): void {
  restated("MalformedRequest", { what: "uri" }, () => readLabels(bindings, routed, input));
  restated("InvalidParameter", { what: "argument" }, () => {
    readQueries(bindings, routed, input);
    readHeaders(bindings, routed.query, request.headers, input);
  });
}

function readBody(operation: OperationModel, shape: StructureShape, request: WireRequest, input: Record<string, unknown>): void {
  const { payload, body } = shape.bindings;
  if (payload && isStream(payload)) {
    const content = request.stream ?? (request.body.length > 0 ? request.body : undefined);
    if (content !== undefined) input[payload.name] = content;
    return;
  }
  if (request.body.length === 0 || (!payload && body.length === 0)) return;
  requireDocumentFits(operation, request.body.length);
  if (!payload) Object.assign(input, readDocument(request.body, shape.xmlName ?? shape.name, body));
  else if (payload.shape.kind === "structure")
    input[payload.name] = readDocument(request.body, rootName(payload, payload.shape), payload.shape.members);
  else if (isUtf8(request.body)) input[payload.name] = request.body.toString("utf8");
  else throw new LambentError("MalformedRequest", "The body is not UTF-8.", { what: "encoding" });
}

const rootName = (payload: Member, shape: StructureShape): string => payload.xmlName ?? shape.xmlName ?? shape.name;

function readDocument(body: Buffer, root: string, members: readonly Member[]): Record<string, unknown> {
  const element = parseXml(body);
  if (element.name !== root)
    throw malformedXml(`The XML document is a ${element.name.slice(0, VALUE_ECHO_CHARS_MAX)}; ${root} is expected.`);
  return restated("MalformedRequest", { what: "xml" }, () => readXmlMembers(members, element, root));
}

/** What is malformed to the readers of text, as what it is at this place. */
function restated<T>(code: "MalformedRequest" | "InvalidParameter", details: ErrorDetails, run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (isLambentError(error, "MalformedRequest")) throw new LambentError(code, error.message, details);
    throw error;
  }
}

function argument(member: Member): ErrorDetails {
  return { what: "argument", argument: member.locationName || member.name };
}

interface Answering {
  readonly status: number;
  readonly method: string | undefined;
}

function encodeStructure(
  service: ServiceModel,
  shape: StructureShape,
  output: Readonly<Record<string, unknown>>,
  { status: usual, method }: Answering,
): WireResponse {
  const bindings = shape.bindings;
  const headers = writeHeaders(bindings, output);
  const status = headers["content-range"] === undefined ? usual : PARTIAL;
  if (status === 204 || method === "HEAD") return { status, headers, body: NO_BODY };
  const content = bindings.payload
    ? payloadContent(service, bindings.payload, output[bindings.payload.name])
    : bodyContent(service, shape, output);
  if (content) headers["content-type"] ??= content.type;
  return { status, headers, body: content?.body ?? NO_BODY };
}

interface Content {
  readonly body: Buffer | Readable;
  readonly type: string;
}

function payloadContent(service: ServiceModel, member: Member, value: unknown): Content | undefined {
  const shape = member.shape;
  if (shape.kind === "structure") {
    if (shape.eventStream) throw new LambentError("NotImplemented", "Answers of events are not written as XML.");
    if (value === undefined || value === null) return undefined;
    const root = writeXmlElement(rootName(member, shape), shape.members, value as Readonly<Record<string, unknown>>, namespaceOf(service));
    return document(root);
  }
  // The only payloads of S3's that are text are policies.
  const type =
    member.mediaType ??
    (shape.kind === "string" ? "application/json" : (service.metadata.payloadContentType ?? "application/octet-stream"));
  return { body: value instanceof Readable ? value : bytesOf(value ?? NO_BODY), type };
}

function bodyContent(service: ServiceModel, shape: StructureShape, output: Readonly<Record<string, unknown>>): Content | undefined {
  const members = shape.bindings.body;
  if (members.length === 0) return undefined;
  const root = shape.xmlName ?? shape.name;
  const [only] = members;
  // A root that is called like its one member is that member: S3's answer to GetBucketLocation.
  if (members.length === 1 && only?.shape.kind === "string" && only.name === root)
    return document(
      `<${root} xmlns="${escapeXml(namespaceOf(service))}">${escapeXml(formatText(only, output[root] ?? "", "date-time"))}</${root}>`,
    );
  return document(writeXmlElement(root, members, output, namespaceOf(service)));
}

const namespaceOf = ({ metadata }: ServiceModel): string => metadata.xmlNamespace ?? "";

const document = (root: string): Content => ({ body: Buffer.from(DECLARATION + root, "utf8"), type: XML_TYPE });

/** No element around it, and no namespace. */
function errorDocument(error: ErrorToEncode): string {
  const { message: _message, Message: _Message, Code: _Code, RequestId: _RequestId, HostId: _HostId, ...further } = error.members;
  let members = "";
  for (const [name, value] of Object.entries(further))
    if (ELEMENT_NAME.test(name) && isPlain(value)) members += element(name, String(value));
  const answered = element("RequestId", error.requestId) + element("HostId", hostId(error.requestId));
  return `${DECLARATION}<Error>${element("Code", error.name)}${element("Message", error.message)}${members}${answered}</Error>`;
}

const element = (name: string, text: string): string => `<${name}>${escapeXml(text)}</${name}>`;

/** The headers by which S3's answers are told apart; the second one says nothing more here than the first. */
function requestHeaders(requestId: string): Record<string, string> {
  return { "x-amz-request-id": requestId, "x-amz-id-2": hostId(requestId) };
}

const hostId = (requestId: string): string => Buffer.from(requestId, "utf8").toString("base64");

/** The document that an operation takes as its payload, as a client of our own sends it. */
export function writeXmlPayload(service: ServiceModel, operation: OperationModel, value: Readonly<Record<string, unknown>>): Buffer {
  const payload = operation.input?.bindings.payload;
  invariant(payload?.shape.kind === "structure", `${operation.name} takes a document`);
  return Buffer.from(writeXmlElement(rootName(payload, payload.shape), payload.shape.members, value, namespaceOf(service)), "utf8");
}

/**
 * What an operation answered in its body, as a client of our own reads it; members that headers hold are not among it.
 *
 * @throws LambentError MalformedRequest for what is no such document, or an error's
 */
export function readXmlAnswer(operation: OperationModel, body: Buffer): Record<string, unknown> {
  const bindings = operation.output?.bindings;
  invariant(bindings !== undefined, `${operation.name} answers a document`);
  const { payload, body: members } = bindings;
  const root = parseXml(body);
  // What takes its time answers a good status first, and may fail behind it.
  if (root.name === "Error") throw malformedXml("The document says an error.");
  return readXmlMembers(payload?.shape.kind === "structure" ? payload.shape.members : members, root, root.name);
}

/** Code and message of an error document. @throws LambentError MalformedRequest for what is none */
export function readXmlError(body: Buffer): { readonly code: string; readonly message: string } {
  const { children } = parseXml(body);
  const text = (name: string): string => children.find((child) => child.name === name)?.text ?? "";
  return { code: text("Code"), message: text("Message") };
}

/** What stands in an element as it is. */
function isPlain(value: unknown): value is string | number | boolean {
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean";
}
