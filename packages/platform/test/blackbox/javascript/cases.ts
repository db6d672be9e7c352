import assert from "node:assert/strict";
import {
  type ClientChoices,
  type FunctionChoices,
  type JavaScriptClients,
  javascriptClients,
  makeFunction,
} from "../../support/javascript-clients.ts";
import type { RealServer } from "../../support/server.ts";

/** What the cases of one file share: one server, clients that are recorded, and clients that set the stage. */
export interface Stage {
  readonly server: RealServer;
  /** Recorded: only the operation under test goes through these. */
  readonly js: JavaScriptClients;
  /** Not recorded: they prepare, and look at the effect. */
  readonly stage: JavaScriptClients;
  /** Further recorded clients: another region, other credentials. */
  recorded(choices: ClientChoices): JavaScriptClients;
  /** Further unrecorded ones. */
  direct(choices: ClientChoices): JavaScriptClients;
  /** A function ready to be called, by the unrecorded clients. */
  made(name: string, choices?: FunctionChoices): Promise<string>;
  close(): void;
}

/** One operation: what it does, shown by another operation, and what it refuses, as the client sees it. */
export interface OperationCase {
  readonly does: (stage: Stage) => Promise<unknown>;
  readonly refuses: readonly [call: (stage: Stage) => Promise<unknown>, error: ErrorClass | string, status: number];
}

/** A class of the SDK, by which people catch the error. */
export type ErrorClass = abstract new (...input: never[]) => Error;

/** A stage before `server`; what is said through `recorder` is kept. */
export function openStage(server: RealServer, recorder: string): Stage {
  const open: JavaScriptClients[] = [];
  const clients = (choices: ClientChoices): JavaScriptClients => {
    const made = javascriptClients(server, choices);
    open.push(made);
    return made;
  };
  const stage = clients({});
  return {
    server,
    js: clients({ endpoint: recorder }),
    stage,
    recorded: (choices) => clients({ endpoint: recorder, ...choices }),
    direct: clients,
    made: (name, choices) => makeFunction(stage.lambda, name, choices),
    close: () => open.forEach((each) => each.close()),
  };
}

/** Asserts that `call` is refused with that class (or name, where the SDK has no class for it) and HTTP status. */
export async function assertRefused(call: Promise<unknown>, error: ErrorClass | string, status: number): Promise<void> {
  await assert.rejects(call, (thrown: unknown) => {
    assert.ok(thrown instanceof Error && "$metadata" in thrown, `no answer of a service: ${String(thrown)}`);
    const metadata = thrown.$metadata as { readonly httpStatusCode?: number; readonly requestId?: string };
    assert.equal(thrown.name, typeof error === "string" ? error : error.name, thrown.message);
    if (typeof error !== "string") assert.ok(thrown instanceof error, `${thrown.name} is not of the SDK's class`);
    assert.equal(metadata.httpStatusCode, status);
    assert.match(metadata.requestId ?? "", /^[0-9a-f-]{36}$/u);
    assert.ok(thrown.message.length > 5, `the message says nothing: ${thrown.message}`);
    return true;
  });
}

/** A member that must be there. */
export const known = <T>(value: T | undefined): T => value ?? assert.fail("a member is missing");

/** Credentials as STS answers them, as clients take them. */
export function credentialsOf(
  given: { AccessKeyId?: string | undefined; SecretAccessKey?: string | undefined; SessionToken?: string | undefined } | undefined,
) {
  return {
    accessKeyId: known(given?.AccessKeyId),
    secretAccessKey: known(given?.SecretAccessKey),
    sessionToken: known(given?.SessionToken),
  };
}
