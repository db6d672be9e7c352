/** Where a call goes. */
export { Router } from "./router.ts";
export type { Acquired, Slot } from "./slot.ts";
