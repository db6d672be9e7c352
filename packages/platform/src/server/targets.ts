import { policyText } from "../api/index.ts";
import type { Clock } from "../base/index.ts";
import type { ApiDestinations, Buses, Connections } from "../bus/index.ts";
import {
  apiDestinationTarget,
  archiveTarget,
  bucketTarget,
  busTarget,
  type ConnectionTokens,
  type DeliveryPermission,
  endpointTarget,
  functionTarget,
  type HttpClient,
  operationTarget,
  queueTarget,
  streamTarget,
  Targets,
  topicTarget,
} from "../delivery/index.ts";
import type { Functions } from "../functions/index.ts";
import type { AsyncInvoker } from "../invoker/index.ts";
import type { ServiceCaller } from "../model/index.ts";
import type { Buckets } from "../objects/index.ts";
import type { Queues } from "../queues/index.ts";
import type { Streams } from "../streams/index.ts";
import type { Topics } from "../topics/index.ts";

export interface TargetsParts {
  readonly clock: Clock;
  readonly queues: Queues;
  readonly functions: Functions;
  readonly connections: Connections;
  readonly destinations: ApiDestinations;
  readonly tokens: ConnectionTokens;
  readonly client: HttpClient;
  readonly authorize: (permission: DeliveryPermission) => void;
  readonly asyncInvoker: AsyncInvoker;
  // What is opened behind the table that it is a part of.
  readonly buses: () => Buses;
  readonly topics: () => Topics;
  readonly buckets: () => Buckets;
  readonly caller: () => ServiceCaller;
  readonly streams: () => Promise<Streams>;
}

/** Everything that can receive an event, joined. */
export function joinTargets(parts: TargetsParts): Targets {
  const { clock, queues, functions, authorize, buses, topics, buckets, streams, caller, client, tokens, connections, destinations } = parts;
  return new Targets(
    [
      queueTarget({ queues, authorize }),
      functionTarget({
        authorize,
        functions: () => parts.asyncInvoker,
        functionPolicy: (realm, name, qualifier) => policyText(functions, { realm }, name, qualifier),
        requireFunction: (realm, name, qualifier) => void functions.reading.get(realm, name, qualifier),
      }),
      busTarget({ buses, authorize, clock }),
      archiveTarget({ buses }),
      topicTarget({ topics, authorize }),
      bucketTarget({ buckets, authorize }),
      streamTarget({ streams, authorize }),
      apiDestinationTarget({ client, tokens, connections, destinations, authorize, clock }),
      endpointTarget({ client, clock }),
      operationTarget({ caller }),
    ],
    clock,
  );
}
