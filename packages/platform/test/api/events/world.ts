import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { EventBridge } from "@aws-sdk/client-eventbridge";
import { eventsService } from "../../../src/api/events/service.ts";
import { systemClock, systemSecureRandom, seededRandom } from "../../../src/base/index.ts";
import { ApiDestinations, BUS_CELL_KIND, type Buses, Connections, openBuses } from "../../../src/bus/index.ts";
import { Ledger } from "../../../src/ledger/index.ts";
import { createCipher, type SigningKey } from "../../../src/security/index.ts";
import { type FaultPlan, openMemoryStore } from "../../../src/storage/index.ts";
import { serveServices, TEST_KEY, testSecurity, type TestSecurity } from "../../support/api-client.ts";
import { type HttpReply, sendSigned } from "../../support/signed-http.ts";

process.env["AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED"] = "true";

export const ACCOUNT = "000000000000";
export const REALM = { account: ACCOUNT, region: "us-east-1" };
export const arnOf = (resource: string): string => `arn:aws:events:us-east-1:${ACCOUNT}:${resource}`;

export interface EventsWorld {
  readonly buses: Buses;
  readonly ledger: Ledger;
  readonly security: TestSecurity;
  readonly events: EventBridge;
  /** What each call was authorised for, in order. */
  readonly permissions: { readonly action: string; readonly resource: string }[];
  faults: FaultPlan;
  client(key: SigningKey): EventBridge;
  /** By hand: what no client sends. */
  json(operation: string, input: object): Promise<HttpReply>;
}

/** EventBridge over a real socket, signed and authorised; what is delivered stays in its bus. */
export async function openEvents(context: TestContext): Promise<EventsWorld> {
  const security = await testSecurity(context);
  let faults: FaultPlan = () => undefined;
  const store = openMemoryStore({ faults: (step) => faults(step) });
  const common = { store, clock: systemClock, secureRandom: systemSecureRandom };
  const cipher = createCipher(Buffer.alloc(32, 1), systemSecureRandom);
  const connections = await Connections.open({ ...common, cipher, onAuthorizing: () => undefined });
  const apiDestinations = await ApiDestinations.open({ ...common, connections });
  const buses = await openBuses({
    ...{ ...common, random: seededRandom(1), retryTimeFactor: 1 },
    onOpened: () => undefined,
    onProblem: (error) => assert.fail(String(error)),
    timers: () => ({ check: () => undefined, put: async () => undefined, remove: async () => undefined, sync: async () => undefined }),
  });
  context.after(async () => {
    await buses.close();
    await store.close();
  });
  const permissions: EventsWorld["permissions"] = [];
  const service = eventsService({ buses, clock: systemClock, secureRandom: systemSecureRandom, connections, apiDestinations });
  const recording: typeof service = {
    ...service,
    permission(operation, input, request) {
      const permission = service.permission(operation, input, request);
      for (const { action, resource } of permission ? [permission, ...(permission.others ?? [])] : [])
        permissions.push({ action, resource });
      return permission;
    },
  };
  const endpoint = await serveServices(context, [recording], security);
  const client = ({ accessKeyId, secretAccessKey, sessionToken }: SigningKey): EventBridge => {
    const credentials = { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) };
    const made = new EventBridge({ endpoint, region: "us-east-1", maxAttempts: 1, credentials });
    context.after(() => made.destroy());
    return made;
  };
  return {
    ...{ buses, security, permissions, client, events: client(TEST_KEY) },
    ledger: new Ledger({ store, clock: systemClock, cellKinds: [BUS_CELL_KIND], live: (_cell, record) => record }),
    get faults() {
      return faults;
    },
    set faults(plan: FaultPlan) {
      faults = plan;
    },
    json: (operation, input) =>
      sendSigned(
        endpoint,
        {
          path: "/",
          headers: { "content-type": "application/x-amz-json-1.1", "x-amz-target": `AWSEvents.${operation}` },
          body: JSON.stringify(input),
        },
        TEST_KEY,
        "events",
      ),
  };
}
