import type { LambentError } from "../base/index.ts";
import type { ConditionContext } from "../security/index.ts";
import type { ServiceModel, WireError } from "../wire/index.ts";
import type { OperationTable, RequestContext } from "./operation.ts";

/** A service as the gateway serves it: its schema, its operations, its names for errors, what each operation needs leave for. */
export interface Service {
  readonly model: ServiceModel;
  readonly operations: OperationTable;
  /** The service's own shape name and members for an error of the catalogue. */
  wireError(error: LambentError): WireError;
  /** Operations that whoever has a link may call without a signature, as nobody in particular. */
  readonly unsigned?: ReadonlySet<string>;
  /** The permission a call needs; undefined for operations that every signed caller may use. */
  permission(operation: string, input: Readonly<Record<string, unknown>>, context: RequestContext): Permission | undefined;
}

/** For example `lambda:GetFunction` on `arn:aws:lambda:us-east-1:000000000000:function:hello`. */
export interface Permission {
  readonly action: string;
  readonly resource: string;
  /** Policy attached to the resource itself, JSON text; undefined when it has none. */
  readonly resourcePolicy?: string | undefined;
  /** Whose the resource is, where its ARN does not say: a bucket's owner. */
  readonly resourceAccount?: string | undefined;
  /** Condition keys of this call beside the global ones. */
  readonly context?: ConditionContext;
  /** What else the call needs leave for, where it is about several things. */
  readonly others?: readonly Permission[] | undefined;
}
