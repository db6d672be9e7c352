import { LambentError } from "../base/index.ts";
import type { InstanceEndpoint, ServiceCaller } from "../model/index.ts";

/** What is known of the API once its listener is open; nothing is delivered before. */
export class JoinedApi {
  #joined: { readonly url: string; readonly caller: ServiceCaller } | undefined;

  join(url: string, caller: ServiceCaller): void {
    this.#joined = { url, caller };
  }

  get url(): string {
    return this.#required().url;
  }

  get caller(): ServiceCaller {
    return this.#required().caller;
  }

  #required(): { readonly url: string; readonly caller: ServiceCaller } {
    if (!this.#joined) throw new LambentError("InternalError", "something was delivered before the API was joined");
    return this.#joined;
  }
}

/** The port that instances reach the API by: used once an instance runs, joined before the listener opens. */
export class JoinedEndpoint implements InstanceEndpoint {
  #joined: InstanceEndpoint | undefined;

  join(endpoint: InstanceEndpoint): void {
    this.#joined = endpoint;
  }

  serveApi(...parts: Parameters<InstanceEndpoint["serveApi"]>): { close(): void } {
    return this.#required().serveApi(...parts);
  }

  serveProxy(...parts: Parameters<InstanceEndpoint["serveProxy"]>): { close(): void } {
    return this.#required().serveProxy(...parts);
  }

  serveKafka(...parts: Parameters<InstanceEndpoint["serveKafka"]>): { close(): void } {
    return this.#required().serveKafka(...parts);
  }

  #required(): InstanceEndpoint {
    if (!this.#joined) throw new LambentError("InternalError", "an instance was served before the API was joined");
    return this.#joined;
  }
}
