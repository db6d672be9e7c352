/**
 * The other side of restXml, as far as a client of our own needs it: documents of requests written, documents of answers read, by the same
 * schemas. Paths, queries and headers are the caller's.
 */
import { invariant } from "../base/index.ts";
import { writeXmlElement } from "./codec/xml.ts";
import { malformedXml, parseXml } from "./codec/xml-document.ts";
import { readXmlMembers } from "./codec/xml-reader.ts";
import type { OperationModel, ServiceModel } from "./schema.ts";

type Values = Readonly<Record<string, unknown>>;

/** The document that an operation takes as its payload. */
export function writeXmlPayload(service: ServiceModel, operation: OperationModel, value: Values): Buffer {
  const payload = operation.input?.bindings.payload;
  invariant(payload?.shape.kind === "structure", `${operation.name} takes a document`);
  const root = payload.xmlName ?? payload.shape.xmlName ?? payload.shape.name;
  return Buffer.from(writeXmlElement(root, payload.shape.members, value, service.metadata.xmlNamespace ?? ""), "utf8");
}

/**
 * What an operation answered in its body; members that headers hold are not among it.
 *
 * @throws LambentError MalformedRequest for what is no such document, or an error's
 */
export function readXmlAnswer(operation: OperationModel, body: Buffer): Record<string, unknown> {
  const bindings = operation.output?.bindings;
  invariant(bindings !== undefined, `${operation.name} answers a document`);
  const { payload, body: members } = bindings;
  const root = parseXml(body);
  // What takes its time answers a good status first, and may fail behind it.
  if (root.name === "Error") throw malformedXml("The document says an error.");
  return readXmlMembers(payload?.shape.kind === "structure" ? payload.shape.members : members, root, root.name);
}

/** Code and message of an error document. @throws LambentError MalformedRequest for what is none */
export function readXmlError(body: Buffer): { readonly code: string; readonly message: string } {
  const { children } = parseXml(body);
  const text = (name: string): string => children.find((child) => child.name === name)?.text ?? "";
  return { code: text("Code"), message: text("Message") };
}
