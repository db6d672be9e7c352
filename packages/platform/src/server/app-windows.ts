import type { AppWindows, WantedWindow, WindowDifference } from "../apps/index.ts";
import { LambentError } from "../base/index.ts";
import type { Realm } from "../model/index.ts";
import type { Streams } from "../streams/index.ts";
import type { ManagedWindow, Start, WindowChange, Windows } from "../windows/index.ts";

export interface AppWindowParts {
  readonly streams: () => Promise<Streams>;
  readonly windows: () => Promise<Windows>;
}

/** Joins `apps/` to `windows/`: an application's windows in terms of their own changes. */
export function createAppWindows({ streams, windows }: AppWindowParts): AppWindows {
  return {
    async hasWindow(realm, name) {
      return (await windows()).find(realm, name) !== undefined;
    },
    async compareWindow(realm, window) {
      const definition = await definitionOf(window);
      return differenceOf(window, (await windows()).plan(realm, window.name, definition));
    },
    async createWindow(realm, window) {
      const definition = await definitionOf(window);
      await requireSource(await streams(), realm, definition);
      await (await windows()).create(realm, window.name, definition);
    },
    async updateWindow(realm, window) {
      const definition = await definitionOf(window);
      await requireSource(await streams(), realm, definition);
      await (await windows()).update(realm, window.name, definition, { restart: await startOf(window) });
    },
    async removeWindow(realm, name) {
      await (await windows()).remove(realm, name);
    },
  };
}

/** A stream that only a window names is made, too. */
async function requireSource(streams: Streams, realm: Realm, { source }: ManagedWindow): Promise<void> {
  if (!streams.find(realm, source.stream)) await streams.create(realm, source.stream, { shards: 1, madeBy: "lambent" });
}

function differenceOf({ name, restart }: WantedWindow, change: WindowChange | undefined): WindowDifference {
  if (change === undefined) return { kind: "create" };
  switch (change.kind) {
    case "same":
      return { kind: "same" };
    case "kept":
      return told(change.fields.join(", "), "kept");
    case "migrated":
      return told(change.fields.join(", "), "goes on under the new definition");
    case "restarted":
      if (restart === undefined)
        throw new LambentError(
          "RestartNeeded",
          `What window ${name} has reckoned means nothing under the new definition: ${change.why.join("; ")}.`,
        );
      return told(change.why.join("; "), `dropped; begins anew at ${restart}`);
  }
}

function told(what: string, becomes: string): WindowDifference {
  return {
    kind: "update",
    fields: [
      { field: "definition", from: "as it is", to: what },
      { field: "what it has reckoned", from: "as it is", to: becomes },
    ],
  };
}

async function definitionOf({ name, declaration }: WantedWindow): Promise<ManagedWindow> {
  const { readDeclaration } = await import("../windows/index.ts");
  try {
    return readDeclaration(JSON.parse(declaration));
  } catch (error) {
    if (error instanceof LambentError) throw new LambentError(error.code, `windows.${name}: ${error.message}`);
    throw error;
  }
}

async function startOf({ restart }: WantedWindow): Promise<Start | undefined> {
  if (restart === undefined) return undefined;
  const { startOf: read } = await import("../windows/index.ts");
  return restart === "here" ? { kind: "here" } : read(restart);
}
