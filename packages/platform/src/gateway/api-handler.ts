import type { IncomingMessage, ServerResponse } from "node:http";
import { type Authorize, perform, type RequestContext, type Service, type ServiceEntry } from "../api/index.ts";
import { type Clock, Later, LambentError, type SecureRandom, timeOrderedId } from "../base/index.ts";
import type { InstanceCaller } from "../model/index.ts";
import { type Authenticator, type Principal, realmOf } from "../security/index.ts";
import {
  decode,
  encodeOutput,
  type ErrorTarget,
  errorTarget,
  findService,
  findServiceInHead,
  type RequestHead,
  type ServiceModel,
  type WireRequest,
} from "../wire/index.ts";
import { errorAnswer, writeAnswer } from "./answers.ts";
import { API_BODY_BYTES_MAX, type BodyBudget } from "./body.ts";
import { requireOwn } from "./own-credentials.ts";
import { ANONYMOUS, ANONYMOUS_REALM, requestContext } from "./request-context.ts";
import { wireRequestOf } from "./wire-request.ts";

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

const NO_BODY = Buffer.alloc(0);

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
        const context = this.#context(wireRequest, principal, requestId, endpoint, request, response);
        const output = await perform(service, decoded, context, this.#dependencies.authorize);
        const { reportDefect } = this.#dependencies;
        writeAnswer(response, encodeOutput(decoded, output, requestId, reportDefect), requestId, reportDefect);
      } finally {
        body.release();
      }
    } catch (error) {
      this.#refuse(error, response, requestId, target, service);
    }
  }

  /** True when a service takes this request, as far as its head tells, or when it is for nobody else to say what is wrong with it. */
  answers(request: IncomingMessage): boolean | Promise<boolean> {
    try {
      const told = this.#entryOf(wireRequestOf(request, NO_BODY));
      return told instanceof Promise ? told.then((entry) => entry !== undefined) : told !== undefined;
    } catch {
      // Claims a signature that it does not have; `handle` says so.
      return true;
    }
  }

  /** First labels of the host names that services here go by. */
  get hostLabels(): ReadonlySet<string> {
    return new Set(this.#dependencies.services.map(({ metadata }) => metadata.endpointPrefix));
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
    if (caller) requireOwn(principal, caller);
    return principal;
  }

  #context(
    wireRequest: WireRequest,
    principal: Principal,
    requestId: string,
    endpoint: string,
    request: IncomingMessage,
    response: ServerResponse,
  ): RequestContext {
    const { authenticator, stopping, reportDefect } = this.#dependencies;
    const scope = authenticator.credentialScope(wireRequest);
    const realm = principal === ANONYMOUS ? ANONYMOUS_REALM : realmOf(principal, scope ?? { region: "", service: "" });
    return requestContext(request, response, { realm, principal, requestId, endpoint, stopping, reportDefect });
  }

  #answerError(error: unknown, response: ServerResponse, requestId: string, target: ErrorTarget, service: Service | undefined): void {
    if (response.headersSent) {
      response.destroy();
      return;
    }
    const { reportDefect } = this.#dependencies;
    writeAnswer(response, errorAnswer(error, target, service, requestId, reportDefect), requestId, reportDefect);
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
