import { readFileSync } from "node:fs";
import type { ServiceData } from "./service-data.ts";
import { ServiceModel } from "./schema.ts";

/** The services whose schemas are in `schemas/`. */
export const AWS_SERVICES = ["lambda", "sts", "iam", "logs", "sqs"] as const;
export type ServiceName = (typeof AWS_SERVICES)[number];

const loaded = new Map<ServiceName, ServiceModel>();

/** The model of an AWS service; read from its schema file at the first call, then kept. */
export function loadService(name: ServiceName): ServiceModel {
  const known = loaded.get(name);
  if (known) return known;
  // The files are our own build output, compared with their sources by a test.
  const data = JSON.parse(readFileSync(new URL(`./schemas/${name}.json`, import.meta.url), "utf8")) as ServiceData;
  const model = new ServiceModel(data);
  loaded.set(name, model);
  return model;
}

/** The model of a service of our own, from data of the same form (`serviceData` of `define.ts` writes it). */
export function defineService(data: ServiceData): ServiceModel {
  return new ServiceModel(data);
}
