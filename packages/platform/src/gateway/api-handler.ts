import type { IncomingMessage, ServerResponse } from "node:http";
import { pipeline, Readable } from "node:stream";
import { type Authorize, perform, type RequestContext, type Service, type ServiceEntry } from "../api/index.ts";
import { type Clock, isLambentError, Later, LambentError, type SecureRandom, timeOrderedId } from "../base/index.ts";
import { traceHeaderOf } from "../invoker/index.ts";
import { DEFAULT_ACCOUNT, DEFAULT_REGION, type InstanceCaller, type Realm } from "../model/index.ts";
import { type Authenticator, functionOf, type Principal, realmOf } from "../security/index.ts";
import {
  decode,
  encodeError,
  encodeOutput,
  type ErrorTarget,
  errorTarget,
  findService,
  findServiceInHead,
  type RequestHead,
  type ServiceModel,
  type WireError,
  type WireRequest,
  type WireResponse,
} from "../wire/index.ts";
import { API_BODY_BYTES_MAX, type BodyBudget } from "./body.ts";

export interface ApiDependencies {
  readonly services: readonly ServiceEntry[];
  readonly authenticator: Authenticator;
  readonly authorize: Authorize;
  readonly bodies: BodyBudget;
  readonly clock: Clock;
  readonly secureRandom: SecureRandom;
  /** Aborts when the server stops: answers that go on until somebody leaves end then. */
  readonly stopping: AbortSignal;
  /** Told of defects: what was thrown that is no `LambentError`. */
  readonly reportDefect: (error: unknown, requestId: string) => void;
}

const ANONYMOUS: Principal = { kind: "anonymous" };
/** Whoever follows a link has no account: what the link names has its own. */
const LINK_REALM: Realm = { account: DEFAULT_ACCOUNT, region: DEFAULT_REGION };

/** Signed API calls: bytes → service → principal → operation → bytes. One for the main listener and every instance's. */
export class ApiHandler {
  readonly #dependencies: ApiDependencies;
  /** The schemas of all services, for requests that only those can tell. */
  readonly #models: Later<readonly ServiceModel[]>;

  constructor(dependencies: ApiDependencies) {
    this.#dependencies = dependencies;
    this.#models = new Later(() => Promise.all(dependencies.services.map((entry) => entry.model())));
  }

  /**
   * Answers `request`; never rejects. On an instance's own listener `caller` is that instance,
   * and only credentials issued to its version are taken.
   */
  async handle(request: IncomingMessage, response: ServerResponse, endpoint: string, caller?: InstanceCaller): Promise<void> {
    // The id of what the call is about, too: events are found by it, sorted by time.
    const requestId = timeOrderedId(this.#dependencies.clock, this.#dependencies.secureRandom);
    let service: Service | undefined;
    let target: ErrorTarget = { service: undefined, protocol: "restJson1" };
    try {
      const received = this.#dependencies.bodies.receive(request, API_BODY_BYTES_MAX);
      const body = received instanceof Promise ? await received : received;
      try {
        const wireRequest = wireRequestOf(request, body.bytes);
        const told = this.#entryOf(wireRequest);
        const entry = told instanceof Promise ? await told : told;
        target = errorTarget(wireRequest, undefined, entry?.metadata);
        if (!entry) throw this.#unanswered(wireRequest);
        service = entry.opened() ?? (await entry.get());
        target = { ...target, service: service.model };
        const isLink = !caller && service.unsigned !== undefined && !this.#isSigned(wireRequest);
        const principal = isLink ? ANONYMOUS : this.#principal(wireRequest, service, caller);
        const decoded = decode(wireRequest, service.model);
        target = decoded;
        if (isLink && !service.unsigned?.has(decoded.operation))
          throw new LambentError("MissingCredentials", "The request has neither an Authorization header nor a signed query.");
        const context = this.#context(wireRequest, principal, requestId, endpoint, response);
        const output = await perform(service, decoded, context, this.#dependencies.authorize);
        this.#write(response, encodeOutput(decoded, output, requestId, this.#dependencies.reportDefect), requestId);
      } finally {
        body.release();
      }
    } catch (error) {
      this.#refuse(error, response, requestId, target, service);
    }
  }

  /** Where even the error cannot be written, the connection ends and the defect is told: nothing is thrown at whoever listens (P8). */
  #refuse(error: unknown, response: ServerResponse, requestId: string, target: ErrorTarget, service: Service | undefined): void {
    try {
      this.#answerError(error, response, requestId, target, service);
    } catch (defect) {
      this.#dependencies.reportDefect(defect, requestId);
      response.destroy();
    }
  }

  /** Signed requests and such with a target say it themselves; for the others the schemas of all services are read, once. */
  #entryOf(request: WireRequest): ServiceEntry | Promise<ServiceEntry | undefined> | undefined {
    const head = { ...request, scopeService: this.#dependencies.authenticator.credentialScope(request)?.service };
    const told = findServiceInHead(head, this.#dependencies.services);
    return told === "untold" ? this.#bySchemas(head) : told;
  }

  async #bySchemas(head: RequestHead): Promise<ServiceEntry | undefined> {
    const found = findService(head, this.#models.opened() ?? (await this.#models.get()));
    return found && this.#dependencies.services.find(({ metadata }) => metadata.name === found.name);
  }

  #unanswered(request: WireRequest): LambentError {
    const named = unbuiltOperation(request, this.#dependencies.authenticator.credentialScope(request)?.service);
    if (named !== undefined) return new LambentError("NotImplemented", `${named} is not built in Lambent`);
    return new LambentError("UnknownOperation", `no service here answers ${request.method} ${request.rawUrl.slice(0, 200)}`);
  }

  #isSigned(request: WireRequest): boolean {
    return this.#dependencies.authenticator.credentialScope(request) !== undefined;
  }

  #principal(request: WireRequest, service: Service, caller: InstanceCaller | undefined): Principal {
    const principal = this.#dependencies.authenticator.authenticate(request, service.model.signingName);
    if (caller && !isOwn(principal, caller)) {
      throw new LambentError("AccessDenied", "this listener takes only the credentials issued to its own function");
    }
    return principal;
  }

