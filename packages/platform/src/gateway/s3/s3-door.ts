import type { IncomingMessage, ServerResponse } from "node:http";
import { Later } from "../../base/index.ts";
import type { InstanceCaller } from "../../model/index.ts";
import { isS3Request, type S3Telling } from "./is-s3-request.ts";
import type { S3Dependencies, S3Handler } from "./s3-handler.ts";

/** Tells S3's requests from others, and loads what answers them when the first one comes: no start waits for it. */
export class S3Door {
  readonly #names: S3Dependencies["names"];
  readonly #handler: Later<S3Handler>;

  constructor(dependencies: S3Dependencies) {
    this.#names = dependencies.names;
    this.#handler = new Later(async () => new (await import("./s3-handler.ts")).S3Handler(dependencies));
  }

  /** Whether a request is S3's, as far as its head tells. */
  telling(request: IncomingMessage): S3Telling {
    return isS3Request(request, this.#names);
  }

  /** Answers `request`, as `S3Handler` does. Rejects only where that cannot be loaded. */
  async handle(request: IncomingMessage, response: ServerResponse, endpoint: string, caller?: InstanceCaller): Promise<void> {
    const handler = this.#handler.opened() ?? (await this.#handler.get());
    return handler.handle(request, response, endpoint, caller);
  }
}
