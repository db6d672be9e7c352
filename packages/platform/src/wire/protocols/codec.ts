import type { WireRequest, WireResponse } from "../http.ts";
import type { OperationModel, ServiceModel, StructureShape } from "../schema.ts";

/** What a protocol needs to write an error. */
export interface ErrorToEncode {
  readonly service: ServiceModel | undefined;
  /** Undefined for an error the service's schema does not have. */
  readonly shape: StructureShape | undefined;
  readonly name: string;
  /** What the service's awsQuery form calls it. */
  readonly queryCode: string;
  readonly message: string;
  readonly status: number;
  readonly fault: "client" | "server";
  readonly members: Readonly<Record<string, unknown>>;
  readonly requestId: string;
  /** The method of the request that failed: HEAD is answered without a body. */
  readonly method: string | undefined;
}

/** Told what was thrown that is no `LambentError` while an answer was already on its way. */
export type ReportDefect = (error: unknown, requestId: string) => void;

/** One protocol, both ways. */
export interface Codec {
  decode(request: WireRequest, service: ServiceModel): { readonly operation: OperationModel; readonly input: Record<string, unknown> };
  encodeOutput(
    service: ServiceModel,
    operation: OperationModel,
    output: Readonly<Record<string, unknown>>,
    requestId: string,
    reportDefect: ReportDefect,
  ): WireResponse;
  encodeError(error: ErrorToEncode): WireResponse;
  /** Checks what was decoded against the schema's rules, where the protocol tells in its own way what they refuse. */
  validate?(operation: OperationModel, input: Readonly<Record<string, unknown>>): void;
}

/**
 * An error's members with its message where the shape wants it: most models have `message`, some `Message`,
 * and clients read either where there is no model.
 */
export function errorMembers(error: ErrorToEncode): Record<string, unknown> {
  const members: Record<string, unknown> = { __proto__: null, ...error.members };
  let modelled = false;
  for (const name of ["message", "Message"]) {
    if (!error.shape?.byName.has(name)) continue;
    members[name] = error.message;
    modelled = true;
  }
  if (!modelled) members["message"] = error.message;
  return members;
}

/** The header with which query-compatible services repeat an error in the words of their older protocol. */
export function queryErrorHeader(error: ErrorToEncode): Record<string, string> {
  if (!error.service?.metadata.queryCompatible) return {};
  return { "x-amzn-query-error": `${error.queryCode};${error.fault === "client" ? "Sender" : "Receiver"}` };
}
