/**
 * S3's requests: address → browser's rules of the bucket → signature of the head → body as it comes → operation → answer. One for the main
 * listener and every instance's.
 *
 * Keeps P3 (an instance's listener takes its own credentials only), P7 (a body passes through at the pace of the disk; documents are bounded
 * and counted) and P8. Deliberately absent: what the operations do (`api/s3`), who may (`security/`), how bodies are stored (`objects/`).
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { type Authorize, type CorsAnswer, type CorsRequest, perform, type Service, type ServiceEntry } from "../../api/index.ts";
import { type Clock, type SecureRandom, timeOrderedId } from "../../base/index.ts";
import type { IncomingBody } from "../../objects/index.ts";
import type { InstanceCaller } from "../../model/index.ts";
import type { AuthenticatedHead, Authenticator, Credentials } from "../../security/index.ts";
import {
  decode,
  type Decoded,
  encodeError,
  encodeOutput,
  type ErrorTarget,
  takesStream,
  type WireRequest,
  type WireResponse,
} from "../../wire/index.ts";
import { errorAnswer, type ReportDefect, writeAnswer } from "../answers.ts";
import type { BodyBudget } from "../body.ts";
import { requireOwn } from "../own-credentials.ts";
import { ANONYMOUS_REALM, requestContext } from "../request-context.ts";
import { wireRequestOf } from "../wire-request.ts";
import { addressOf, type HostNames, meaningOf, type S3Address } from "./addressing.ts";
import { receiveDocument } from "./documents.ts";
import { incomingBody, storedHeaders } from "./incoming-body.ts";
import { isForm } from "./is-s3-request.ts";
import { formUpload } from "./post-form.ts";
import { hasBody, requestBytes } from "./request-bytes.ts";
import { boundReader } from "./standing-reader.ts";
import { answerUnread, isUnread } from "./unread-body.ts";

export interface S3Dependencies {
  readonly service: ServiceEntry;
  readonly authenticator: Authenticator;
  /** Of uploads by forms, which sign a policy and not a request. */
  readonly credentials: Pick<Credentials, "find">;
  readonly authorize: Authorize;
  /** What the bucket's CORS document answers; a bucket that is not there has none. */
  readonly cors: (bucket: string, asked: CorsRequest) => CorsAnswer | Promise<CorsAnswer>;
  readonly names: HostNames;
  /** Region of requests whose signature names none. */
  readonly region: string;
  readonly bodies: BodyBudget;
  readonly clock: Clock;
  readonly secureRandom: SecureRandom;
  /** Aborts when the server stops. */
  readonly stopping: AbortSignal;
  readonly reportDefect: ReportDefect;
}

interface Asked {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly requestId: string;
}

/** A request on its way through. */
interface Call extends Asked {
  readonly endpoint: string;
  readonly caller: InstanceCaller | undefined;
  readonly address: S3Address;
  readonly service: Service;
}

const NO_BODY = Buffer.alloc(0);

export class S3Handler {
  readonly #dependencies: S3Dependencies;

  constructor(dependencies: S3Dependencies) {
    this.#dependencies = dependencies;
  }

  /**
   * Answers `request`; never rejects. On an instance's own listener `caller` is that instance,
   * and only credentials issued to its version are taken.
   */
  async handle(request: IncomingMessage, response: ServerResponse, endpoint: string, caller?: InstanceCaller): Promise<void> {
    const { clock, secureRandom, reportDefect } = this.#dependencies;
    const requestId = timeOrderedId(clock, secureRandom);
    const method = request.method ?? "GET";
    let target: ErrorTarget = { service: undefined, protocol: "restXml", method };
    let service: Service | undefined;
    try {
      service = this.#dependencies.service.opened() ?? (await this.#dependencies.service.get());
      target = { ...target, service: service.model };
      const address = this.#address(request);
      const call = { request, response, endpoint: pathStyleEndpoint(endpoint, address), caller, requestId, address, service };
      const refused = await this.#cors(call, target);
      this.#write(call, refused ?? (await this.#answer(call, method)));
    } catch (error) {
      this.#refuse({ request, response, requestId }, () => errorAnswer(error, target, service, requestId, reportDefect));
    }
  }

  #address(request: IncomingMessage): S3Address {
    const url = request.url ?? "/";
    const isSigned = request.headers.authorization !== undefined || /[?&](?:X-Amz-Credential|AWSAccessKeyId)=/.test(url);
    return addressOf(meaningOf(request.headers.host ?? "", this.#dependencies.names, isSigned), url);
  }

  /** Answers a browser's question before its request, and puts onto other answers what lets a page read them. */
  async #cors({ request, response, requestId, address }: Call, target: ErrorTarget): Promise<WireResponse | undefined> {
    const { origin } = request.headers;
    const method = request.method ?? "GET";
    if (method !== "OPTIONS") {
      if (origin === undefined || address.bucket === undefined) return undefined;
      const answer = await this.#dependencies.cors(address.bucket, { kind: "actual", origin, method });
      if (answer.kind === "allowed") for (const [name, value] of Object.entries(answer.headers)) response.setHeader(name, value);
      return undefined;
    }
    const asked: CorsRequest = {
      kind: "preflight",
      origin,
      method: request.headers["access-control-request-method"],
      headers: request.headers["access-control-request-headers"],
    };
    const answer = await this.#dependencies.cors(address.bucket ?? "", asked);
    if (answer.kind === "allowed") return { status: 200, headers: { ...answer.headers }, body: NO_BODY };
    const { code, status, message } = answer;
    return encodeError(target, { name: code, status, message, fault: "caller" }, requestId);
  }

