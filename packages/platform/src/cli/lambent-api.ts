/**
 * Where Lambent's own operations are. Spelled out here because the schema they are in loads the whole wire layer,
 * which a command does not need; a test compares both.
 */
export const LAMBENT_PATHS = {
  status: "/_lambent/v1/status",
  backup: "/_lambent/v1/backup",
  verify: "/_lambent/v1/verify",
  plan: "/_lambent/v1/apps/plan",
  deploy: "/_lambent/v1/apps/deploy",
  events: "/_lambent/v1/events",
  event: (id: string) => `/_lambent/v1/events/${encodeURIComponent(id)}`,
  replay: (id: string) => `/_lambent/v1/events/${encodeURIComponent(id)}/replay`,
  cancel: (id: string) => `/_lambent/v1/events/${encodeURIComponent(id)}/cancel`,
  streamTriggers: "/_lambent/v1/stream-triggers",
  windows: "/_lambent/v1/windows",
  window: (name: string) => `/_lambent/v1/windows/${encodeURIComponent(name)}`,
  query: "/_lambent/v1/query",
  debug: (functionName: string) => `/_lambent/v1/functions/${encodeURIComponent(functionName)}/debugger`,
  followLogs: (functionName: string) => `/_lambent/v1/functions/${encodeURIComponent(functionName)}/logs`,
} as const;
