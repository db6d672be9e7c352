import { isUtf8 } from "node:buffer";
import { LambentError } from "../../base/index.ts";
import { DOCUMENT_BYTES_MAX, requireDocumentFits } from "../bounds.ts";
import { formTree, readForm } from "../codec/query.ts";
import { escapeXml, writeXmlMembers } from "../codec/xml.ts";
import type { WireRequest, WireResponse } from "../http.ts";
import { parseQuery, type Query } from "../route.ts";
import type { ServiceModel } from "../schema.ts";
import type { Codec } from "./codec.ts";

const TYPE = "text/xml";

/** Form pairs in, XML out. The pairs may also stand in the URL, as in signed links to an action. */
export const awsQuery: Codec = {
  decode(request, service) {
    const form = readPairs(request);
    const action = form.get("Action")?.[0] ?? "";
    const operation = service.operations.get(action);
    if (!operation) throw new LambentError("UnknownOperation", `${service.name} has no action ${action.slice(0, 256) || "(none given)"}.`);
    requireVersion(service, form.get("Version")?.[0]);
    requireDocumentFits(operation, request.body.length);
    const input = operation.input ? readForm(operation.input, formTree(form)) : ({ __proto__: null } as unknown as Record<string, unknown>);
    const { pathMember } = service.metadata;
    const path = request.rawUrl.split("?", 1)[0] ?? "";
    if (pathMember !== undefined && path.length > 1 && operation.input?.byName.has(pathMember)) input[pathMember] ??= path;
    return { operation, input };
  },

  encodeOutput(service, operation, output, requestId): WireResponse {
    const result = operation.output
      ? `<${operation.name}Result>${writeXmlMembers(operation.output.members, output)}</${operation.name}Result>`
      : "";
    return answer(
      200,
      service,
      `${operation.name}Response`,
      `${result}<ResponseMetadata><RequestId>${escapeXml(requestId)}</RequestId></ResponseMetadata>`,
    );
  },

  encodeError(error): WireResponse {
    const status = error.shape?.error?.queryStatus ?? error.status;
    // These names are taken by the envelope's own elements; a second one would make the answer unreadable.
    const { message: _message, Message: _Message, Type: _Type, Code: _Code, ...others } = error.members;
    const further = error.shape ? writeXmlMembers(error.shape.members, others) : "";
    const type = error.fault === "client" ? "Sender" : "Receiver";
    const detail = `<Error><Type>${type}</Type><Code>${escapeXml(error.queryCode)}</Code><Message>${escapeXml(error.message)}</Message>${further}</Error>`;
    return answer(status, error.service, "ErrorResponse", `${detail}<RequestId>${escapeXml(error.requestId)}</RequestId>`);
  },
};

function answer(status: number, service: ServiceModel | undefined, root: string, content: string): WireResponse {
  const namespace = service?.metadata.xmlNamespace;
  const attribute = namespace === undefined ? "" : ` xmlns="${escapeXml(namespace)}"`;
  return { status, headers: { "content-type": TYPE }, body: Buffer.from(`<${root}${attribute}>${content}</${root}>\n`, "utf8") };
}

function readPairs(request: WireRequest): Query {
  if (request.body.length > DOCUMENT_BYTES_MAX) {
    throw new LambentError("RequestTooLarge", `The form has ${request.body.length} bytes; at most ${DOCUMENT_BYTES_MAX} are read.`);
  }
  if (!isUtf8(request.body)) throw new LambentError("MalformedRequest", "The form is not UTF-8.");
  const mark = request.rawUrl.indexOf("?");
  const query = mark === -1 ? "" : request.rawUrl.slice(mark + 1);
  const body = request.body.toString("utf8");
  return parseQuery(query === "" || body === "" ? query + body : `${query}&${body}`);
}

/** A wrong version is another service's request, or an API that never was. */
function requireVersion(service: ServiceModel, version: string | undefined): void {
  if (version === undefined || version === service.metadata.apiVersion) return;
  throw new LambentError(
    "UnknownOperation",
    `${service.name} has no API version ${version.slice(0, 64)}; its version is ${service.metadata.apiVersion}.`,
  );
}
