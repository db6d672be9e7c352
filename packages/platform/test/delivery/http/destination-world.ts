import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { systemSecureRandom } from "../../../src/base/index.ts";
import {
  ApiDestinations,
  type AuthorizationDraft,
  type ConnectionParameters,
  Connections,
  destinationArn,
} from "../../../src/bus/index.ts";
import { apiDestinationTarget, ConnectionTokens } from "../../../src/delivery/index.ts";
import type { Answer } from "../../../src/delivery/handing.ts";
import type { Realm } from "../../../src/model/index.ts";
import type { ParcelOptions, ParcelSender } from "../../../src/outbox/index.ts";
import { createCipher, type EgressToAll } from "../../../src/security/index.ts";
import { openMemoryStore } from "../../../src/storage/index.ts";
import { openClient } from "./world.ts";

export const REALM: Realm = { account: "000000000000", region: "us-east-1" };

const SENDER = {
  kind: "service",
  realm: REALM,
  service: "events.amazonaws.com",
  sourceArn: "arn:aws:events:us-east-1:000000000000:rule/r",
} as const satisfies ParcelSender;

/** Connections, API destinations and their target over a real client. */
export async function openDestinations(test: TestContext, egress?: EgressToAll) {
  const { client, clock } = openClient(test, egress);
  const store = openMemoryStore();
  test.after(() => store.close());
  const trouble = (error: unknown): never => assert.fail(String(error));
  const common = { store, clock, secureRandom: systemSecureRandom };
  const cipher = createCipher(Buffer.alloc(32, 1), systemSecureRandom);
  const announced: string[] = [];
  const connections = await Connections.open({ ...common, cipher, onAuthorizing: (_realm, name) => announced.push(name) });
  const destinations = await ApiDestinations.open({ ...common, connections });
  const tokens = new ConnectionTokens({ client, connections, clock, onTrouble: trouble });
  const allowed: string[] = [];
  const target = apiDestinationTarget({
    ...{ client, tokens, connections, destinations, clock },
    authorize: ({ action, resource }) => allowed.push(`${action} ${resource}`),
  });
  /** Makes a connection and a destination that uses it; returns the destination's ARN. */
  const make = async (
    endpoint: string,
    authorization: AuthorizationDraft,
    more: { perSecond?: number; invocation?: ConnectionParameters } = {},
  ) => {
    const connection = await connections.create(REALM, "c", { description: undefined, authorization, invocation: more.invocation });
    const connectionArn = destinationArn("connection", REALM, connection);
    const draft = { description: undefined, connectionArn, endpoint, method: "POST", invocationsPerSecond: more.perSecond } as const;
    return destinationArn("api-destination", REALM, await destinations.create(REALM, "d", draft));
  };
  const hand = async (arn: string, payload = "{}", options: ParcelOptions = {}): Promise<Answer> => {
    const parcel = { target: arn, sender: SENDER, payload: Buffer.from(payload), options, traceHeader: undefined };
    const from = {
      source: "bus",
      origin: SENDER.sourceArn,
      subject: undefined,
      dueAt: undefined,
      cause: undefined,
      correlation: "x",
    } as const;
    const [answer] = await target.handOver([{ id: "x", parcel, from, again: false }]);
    assert.ok(answer);
    return answer;
  };
  return { client, clock, connections, destinations, tokens, target, announced, allowed, make, hand };
}
