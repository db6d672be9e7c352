import { createRequire } from "node:module";
import { seededRandom } from "../../../src/base/index.ts";
import { loadService, type ServiceName } from "../../../src/wire/index.ts";
import type { RealServer } from "../../support/server.ts";
import { CLIENTS } from "../../support/wire-client.ts";
import { fitS3Input, ValueSource } from "../../support/wire-values.ts";

const require = createRequire(import.meta.url);
const SEED = 20_261_121;

interface AnyClient {
  send(command: unknown): Promise<unknown>;
  destroy(): void;
}

/** What the server answers to a well-formed call of an operation, whatever it is: `<operation>: <status> <error>`. */
export async function answerOf(service: ServiceName, operation: string, server: RealServer): Promise<string> {
  const names = CLIENTS[service];
  const exported = require(names.module) as Record<string, new (input: object) => AnyClient>;
  const [Client, Command] = [exported[names.client], exported[`${operation}Command`]];
  const shape = loadService(service).operations.get(operation)?.input;
  if (!Client || !Command) return `${operation}: not in the SDK`;
  const input = shape ? new ValueSource(seededRandom(SEED), { requiredOnly: true }).structure(shape) : {};
  if (service === "s3") fitS3Input(input);
  const client = new Client({
    endpoint: server.url,
    region: "us-east-1",
    credentials: server.key,
    maxAttempts: 1,
    disableHostPrefix: true,
    forcePathStyle: true,
  });
  try {
    await client.send(new Command(input));
    return `${operation}: answered`;
  } catch (error) {
    if (!(error instanceof Error && "$metadata" in error)) return `${operation}: ${String(error)}`;
    const { httpStatusCode } = error.$metadata as { readonly httpStatusCode?: number };
    return `${operation}: ${httpStatusCode} ${error.name}${error.message.includes(operation) ? ", named" : ""}`;
  } finally {
    client.destroy();
  }
}

/** Version of the SDK's client package. */
export function clientVersion(service: ServiceName): string {
  return (require(`${CLIENTS[service].module}/package.json`) as { readonly version: string }).version;
}
