/** Queries: read-only SQL over streams and the results of windows. */
export { Queries, QUERIES_AT_ONCE_MAX } from "./queries.ts";
export type { QueriesParts, QueryAnswer, QueryRequest } from "./queries.ts";
export type { StreamRead } from "./read-stream.ts";
export type { Range } from "./reading-plan.ts";
