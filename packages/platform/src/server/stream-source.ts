import { isLambentError, type Later, type SecureRandom, seededRandom } from "../base/index.ts";
import type { FunctionVersion } from "../model/index.ts";
import type { Authorizer, EgressToAll } from "../security/index.ts";
import type { StreamSourceParts } from "../sources/index.ts";
import type { Events } from "./events.ts";
import { authorizeRole } from "./role-permission.ts";
import type { Streaming } from "./streaming.ts";

/** What AWS asks a function's role for when a mapping of a stream is made. */
const READING_ACTIONS = ["kinesis:GetRecords", "kinesis:GetShardIterator", "kinesis:DescribeStream", "kinesis:ListShards"];

export interface StreamSourceJoin {
  readonly streaming: Later<Streaming>;
  readonly events: Events;
  readonly authorizer: Authorizer;
  readonly secureRandom: SecureRandom;
  readonly egress: EgressToAll;
  readonly retryTimeFactor: number;
  readonly kafkaAddress: () => string;
  readonly reportDefect: (error: unknown) => void;
}

/** Joins mappings of streams to the streams, and to what carries on what they failed with. */
export function joinStreamSource(join: StreamSourceJoin): StreamSourceParts {
  const { streaming, events, authorizer, secureRandom, egress, retryTimeFactor, kafkaAddress, reportDefect } = join;
  return {
    ...{ retryTimeFactor, kafkaAddress },
    external: { egress, environment: variableNamed },
    random: seededRandom(secureRandom.bytes(4).readUInt32LE(0)),
    streams: async () => (await streaming.get()).streams,
    onOpened(cell, _realm, outbox) {
      events.distribution.get().then(
        (distribution) => distribution.serve(cell, outbox),
        (error: unknown) => {
          // What lies there is kept: the next start takes it up.
          if (!isLambentError(error, "ShuttingDown")) reportDefect(error);
        },
      );
    },
    mayRead: (version, streamArn) => mayReadStream(authorizer, version, streamArn),
  };
}

function mayReadStream(authorizer: Authorizer, version: FunctionVersion, resource: string): boolean {
  try {
    for (const action of READING_ACTIONS)
      authorizeRole(authorizer, version, { requestId: version.revisionId, action, resource, resourcePolicy: undefined });
    return true;
  } catch (error) {
    if (isLambentError(error, "AccessDenied")) return false;
    throw error;
  }
}

/** Of the server's own environment, where secrets are that nobody is to read here. */
export function variableNamed(name: string): string | undefined {
  return process.env[name];
}
