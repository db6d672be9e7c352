/** Loaded before a driver: rewrites the source text of one module of the engine, as `CRASH_MUTATION` says. */
import { registerHooks } from "node:module";
import { MUTATIONS, mutated } from "./mutations.ts";

const mutation = MUTATIONS[process.env["CRASH_MUTATION"] ?? ""];
if (!mutation) throw new TypeError(`there is no mutation ${process.env["CRASH_MUTATION"]}`);

registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context);
    if (!url.endsWith(mutation.module) || typeof loaded.source !== "object" || loaded.source === null) return loaded;
    return { ...loaded, source: mutated(mutation, Buffer.from(loaded.source as Uint8Array).toString("utf8")) };
  },
});
