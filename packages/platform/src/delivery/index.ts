/** What leaves one cell for another: outcomes of asynchronous invocations to their targets. */
export { Delivery } from "./delivery.ts";
export type { DeliveryParts } from "./delivery.ts";
export type { DeliveryPermission } from "./targets.ts";
