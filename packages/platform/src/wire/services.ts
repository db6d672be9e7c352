import { readFileSync } from "node:fs";
import type { ServiceData, ServiceMetadata } from "./service-data.ts";
import { ServiceModel } from "./schema.ts";

/** The services whose schemas are in `schemas/`. */
export const AWS_SERVICES = ["lambda", "sts", "iam", "logs", "sqs", "events", "scheduler", "sns", "kinesis", "s3"] as const;
export type ServiceName = (typeof AWS_SERVICES)[number];

const loaded = new Map<ServiceName, ServiceModel>();

/** The model of an AWS service; read from its schema file at the first call, then kept. */
export function loadService(name: ServiceName): ServiceModel {
  const known = loaded.get(name);
  if (known) return known;
  const model = new ServiceModel(readSchema(name) as ServiceData);
  loaded.set(name, model);
  return model;
}

let metadata: Readonly<Record<ServiceName, ServiceMetadata>> | undefined;

/** What there is to know of an AWS service without its schema: a start reads one small file for all of them. */
export function serviceMetadata(name: ServiceName): ServiceMetadata {
  metadata ??= readSchema("metadata") as Record<ServiceName, ServiceMetadata>;
  return metadata[name];
}

// The files are our own build output, compared with their sources by a test.
function readSchema(name: ServiceName | "metadata"): unknown {
  return JSON.parse(readFileSync(new URL(`./schemas/${name}.json`, import.meta.url), "utf8"));
}

/** The model of a service of our own, from data of the same form (`serviceData` of `define.ts` writes it). */
export function defineService(data: ServiceData): ServiceModel {
  return new ServiceModel(data);
}
