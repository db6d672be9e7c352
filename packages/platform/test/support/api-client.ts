import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { TestContext } from "node:test";
import { perform } from "../../src/api/perform.ts";
import type { Service } from "../../src/api/service.ts";
import { LambentError, systemClock, systemSecureRandom } from "../../src/base/index.ts";
import {
  type Authorizer,
  createAuditLog,
  createAuthenticator,
  createAuthorizer,
  createCredentials,
  type Credentials,
  ephemeralSecrets,
  openRoles,
  realmOf,
  type Roles,
} from "../../src/security/index.ts";
import { openMemoryStore } from "../../src/storage/index.ts";
import { decode, encodeError, encodeOutput, errorTarget, findService, type WireRequest } from "../../src/wire/index.ts";

/** Root key of the servers that tests start. */
export const TEST_KEY = { accessKeyId: "AKIATESTTESTTESTTEST", secretAccessKey: "a-secret-for-tests-only", account: "000000000000" };

export interface TestSecurity {
  readonly credentials: Credentials;
  readonly roles: Roles;
  readonly authorizer: Authorizer;
  readonly audit: ReturnType<typeof createAuditLog>;
  readonly authenticator: ReturnType<typeof createAuthenticator>;
}

/** The security part over a store in memory, closed when the test ends. */
export async function testSecurity(test: TestContext): Promise<TestSecurity> {
  const store = openMemoryStore();
  test.after(() => store.close());
  const [clock, secureRandom] = [systemClock, systemSecureRandom];
  const { tokenKey } = ephemeralSecrets(secureRandom);
  const credentials = createCredentials({ rootKeys: [TEST_KEY], tokenKey, clock, secureRandom });
  const roles = await openRoles({ store, accounts: [TEST_KEY.account], clock, secureRandom });
  const audit = createAuditLog(clock);
  const authorizer = createAuthorizer({ roles, audit, clock });
  return { credentials, roles, authorizer, audit, authenticator: createAuthenticator({ credentials, clock }) };
}

/** Serves `services` on a real socket, every request verified and authorised; returns the endpoint. */
export async function serveServices(test: TestContext, services: readonly Service[], security: TestSecurity): Promise<string> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const headers = Object.assign(Object.create(null), request.headers) as WireRequest["headers"];
      const wireRequest = {
        method: request.method ?? "",
        rawUrl: request.url ?? "",
        rawHeaders: request.rawHeaders,
        headers,
        body: Buffer.concat(chunks),
      };
      void answer(wireRequest, services, security).then((reply) => response.writeHead(reply.status, reply.headers).end(reply.body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  test.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function answer(request: WireRequest, services: readonly Service[], { authenticator, authorizer }: TestSecurity) {
  const requestId = systemSecureRandom.uuid();
  const scope = authenticator.credentialScope(request);
  const model = findService(
    { ...request, scopeService: scope?.service },
    services.map((service) => service.model),
  );
  const service = services.find((candidate) => candidate.model === model);
  try {
    if (!service || !scope) throw new LambentError("UnknownOperation", "no such service here");
    const principal = authenticator.authenticate(request, service.model.signingName);
    const decoded = decode(request, service.model);
    const realm = realmOf(principal, scope);
    const context = {
      realm,
      requestId,
      principal,
      endpoint: "http://127.0.0.1",
      signal: new AbortController().signal,
      onCallerGone: () => undefined,
      reportDefect: (error: unknown) => assert.fail(`a defect: ${String(error)}`),
    };
    const output = await perform(service, decoded, context, (_context, permission) =>
      authorizer.authorize({ principal, requestId, region: realm.region, ...permission }),
    );
    const { status, headers, body } = encodeOutput(decoded, output, requestId);
    return { status, headers, body: body as Buffer };
  } catch (error) {
    const known =
      error instanceof LambentError ? error : new LambentError("InternalError", String(error instanceof Error ? error.stack : error));
    const wireError = service?.wireError(known) ?? { name: known.code, message: known.message, status: known.entry.status };
    const { status, headers, body } = encodeError(errorTarget(request, model), wireError, requestId);
    return { status, headers, body: body as Buffer };
  }
}
