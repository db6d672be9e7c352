import { LambentError } from "../../base/index.ts";
import { requireDocumentFits } from "../bounds.ts";
import { jsonResponse, parseJson } from "../codec/json.ts";
import { AWS_JSON, TreeReader, writeMembers, writeStructure } from "../codec/tree.ts";
import { eventStreamBody } from "../event-stream.ts";
import type { WireResponse } from "../http.ts";
import type { OperationModel, ServiceModel } from "../schema.ts";
import { type Codec, errorMembers, queryErrorHeader } from "./codec.ts";

/** JSON bodies, the operation in X-Amz-Target. The two versions differ in nothing but the content type that is echoed. */
export function awsJson(version: "1.0" | "1.1"): Codec {
  const contentType = `application/x-amz-json-${version}`;
  return {
    decode(request, service) {
      const operation = targetOperation(request.headers["x-amz-target"] ?? "", service);
      requireDocumentFits(operation, request.body.length);
      const input: Record<string, unknown> = { __proto__: null };
      const tree = parseJson(request.body);
      new TreeReader(AWS_JSON).members(operation.input?.members ?? [], tree, input);
      return { operation, input };
    },

    encodeOutput(_service, operation, output, requestId, reportDefect): WireResponse {
      const shape = operation.output;
      if (!shape) return { status: 200, headers: { "content-type": contentType }, body: Buffer.alloc(0) };
      const events = shape.members.find((member) => member.shape.kind === "structure" && member.shape.eventStream);
      if (events?.shape.kind !== "structure") return jsonResponse(200, contentType, writeStructure(shape, output, AWS_JSON));
      const initial = writeMembers(
        shape.members.filter((member) => member !== events),
        output,
        AWS_JSON,
      );
      const body = eventStreamBody({
        union: events.shape,
        events: output[events.name],
        style: AWS_JSON,
        initial,
        reportDefect: (error) => reportDefect(error, requestId),
      });
      return { status: 200, headers: { "content-type": "application/vnd.amazon.eventstream" }, body };
    },

    encodeError(error): WireResponse {
      const members = errorMembers(error);
      const tree = error.shape ? writeStructure(error.shape, members, AWS_JSON) : members;
      const namespace = error.service && error.shape ? `${error.service.metadata.namespace}#` : "";
      const response = jsonResponse(error.status, contentType, { __type: `${namespace}${error.name}`, message: error.message, ...tree });
      // Clients read the type from this header when they find none in the body.
      Object.assign(response.headers, { "x-amzn-errortype": error.name }, queryErrorHeader(error));
      return response;
    },
  };
}

function targetOperation(target: string, service: ServiceModel): OperationModel {
  const dot = target.lastIndexOf(".");
  if (target.slice(0, dot) !== service.metadata.targetPrefix) {
    throw new LambentError("UnknownOperation", `X-Amz-Target ${target.slice(0, 256)} is not one of ${service.name}.`);
  }
  const operation = service.operations.get(target.slice(dot + 1));
  if (!operation) throw new LambentError("UnknownOperation", `${service.name} has no operation ${target.slice(dot + 1, dot + 257)}.`);
  return operation;
}
