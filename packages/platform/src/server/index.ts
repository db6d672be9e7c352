/** A whole server, put together from its parts. */
export { startServer } from "./start-server.ts";
export type { KafkaOptions, KafkaReport, RunningServer, ServerOptions, ServerReport } from "./options.ts";
export { emptyDataFolder, restoreDataFolder, verifyStoppedFolder } from "./care.ts";
