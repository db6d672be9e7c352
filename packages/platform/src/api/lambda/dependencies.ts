import type { Functions } from "../../functions/index.ts";
import type { CodeReference, Realm } from "../../model/index.ts";
import type { Sources } from "../../sources/index.ts";
import type { RequestContext } from "../operation.ts";
import type { CodeInputParts } from "./code-input.ts";

/** What the management operations work on. */
export interface ManagementDependencies {
  readonly functions: Functions;
  readonly sources: Sources;
  /** What code from buckets takes. */
  readonly code: CodeInputParts;
  /** Where function URLs go by their function's name; elsewhere, and for aliases, they go by their id. */
  readonly defaultRealm: Realm;
  /** Where this caller can fetch the zip without signing: a presigned address of our own. Undefined where none is served. */
  readonly codeLocation: (code: CodeReference, context: RequestContext) => string | undefined;
  /** Initialised instances of a version, busy or not: what provisioned concurrency counts. */
  readonly instancesReady: (versionKey: string) => number;
}
