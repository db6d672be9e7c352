/** What calls functions without a caller: mappings from queues to functions, and the pollers that serve them. */
export { openSources, Sources } from "./sources.ts";
export type { MappingChange, MappingInput, ProcessingResult, SourcesParts } from "./sources.ts";
export { mappingArn, parseMappingArn } from "./mappings/mapping.ts";
export type { Mapping, MappingSettings, MappingSource } from "./mappings/mapping.ts";
export type { MappingState } from "./mappings/mapping-state.ts";
export { DEFAULT_MAPPING_SETTINGS } from "./mappings/mapping-rules.ts";
export { createNotifier, notifierOf, NOTIFYING_SERVICE } from "./objects/notifier.ts";
