/** One folder per service; each joins its schema with operations. */
export type { Operation, OperationTable, RequestContext } from "./operation.ts";
export type { Permission, Service } from "./service.ts";
