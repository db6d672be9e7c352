import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { Scheduler } from "@aws-sdk/client-scheduler";
import { schedulerService } from "../../../src/api/scheduler/service.ts";
import { seededRandom, systemClock, systemSecureRandom } from "../../../src/base/index.ts";
import { openSchedules, type Schedules } from "../../../src/schedules/index.ts";
import type { SigningKey } from "../../../src/security/index.ts";
import { openMemoryStore } from "../../../src/storage/index.ts";
import { serveServices, TEST_KEY, testSecurity, type TestSecurity } from "../../support/api-client.ts";

process.env["AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED"] = "true";

export interface SchedulerWorld {
  readonly endpoint: string;
  readonly schedules: Schedules;
  readonly security: TestSecurity;
  readonly scheduler: Scheduler;
  client(key: SigningKey): Scheduler;
}

/** EventBridge Scheduler over a real socket. What is due is delivered to nobody. */
export async function openScheduler(test: TestContext): Promise<SchedulerWorld> {
  const security = await testSecurity(test);
  const store = openMemoryStore();
  const schedules = await openSchedules({
    ...{ store, clock: systemClock, secureRandom: systemSecureRandom, random: seededRandom(1), retryTimeFactor: 1 },
    rules: { deliveries: () => [], deadLetter: () => ({}) },
    onOpened: () => undefined,
    onProblem: (error) => assert.fail(String(error)),
  });
  test.after(async () => {
    await schedules.close();
    await store.close();
  });
  const hasOperation = async (service: string, operation: string): Promise<boolean> => `${service}:${operation}` === "sqs:sendMessage";
  const service = schedulerService({ schedules, secureRandom: systemSecureRandom, hasOperation });
  const endpoint = await serveServices(test, [service], security);
  const client = (key: SigningKey): Scheduler => {
    const credentials: object = { credentials: key };
    const made = new Scheduler({ endpoint, region: "us-east-1", maxAttempts: 1, ...credentials });
    test.after(() => made.destroy());
    return made;
  };
  return { endpoint, schedules, security, scheduler: client(TEST_KEY), client };
}