  #context(request: WireRequest, principal: Principal, requestId: string, endpoint: string, response: ServerResponse): RequestContext {
    const scope = this.#dependencies.authenticator.credentialScope(request);
    const { stopping } = this.#dependencies;
    let signal: AbortSignal | undefined;
    return {
      realm: principal === ANONYMOUS ? LINK_REALM : realmOf(principal, scope ?? { region: "", service: "" }),
      requestId,
      principal,
      endpoint,
      traceHeader: traceHeaderOf(request.headers["x-amzn-trace-id"]),
      // Made when it is first asked for: most operations end before their caller could leave.
      get signal() {
        signal ??= AbortSignal.any([stopping, closed(response)]);
        return signal;
      },
      onCallerGone: (listener) => whenClosed(response, listener),
      reportDefect: (error) => this.#dependencies.reportDefect(error, requestId),
    };
  }

  #answerError(error: unknown, response: ServerResponse, requestId: string, target: ErrorTarget, service: Service | undefined): void {
    if (response.headersSent) {
      response.destroy();
      return;
    }
    if (!isLambentError(error)) this.#dependencies.reportDefect(error, requestId);
    const known = isLambentError(error)
      ? error
      : new LambentError("InternalError", "a defect in Lambent; its log has the details under the request id");
    this.#write(response, encodeError(target, service ? service.wireError(known) : plainError(known), requestId), requestId);
  }

  #write(response: ServerResponse, answer: WireResponse, requestId: string): void {
    if (answer.body instanceof Readable) {
      response.writeHead(answer.status, answer.headers);
      // Whichever side breaks off takes the other with it; the taker sees a cut answer as cut.
      pipeline(answer.body, response, (error) => {
        if (error && !isDeparture(error)) this.#dependencies.reportDefect(error, requestId);
      });
      return;
    }
    if (answer.status !== 204 && answer.headers["content-length"] === undefined)
      answer.headers["content-length"] = String(answer.body.length);
    response.writeHead(answer.status, answer.headers).end(answer.body);
  }
}

/** Characters of a name that a request gives and an answer repeats. */
const NAME_CHARACTERS_MAX = 128;

/** What a request for a service that is not there says it wants: `dynamodb:GetItem`; undefined when it names no service. */
function unbuiltOperation({ headers, body }: WireRequest, scope: string | undefined): string | undefined {
  const target = headers["x-amz-target"];
  const dot = target?.lastIndexOf(".") ?? -1;
  const service = scope ?? target?.slice(0, Math.max(dot, 0)).replace(/_\d+$/u, "");
  if (service === undefined || !/^[\w.-]+$/u.test(service)) return undefined;
  const isForm = headers["content-type"]?.startsWith("application/x-www-form-urlencoded");
  const action = isForm ? /^(?:.*&)?Action=(\w+)/u.exec(body.toString("latin1", 0, FORM_HEAD_BYTES_MAX))?.[1] : undefined;
  const operation = (dot > 0 ? target?.slice(dot + 1) : undefined) ?? action;
  return [service, operation].flatMap((name) => name?.slice(0, NAME_CHARACTERS_MAX) ?? []).join(":");
}

/** Bytes of a form in which the action is looked for. */
const FORM_HEAD_BYTES_MAX = 1_024;

/** Aborts when the caller's connection is gone. */
function closed(response: ServerResponse): AbortSignal {
  const controller = new AbortController();
  whenClosed(response, () => controller.abort());
  return controller.signal;
}

/** "close" is said once: whoever asks later is told at once. */
function whenClosed(response: ServerResponse, listener: () => void): void {
  if (response.closed) listener();
  else response.once("close", listener);
}

/** Errors before a service is known carry the catalogue's own code. */
function plainError(error: LambentError): WireError {
  return { name: error.code, message: error.message, status: error.entry.status, fault: error.entry.fault };
}

/** The credentials issued to the function, and sessions it got with them. */
function isOwn(principal: Principal, caller: InstanceCaller): boolean {
  const holder = functionOf(principal);
  return (
    holder !== undefined &&
    holder.functionName === caller.version.name &&
    holder.version === caller.version.version &&
    holder.revisionId === caller.version.revisionId
  );
}

/** The request in the raw form that signatures cover. */
export function wireRequestOf(request: IncomingMessage, body: Buffer): WireRequest {
  return {
    method: request.method ?? "GET",
    rawUrl: request.url ?? "/",
    rawHeaders: request.rawHeaders,
    headers: request.headers as WireRequest["headers"],
    body,
  };
}

/** What a stream breaks with when its reader leaves: no defect. */
const DEPARTURES: ReadonlySet<string | undefined> = new Set(["ERR_STREAM_PREMATURE_CLOSE", "ECONNRESET", "EPIPE", "ETIMEDOUT"]);

function isDeparture(error: NodeJS.ErrnoException): boolean {
  return DEPARTURES.has(error.code) || isLambentError(error);
}
