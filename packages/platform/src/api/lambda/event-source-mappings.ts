import type {
  CreateEventSourceMappingRequest,
  DeleteEventSourceMappingRequest,
  EventSourceMappingConfiguration,
  GetEventSourceMappingRequest,
  ListEventSourceMappingsRequest,
  ListEventSourceMappingsResponse,
  UpdateEventSourceMappingRequest,
} from "@aws-sdk/client-lambda";
import { LambentError } from "../../base/index.ts";
import { functionArn, parseFunctionReference } from "../../functions/index.ts";
import type { Realm } from "../../model/index.ts";
import {
  DEFAULT_MAPPING_SETTINGS,
  DEFAULT_STREAM_MAPPING_SETTINGS,
  isStreamMapping,
  mappingArn,
  type Mapping,
  type MappingInput,
  type ProcessingResult,
} from "../../sources/index.ts";
import { given } from "../given.ts";
import type { RequestContext } from "../operation.ts";
import type { ManagementDependencies } from "./dependencies.ts";
import { queueSettings, refuseForeign, settingsShape, streamSettings } from "./mapping-settings.ts";
import { askedSource, requireSameAccess, sourceArnOf, sourceShape } from "./mapping-source.ts";

/** Mappings in one answer; a larger `MaxItems` is cut to it, as on AWS. */
const LISTED_MAX = 100;

/** Event source mappings, which AWS's tools call triggers. @see Lambda API reference */
export function eventSourceMappingOperations({ sources }: Pick<ManagementDependencies, "sources">) {
  const shape = (realm: Realm, mapping: Mapping): EventSourceMappingConfiguration =>
    mappingShape(realm, mapping, sources.result(mapping.uuid));
  return {
    async CreateEventSourceMapping(
      input: CreateEventSourceMappingRequest,
      { realm }: RequestContext,
    ): Promise<EventSourceMappingConfiguration> {
      const { name, qualifier } = parseFunctionReference(given(input.FunctionName, "FunctionName"), realm);
      const about = { functionName: name, qualifier, enabled: input.Enabled ?? true, tags: input.Tags ?? {} };
      return shape(realm, await sources.create(realm, { ...about, ...wantedOf(input, realm) }));
    },

    async UpdateEventSourceMapping(
      input: UpdateEventSourceMappingRequest,
      { realm }: RequestContext,
    ): Promise<EventSourceMappingConfiguration> {
      const uuid = given(input.UUID, "UUID");
      const known = sources.get(realm, uuid);
      refuseForeign(input, isStreamMapping(known) ? known.source.form : "queue");
      requireSameAccess(input, known);
      const mapping = await sources.update(realm, uuid, {
        function: input.FunctionName === undefined ? undefined : parseFunctionReference(input.FunctionName, realm),
        settings: isStreamMapping(known) ? streamSettings(input) : queueSettings(input),
        enabled: input.Enabled,
      });
      return shape(realm, mapping);
    },

    GetEventSourceMapping(input: GetEventSourceMappingRequest, { realm }: RequestContext): EventSourceMappingConfiguration {
      return shape(realm, sources.get(realm, given(input.UUID, "UUID")));
    },

    async DeleteEventSourceMapping(
      input: DeleteEventSourceMappingRequest,
      { realm }: RequestContext,
    ): Promise<EventSourceMappingConfiguration> {
      return shape(realm, await sources.remove(realm, given(input.UUID, "UUID")));
    },

    ListEventSourceMappings(input: ListEventSourceMappingsRequest, { realm }: RequestContext): ListEventSourceMappingsResponse {
      const wanted = input.FunctionName === undefined ? undefined : parseFunctionReference(input.FunctionName, realm);
      const after = input.Marker === undefined ? "" : afterMarker(input.Marker);
      const found = sources
        .list(realm)
        .filter((each) => input.EventSourceArn === undefined || sourceArnOf(realm, each) === input.EventSourceArn)
        .filter(
          (each) =>
            !wanted || (each.functionName === wanted.name && (wanted.qualifier === undefined || wanted.qualifier === each.qualifier)),
        )
        .filter(({ uuid }) => uuid > after);
      const shown = found.slice(0, Math.min(input.MaxItems ?? LISTED_MAX, LISTED_MAX));
      const last = shown.at(-1);
      return {
        EventSourceMappings: shown.map((each) => shape(realm, each)),
        NextMarker: last !== undefined && found.length > shown.length ? Buffer.from(`:${last.uuid}`).toString("base64url") : undefined,
      };
    },
  };
}

/** The source, and what is set for it. */
function wantedOf(input: CreateEventSourceMappingRequest, realm: Realm): WantedSettings {
  const asked = askedSource(input, realm);
  if (asked.kind === "queue") {
    refuseForeign(input, "queue");
    return { queueName: asked.name, settings: { ...DEFAULT_MAPPING_SETTINGS, ...queueSettings(input) } };
  }
  refuseForeign(input, asked.stream.form);
  return { stream: asked.stream, settings: { ...DEFAULT_STREAM_MAPPING_SETTINGS, ...streamSettings(input) } };
}

type WantedSettings = MappingInput extends infer I
  ? I extends MappingInput
    ? Omit<I, "functionName" | "qualifier" | "enabled" | "tags">
    : never
  : never;

function mappingShape(realm: Realm, mapping: Mapping, result: ProcessingResult): EventSourceMappingConfiguration {
  const { uuid, functionName, qualifier, state, modifiedAt } = mapping;
  const isOfStream = isStreamMapping(mapping);
  return {
    UUID: uuid,
    ...sourceShape(realm, mapping),
    ...settingsShape(mapping),
    FunctionArn: functionArn(realm, functionName, qualifier),
    LastModified: new Date(modifiedAt),
    LastProcessingResult: resultText(result) ?? (isOfStream ? "No records processed" : undefined),
    State: state.kind.charAt(0).toUpperCase() + state.kind.slice(1),
    // AWS has one word for queues, and others for streams.
    StateTransitionReason: isOfStream ? "User action" : "USER_INITIATED",
    EventSourceMappingArn: mappingArn(realm, uuid),
  };
}

function resultText(result: ProcessingResult): string | undefined {
  return result && (result.kind === "ok" ? "OK" : `PROBLEM: ${result.what}`);
}

function afterMarker(marker: string): string {
  const text = Buffer.from(marker, "base64url").toString("utf8");
  if (!text.startsWith(":")) throw new LambentError("InvalidParameter", "Marker is not one that a list of this kind has given out.");
  return text.slice(1);
}
