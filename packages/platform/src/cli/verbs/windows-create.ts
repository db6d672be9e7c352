import { readFileSync } from "node:fs";
import type { UpdateWindowResponse, WindowResponse } from "../../api/index.ts";
import type { CommandContext, Run } from "../command.ts";
import { CommandFailure } from "../errors.ts";
import { LAMBENT_PATHS } from "../lambent-api.ts";
import { windowLine } from "../window-api.ts";
import { declarationOf, type WindowOptions } from "../window-declaration.ts";

type CreateOptions = WindowOptions & { readonly file?: string; readonly restart?: string };

/** `lambent windows create <name>`: makes a window, or gives one that is there another definition. */
export const run: Run<CreateOptions> = async (context, [name = ""], { file, restart, ...options }) => {
  const { output } = context;
  const declaration = { ...(file === undefined ? {} : readFile(file)), ...declarationOf(options) };
  const body = { Declaration: JSON.stringify(declaration) };
  const isThere = await isWindow(context, name);
  const request = { service: "lambent", path: LAMBENT_PATHS.window(name) } as const;
  if (!isThere) {
    const { Window } = await context.client().json<WindowResponse>({ ...request, method: "POST", body });
    return output.json ? output.data({ Window, Created: true }) : output.line(`${windowLine(Window)}   created`);
  }
  const changed = { ...body, ...(restart === undefined ? {} : { Restart: restart }) };
  const { Window, Change } = await context.client().json<UpdateWindowResponse>({ ...request, method: "PUT", body: changed });
  if (output.json) return output.data({ Window, Created: false, Change });
  output.line(`${windowLine(Window)}   ${CHANGES[Change.Kind]}`);
  for (const field of Change.Fields) output.note(`    ${field}`);
};

const CHANGES: Readonly<Record<UpdateWindowResponse["Change"]["Kind"], string>> = {
  same: "is there already",
  kept: "changed; what it has reckoned is kept",
  migrated: "changed; what it has reckoned goes on under the new definition",
  restarted: "changed; what it had reckoned is dropped, and it begins anew",
};

async function isWindow({ client }: CommandContext, name: string): Promise<boolean> {
  try {
    await client().send({ service: "lambent", method: "GET", path: LAMBENT_PATHS.window(name) });
    return true;
  } catch (error) {
    if (error instanceof CommandFailure && error.exit === "notFound") return false;
    throw error;
  }
}

function readFile(file: string): object {
  let text: string;
  try {
    text = readFileSync(file === "-" ? 0 : file, "utf8");
  } catch (error) {
    throw new CommandFailure(
      "usage",
      `${file} cannot be read: ${(error as NodeJS.ErrnoException).code ?? "no file"}.`,
      "Give a file with a declaration as JSON.",
    );
  }
  try {
    return JSON.parse(text) as object;
  } catch (error) {
    throw new CommandFailure("usage", `${file} is no JSON: ${(error as Error).message}.`, "docs/windows.md shows a declaration.");
  }
}
