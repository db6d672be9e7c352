import { Later } from "../base/index.ts";
import { loadService, serviceMetadata, type ServiceMetadata, type ServiceModel } from "../wire/index.ts";
import { LAMBENT_METADATA } from "./own-service.ts";
import type { Service } from "./service.ts";

/** A service that is loaded at its first call: its modules and its schema take time that no start has to wait for. */
export interface ServiceEntry {
  readonly metadata: ServiceMetadata;
  /** The schema alone. */
  model(): Promise<ServiceModel>;
  /** The service, loaded once for all who ask; a load that fails is tried again by the next one. */
  get(): Promise<Service>;
  /** The service once it is loaded. */
  opened(): Service | undefined;
}

/** What makes each service, with its modules. */
export const SERVICES = {
  lambda: async () => (await import("./lambda/service.ts")).lambdaService,
  iam: async () => (await import("./iam/service.ts")).iamService,
  sts: async () => (await import("./sts/service.ts")).stsService,
  logs: async () => (await import("./logs/service.ts")).logsService,
  sqs: async () => (await import("./sqs/service.ts")).sqsService,
  events: async () => (await import("./events/service.ts")).eventsService,
  scheduler: async () => (await import("./scheduler/service.ts")).schedulerService,
  sns: async () => (await import("./sns/service.ts")).snsService,
  kinesis: async () => (await import("./kinesis/service.ts")).kinesisService,
  s3: async () => (await import("./s3/service.ts")).s3Service,
  lambent: async () => (await import("./lambent/index.ts")).createLambentService,
} as const;

/** A service by its name, made by `open` when it is first called. */
export function serviceEntry(name: keyof typeof SERVICES, open: () => Promise<Service>): ServiceEntry {
  const service = new Later(open);
  const own = { get: () => service.get(), opened: () => service.opened() };
  if (name === "lambent")
    return { ...own, metadata: LAMBENT_METADATA, model: async () => (await import("./lambent/index.ts")).lambentModel() };
  return { ...own, metadata: serviceMetadata(name), model: async () => loadService(name) };
}
