import { LambentError } from "../../base/index.ts";
import { requireDocumentFits } from "../bounds.ts";
import { decodeCbor, encodeCbor } from "../codec/cbor.ts";
import { CBOR, TreeReader, writeMembers, writeStructure } from "../codec/tree.ts";
import { eventStreamBody } from "../event-stream.ts";
import type { WireResponse } from "../http.ts";
import type { OperationModel, ServiceModel } from "../schema.ts";
import { type Codec, errorMembers, queryErrorHeader } from "./codec.ts";

const PROTOCOL = { "smithy-protocol": "rpc-v2-cbor" };
const TYPE = { "content-type": "application/cbor" };
const RPC_PATH = /^[^?]*\/service\/([A-Za-z0-9_.]+)\/operation\/([A-Za-z0-9_]+)(?:\?|$)/;

/** Service and operation in the path of an rpcv2Cbor request. */
export function rpcPath(rawUrl: string): { readonly service: string; readonly operation: string } | undefined {
  const found = RPC_PATH.exec(rawUrl.slice(0, 1_024));
  return found ? { service: found[1] ?? "", operation: found[2] ?? "" } : undefined;
}

/** CBOR bodies, service and operation in the path. */
export const rpcCbor: Codec = {
  decode(request, service) {
    const operation = pathOperation(request.method, request.rawUrl, service);
    requireDocumentFits(operation, request.body.length);
    const input: Record<string, unknown> = { __proto__: null };
    const tree = request.body.length === 0 ? {} : decodeCbor(request.body);
    new TreeReader(CBOR).members(operation.input?.members ?? [], tree, input);
    return { operation, input };
  },

  encodeOutput(_service, operation, output, requestId, reportDefect): WireResponse {
    const shape = operation.output;
    if (!shape) return { status: 200, headers: { ...PROTOCOL }, body: Buffer.alloc(0) };
    const events = shape.members.find((member) => member.shape.kind === "structure" && member.shape.eventStream);
    if (events?.shape.kind !== "structure") {
      return { status: 200, headers: { ...PROTOCOL, ...TYPE }, body: encodeCbor(writeStructure(shape, output, CBOR)) };
    }
    const initial = writeMembers(
      shape.members.filter((member) => member !== events),
      output,
      CBOR,
    );
    const body = eventStreamBody({
      union: events.shape,
      events: output[events.name],
      style: CBOR,
      initial,
      reportDefect: (error) => reportDefect(error, requestId),
    });
    return { status: 200, headers: { ...PROTOCOL, "content-type": "application/vnd.amazon.eventstream" }, body };
  },

  encodeError(error): WireResponse {
    const members = errorMembers(error);
    const tree = error.shape ? writeStructure(error.shape, members, CBOR) : members;
    const namespace = error.service && error.shape ? `${error.service.metadata.namespace}#` : "";
    const body = encodeCbor({ __type: `${namespace}${error.name}`, message: error.message, ...tree });
    return { status: error.status, headers: { ...PROTOCOL, ...TYPE, ...queryErrorHeader(error) }, body };
  },
};

function pathOperation(method: string, rawUrl: string, service: ServiceModel): OperationModel {
  const path = rpcPath(rawUrl);
  if (!path || method !== "POST" || path.service !== service.metadata.targetPrefix) {
    throw new LambentError("UnknownOperation", `${method} ${rawUrl.slice(0, 256)} is not an operation of ${service.name}.`);
  }
  const operation = service.operations.get(path.operation);
  if (!operation) throw new LambentError("UnknownOperation", `${service.name} has no operation ${path.operation}.`);
  return operation;
}
