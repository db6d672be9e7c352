/**
 * Wire: AWS's protocols, driven by schemas. Bytes in, typed input out; typed output in, bytes out.
 *
 * The usual way of a request: `findService` → (security verifies) → `decode` → an operation → `encodeOutput`, or
 * `encodeError` when it threw. Where `takesStream` says so the body is not read: `decode` is given what stands for it.
 * What cannot be decoded throws a `LambentError` (MalformedRequest, InvalidParameter, RequestTooLarge,
 * UnknownOperation) and is answered with `encodeError(errorTarget(request, model), …)`.
 */
export type { WireRequest, WireResponse } from "./http.ts";
export { AWS_SERVICES, loadService, defineService, serviceMetadata } from "./services.ts";
export type { ServiceName } from "./services.ts";
export type { ServiceModel, OperationModel } from "./schema.ts";
export type { Protocol, ServiceData, ServiceMetadata } from "./service-data.ts";
export {
  asPayload,
  asStatus,
  blob,
  boolean,
  document,
  errorShape,
  eventStream,
  inHeader,
  inPath,
  inQuery,
  integer,
  list,
  map,
  number,
  operation,
  optional,
  secret,
  serviceData,
  string,
  structure,
  timestamp,
} from "./define.ts";
export type { ErrorSchema, OperationSchema, Schema, StructureSchema, TypeOf } from "./define.ts";
export { findService, findServiceInHead } from "./find-service.ts";
export type { RequestHead } from "./find-service.ts";
export { decode, decodeInput, encodeError, encodeOutput, errorTarget, takesStream } from "./wire.ts";
export type { Decoded, ErrorTarget, WireError } from "./wire.ts";
export { readXmlAnswer, readXmlError, writeXmlPayload } from "./protocols/rest-xml.ts";
export { encodeEventFrame, decodeEventFrames } from "./event-frame.ts";
export type { EventFrame } from "./event-frame.ts";
export { formatArn, parseArn } from "./arn.ts";
export type { Arn } from "./arn.ts";