  #answer(call: Call, method: string): Promise<WireResponse> {
    const { request, address } = call;
    const isUpload = isForm(method, request.headers["content-type"] ?? "") && address.bucket !== undefined && address.rawKey === "";
    return isUpload ? this.#answerForm(call, address.bucket) : this.#answerSigned(call);
  }

  async #answerSigned(call: Call): Promise<WireResponse> {
    const { request, address } = call;
    const head = wireRequestOf(request, NO_BODY);
    const hostBucket = address.style === "bucket" ? address.bucket : undefined;
    const signed = this.#dependencies.authenticator.authenticateHead(head, "s3", { regionless: this.#dependencies.region, hostBucket });
    if (call.caller && signed.principal.kind !== "anonymous") requireOwn(signed.principal, call.caller);
    const wireRequest = { ...head, rawUrl: address.pathStyleUrl, headers: storedHeaders(head.headers) };
    const isBare = !hasBody(request);
    // Reading needs no body, and is what most requests do.
    if (isBare && head.method !== "PUT" && head.method !== "POST") return this.#run(call, signed, decode(wireRequest, call.service.model));
    const bytes = isBare ? NO_BODY : requestBytes(request, call.response, this.#dependencies.clock);
    return this.#perform(call, signed, wireRequest, incomingBody(head.headers, signed.payload, bytes));
  }

  /** An upload by a page's form: the same operation as any other, with a policy for its signature. */
  async #answerForm(call: Call, bucket: string): Promise<WireResponse> {
    const { credentials, clock, region } = this.#dependencies;
    const bytes = requestBytes(call.request, call.response, clock);
    const upload = await formUpload({ request: call.request, bucket, bytes, credentials, now: clock.now(), region });
    if (call.caller && upload.signed.principal.kind !== "anonymous") requireOwn(upload.signed.principal, call.caller);
    const stored = await this.#perform(call, upload.signed, upload.put, upload.body);
    return upload.answer(stored, `${call.endpoint}/${bucket}`);
  }

  async #perform(
    call: Call,
    signed: Pick<AuthenticatedHead, "principal" | "realm">,
    wireRequest: WireRequest,
    body: IncomingBody,
  ): Promise<WireResponse> {
    const { model } = call.service;
    const { method } = wireRequest;
    if ((method === "PUT" || method === "POST") && takesStream(wireRequest, model))
      return this.#run(call, signed, decode({ ...wireRequest, stream: body }, model));
    const held = await receiveDocument(body, this.#dependencies.bodies);
    try {
      return await this.#run(call, signed, decode({ ...wireRequest, body: held.bytes }, model));
    } finally {
      held.release();
    }
  }

  async #run(
    call: Call,
    { principal, realm = ANONYMOUS_REALM }: Pick<AuthenticatedHead, "principal" | "realm">,
    decoded: Decoded,
  ): Promise<WireResponse> {
    const { request, response, requestId, endpoint, service } = call;
    const { stopping, reportDefect, authorize } = this.#dependencies;
    const context = requestContext(request, response, { realm, principal, requestId, endpoint, stopping, reportDefect });
    const output = await perform(service, decoded, context, authorize);
    try {
      return encodeOutput(decoded, output, requestId, reportDefect);
    } catch (error) {
      closeUnread(output);
      throw error;
    }
  }

  #write({ request, response, requestId }: Asked, answer: WireResponse): void {
    const { clock, reportDefect } = this.#dependencies;
    answer.headers["x-amz-request-id"] = requestId;
    const { body } = answer;
    if (isUnread(request) && Buffer.isBuffer(body)) answerUnread(request, response, { ...answer, body }, clock);
    else {
      // What came and was not read, so that the next request of this connection is reached.
      if (hasBody(request)) request.resume();
      if (!Buffer.isBuffer(body)) boundReader(response, clock);
      writeAnswer(response, answer, requestId, reportDefect);
    }
  }

  /** Where even the error cannot be written, the connection ends and the defect is told: nothing is thrown at whoever listens (P8). */
  #refuse(asked: Asked, answer: () => WireResponse): void {
    try {
      if (asked.response.headersSent) asked.response.destroy();
      else this.#write(asked, answer());
    } catch (defect) {
      this.#dependencies.reportDefect(defect, asked.requestId);
      asked.response.destroy();
    }
  }
}

/** What buckets' paths stand behind, also where the request's host begins with the name of one. */
function pathStyleEndpoint(endpoint: string, { style, bucket = "" }: S3Address): string {
  const scheme = "http://";
  return style === "bucket" ? scheme + endpoint.slice(scheme.length + bucket.length + 1) : endpoint;
}

/** A body that comes to no answer is nobody's to read. */
function closeUnread(output: Readonly<Record<string, unknown>> | undefined): void {
  const body = output?.["Body"];
  if (body instanceof Readable) body.destroy();
}
