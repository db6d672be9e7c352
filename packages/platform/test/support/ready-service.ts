import type { Service, ServiceEntry } from "../../src/api/index.ts";

/** A service that is loaded already. */
export function readyService(service: Service): ServiceEntry {
  return { metadata: service.model.metadata, model: async () => service.model, get: async () => service, opened: () => service };
}
