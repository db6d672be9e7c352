import { policyText, type ServiceEntry } from "../api/index.ts";
import { type Clock, Later, type SecureRandom } from "../base/index.ts";
import { functionArn, type Functions } from "../functions/index.ts";
import {
  type ApiHandler,
  type BodyBudget,
  type FunctionUrl,
  FunctionUrlHandler,
  Gateway,
  type PublicText,
  type S3Door,
} from "../gateway/index.ts";
import type { Realm } from "../model/index.ts";
import type { Authenticator, Authorizer } from "../security/index.ts";
import type { Calls } from "./calls.ts";
import type { Events } from "./events.ts";
import type { HttpSources } from "./http-sources.ts";
import { createUrlGuard } from "./url-guard.ts";
import { platformVersion } from "./version.ts";

export interface GatewayParts {
  readonly api: ApiHandler;
  readonly s3: S3Door;
  readonly calls: Calls;
  readonly events: Events;
  readonly bodies: BodyBudget;
  readonly services: readonly ServiceEntry[];
  readonly functions: Functions;
  readonly authenticator: Authenticator;
  readonly authorizer: Authorizer;
  readonly clock: Clock;
  readonly secureRandom: SecureRandom;
  /** Whose functions and webhooks go by their names in paths. */
  readonly realm: Realm;
  readonly allowHosts: readonly string[];
  readonly reportDefect: (error: unknown) => void;
}

/** The main listener with all that it serves. */
export function openGateway(parts: GatewayParts): Gateway {
  const { api, calls, events, bodies, functions, realm, clock, secureRandom, reportDefect } = parts;
  const guard = createUrlGuard({
    authenticator: parts.authenticator,
    authorizer: parts.authorizer,
    secureRandom,
    resourcePolicy: (url) => ({
      arn: functionArn(url.realm, url.functionName, url.qualifier),
      identity: functions.policies.get(url.realm, url.functionName, url.qualifier),
      text: () => policyText(functions, url, url.functionName, url.qualifier),
    }),
  });
  const version = platformVersion();
  const services = Object.fromEntries(parts.services.map(({ metadata }) => [metadata.name, "running"]));
  const sources = new Later(() => openSourcesOverHttp(parts));
  return new Gateway({
    api,
    s3: { door: parts.s3, clock },
    functionUrls: new FunctionUrlHandler({ invoker: calls.invoker, guard, bodies, clock, secureRandom }),
    webhooks: { handle: async (...asked) => (await sources.get()).webhooks.handle(...asked) },
    cloudEvents: { handle: async (...asked) => (await sources.get()).cloudEvents.handle(...asked) },
    publicText: (path) => (path.endsWith(".pem") ? certificateAt(events, path) : undefined),
    findUrl: (idOrName) => findUrl(functions, realm, idOrName),
    browserRules: { allowedHosts: parts.allowHosts, allowedOrigins: [] },
    health: () => ({ status: "running", version, services }),
    reportDefect,
  });
}

/** Events that come in by HTTP go onto buses, which may not be open yet. */
async function openSourcesOverHttp(parts: GatewayParts): Promise<HttpSources> {
  const [{ openHttpSources }, { buses, webhooks }] = await Promise.all([import("./http-sources.ts"), parts.events.distribution.get()]);
  return openHttpSources({ ...parts, buses, webhooks });
}

/** What the messages of topics are signed with, for whoever checks them. */
async function certificateAt({ distribution }: Events, path: string): Promise<PublicText | undefined> {
  const text = (await distribution.get()).certificateAt(path);
  return text === undefined ? undefined : { contentType: "application/x-pem-file", text };
}

/** A URL by its id, or by the name of a function of the default realm. */
function findUrl(functions: Functions, realm: Realm, idOrName: string): FunctionUrl | undefined {
  return functions.urls.find(idOrName) ?? functions.urls.ofFunction(realm, idOrName);
}
