/** A whole server, put together from its parts. */
export { startServer, STOP_GRACE_MS } from "./platform.ts";
export type { RunningServer, ServerOptions, ServerReport } from "./options.ts";
