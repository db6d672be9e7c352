import { type Authorize, corsAnswer, type CorsDocument, type ServiceEntry } from "../api/index.ts";
import { type Clock, LambentError, type SecureRandom } from "../base/index.ts";
import { type ApiHandler, type BodyBudget, S3Door } from "../gateway/index.ts";
import type { Realm } from "../model/index.ts";
import type { Authenticator, Credentials } from "../security/index.ts";
import type { Events } from "./events.ts";

export interface S3DoorParts {
  readonly api: ApiHandler;
  readonly services: readonly ServiceEntry[];
  readonly events: Events;
  readonly authenticator: Authenticator;
  readonly credentials: Credentials;
  readonly authorize: Authorize;
  readonly bodies: BodyBudget;
  /** Whose region requests are for that name none. */
  readonly realm: Realm;
  /** Names that the main listener goes by beside loopback ones. */
  readonly allowHosts: readonly string[];
  readonly clock: Clock;
  readonly secureRandom: SecureRandom;
  readonly stopping: AbortSignal;
  readonly reportDefect: (error: unknown, requestId?: string) => void;
}

/** S3's requests, on the main listener and on every instance's. */
export function openS3Door(parts: S3DoorParts): S3Door {
  const service = parts.services.find(({ metadata }) => metadata.name === "s3");
  if (!service) throw new LambentError("InternalError", "S3 is not among the services");
  const suffixes = parts.allowHosts.filter((name) => !name.startsWith("*.")).map((name) => name.toLowerCase());
  return new S3Door({
    ...parts,
    service,
    region: parts.realm.region,
    names: { suffixes, services: parts.api.hostLabels },
    async cors(bucket, asked) {
      const { buckets } = await parts.events.distribution.get();
      return corsAnswer(buckets.find(bucket)?.documents["cors"] as CorsDocument | undefined, asked);
    },
  });
}
