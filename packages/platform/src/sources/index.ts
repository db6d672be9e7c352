/** What calls functions without a caller: mappings from queues and streams to functions, and the readers that serve them. */
export { openSources, Sources } from "./sources.ts";
export type { MappingChange, MappingInput, ProcessingResult, QueueMappingInput, SourcesParts, StreamMappingInput } from "./sources.ts";
export { isStreamMapping, mappingArn, parseMappingArn } from "./mappings/mapping.ts";
export type {
  KafkaAccess,
  KafkaCluster,
  Mapping,
  MappingSettings,
  MappingSource,
  QueueMapping,
  QueueSource,
  StartingPosition,
  StreamForm,
  StreamMapping,
  StreamMappingSettings,
  StreamSource,
} from "./mappings/mapping.ts";
export type { WantedStart, WantedStream } from "./mappings/source-kind.ts";
export type { MappingState } from "./mappings/mapping-state.ts";
export { DEFAULT_MAPPING_SETTINGS } from "./mappings/mapping-rules.ts";
export { checkStreamSettings, DEFAULT_STREAM_MAPPING_SETTINGS } from "./stream/stream-rules.ts";
export { MAPPING_SHARD_CELL_KIND } from "./stream/shard-cells.ts";
export type { ExternalParts, StreamSourceParts } from "./stream/stream-kind.ts";
export { createNotifier, notifierOf, NOTIFYING_SERVICE } from "./objects/notifier.ts";
