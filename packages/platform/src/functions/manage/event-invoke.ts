import { LambentError } from "../../base/index.ts";
import { LATEST, type Realm } from "../../model/index.ts";
import type { EventInvokeRecord } from "../records.ts";
import type { Registry } from "../registry.ts";
import { EVENT_AGE_SECONDS_MAX, EVENT_AGE_SECONDS_MIN, RETRY_ATTEMPTS_MAX } from "../rules/limits.ts";
import { functionArn } from "../rules/names.ts";
import { page, type Page, type PageRequest } from "../rules/paging.ts";
import { requireQualifier } from "./views.ts";

/** An empty destination takes it away. */
export type EventInvokeInput = Partial<Omit<EventInvokeRecord, "modifiedAt">>;

export interface EventInvokeView extends EventInvokeRecord {
  /** `$LATEST`, a version or an alias. */
  readonly qualifier: string;
}

/** How asynchronous calls are retried and where their outcome goes, per qualifier. */
export class EventInvoke {
  readonly #registry: Registry;

  constructor(registry: Registry) {
    this.#registry = registry;
  }

  /** Sets all of it; what is left out has no value then. `NotFound`, `InvalidParameter`. */
  async put(realm: Realm, name: string, qualifier: string | undefined, input: EventInvokeInput): Promise<EventInvokeView> {
    return await this.#set(realm, name, qualifier, () => input);
  }

  /** What is left out keeps its value. `NotFound`, `InvalidParameter`. */
  async update(realm: Realm, name: string, qualifier: string | undefined, input: EventInvokeInput): Promise<EventInvokeView> {
    return await this.#set(realm, name, qualifier, () => {
      const before = this.get(realm, name, qualifier);
      return {
        maximumRetryAttempts: input.maximumRetryAttempts ?? before.maximumRetryAttempts,
        maximumEventAgeSeconds: input.maximumEventAgeSeconds ?? before.maximumEventAgeSeconds,
        onSuccess: input.onSuccess ?? before.onSuccess,
        onFailure: input.onFailure ?? before.onFailure,
      };
    });
  }

  /** `NotFound` for function, qualifier or configuration. */
  get(realm: Realm, name: string, qualifier: string | undefined): EventInvokeView {
    const at = qualifier ?? LATEST;
    const entry = this.#registry.entry(realm, name);
    requireQualifier(realm, entry, at);
    const record = entry.parts.eventInvoke.get(at);
    if (!record) throw new LambentError("NotFound", `The function ${functionArn(realm, name, at)} doesn't have an EventInvokeConfig`);
    return { qualifier: at, ...record };
  }

  list(realm: Realm, name: string, request: PageRequest): Page<EventInvokeView> {
    const all = [...this.#registry.entry(realm, name).parts.eventInvoke].map(([qualifier, record]) => ({ qualifier, ...record }));
    return page(all, (view) => view.qualifier, request);
  }

  /** `NotFound` for function, qualifier or configuration. */
  async remove(realm: Realm, name: string, qualifier: string | undefined): Promise<void> {
    await this.#registry.change(realm, () => {
      const at = this.get(realm, name, qualifier).qualifier;
      const functionId = this.#registry.entry(realm, name).record.id;
      return { writes: [{ kind: "eventInvoke", functionId, qualifier: at, value: undefined }], result: undefined };
    });
  }

  async #set(realm: Realm, name: string, qualifier: string | undefined, decide: () => EventInvokeInput): Promise<EventInvokeView> {
    const at = qualifier ?? LATEST;
    return await this.#registry.change(realm, () => {
      const entry = this.#registry.entry(realm, name);
      requireQualifier(realm, entry, at);
      const wanted = decide();
      const value: EventInvokeRecord = {
        maximumRetryAttempts: within("MaximumRetryAttempts", wanted.maximumRetryAttempts, 0, RETRY_ATTEMPTS_MAX),
        maximumEventAgeSeconds: within(
          "MaximumEventAgeInSeconds",
          wanted.maximumEventAgeSeconds,
          EVENT_AGE_SECONDS_MIN,
          EVENT_AGE_SECONDS_MAX,
        ),
        onSuccess: refuseBucket(destination("OnSuccess", wanted.onSuccess)),
        onFailure: destination("OnFailure", wanted.onFailure),
        modifiedAt: this.#registry.clock.now(),
      };
      return { writes: [{ kind: "eventInvoke", functionId: entry.record.id, qualifier: at, value }], result: { qualifier: at, ...value } };
    });
  }
}

function within(name: string, value: number | undefined, min: number, max: number): number | undefined {
  if (value !== undefined && (!Number.isInteger(value) || value < min || value > max)) {
    throw new LambentError("InvalidParameter", `${name} is ${value}; it is a whole number from ${min} to ${max}.`);
  }
  return value;
}

/** Services an outcome can go to. */
const DESTINATION = /^arn:aws[a-zA-Z-]*:(?:sqs|sns|lambda|events|s3):/;

function destination(name: string, arn: string | undefined): string | undefined {
  if (arn === undefined || arn === "") return undefined;
  if (!DESTINATION.test(arn))
    throw new LambentError(
      "InvalidParameter",
      `${name}.Destination is ${JSON.stringify(arn.slice(0, 200))}; it is the ARN of a queue, topic, function, event bus or bucket.`,
    );
  return arn;
}

/** Buckets take what failed only, as on AWS. */
function refuseBucket(arn: string | undefined): string | undefined {
  if (arn?.includes(":s3:"))
    throw new LambentError(
      "InvalidParameter",
      `OnSuccess.Destination is ${JSON.stringify(arn.slice(0, 200))}; a bucket is a destination on failure only.`,
    );
  return arn;
}
