/** What leaves one cell for another: the one table of targets, and who takes outcomes and deliveries there. */
export { bucketTarget } from "./bucket/target.ts";
export { archiveTarget, busTarget } from "./bus/target.ts";
export { Courier } from "./courier.ts";
export type { CourierParts } from "./courier.ts";
export { Delivery } from "./delivery.ts";
export type { DeliveryParts } from "./delivery.ts";
export { functionTarget } from "./function/target.ts";
export type { DeliveryPermission, TargetKind } from "./handing.ts";
export { operationTarget } from "./operation/target.ts";
export { queueTarget } from "./queue/target.ts";
export { Targets } from "./targets.ts";
export { ConnectionTokens } from "./http/connection-tokens.ts";
export type { ConnectionTokensParts } from "./http/connection-tokens.ts";
export { HttpClient } from "./http/http-client.ts";
export type { HttpCall, HttpClientParts, HttpEnding } from "./http/http-client.ts";
export { apiDestinationTarget, endpointTarget } from "./http/targets.ts";
export type { ApiDestinationTargetParts } from "./http/targets.ts";
export { topicTarget } from "./topic/target.ts";
