import { createClient, type Client } from "./client.ts";
import { connect, type ConnectionOptions } from "./connection.ts";
import type { ExitName } from "./errors.ts";
import type { Output } from "./output.ts";

/** What a verb gets. */
export interface CommandContext {
  readonly output: Output;
  readonly environment: NodeJS.ProcessEnv;
  /** Options of the connection as given. */
  readonly connection: ConnectionOptions;
  /** How a complaint names an option: by the variable of the environment that its value came from, if it did. */
  calledAs(flag: string): string;
  /** Made at first use: some verbs need no server. */
  client(): Client;
}

/** A verb's work. What it answers is the exit; nothing means done. */
export type Run<Options> = (
  context: CommandContext,
  args: readonly string[],
  options: Options,
) => Promise<ExitName | void> | ExitName | void;

export function createContext(
  output: Output,
  environment: NodeJS.ProcessEnv,
  connection: ConnectionOptions,
  variables: ReadonlyMap<string, string> = new Map(),
): CommandContext {
  let client: Client | undefined;
  return {
    output,
    environment,
    connection,
    calledAs: (flag) => variables.get(flag) ?? flag,
    client: () => (client ??= createClient(connect(connection, environment))),
  };
}
