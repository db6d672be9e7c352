import { readdirSync, readFileSync } from "node:fs";
import type { Run } from "../command.ts";
import { CommandFailure } from "../errors.ts";

const FOLDER = new URL("../event-samples/", import.meta.url);

/** Short names for the samples people ask for most. */
const SHORT: Readonly<Record<string, string>> = {
  http: "lambda-urls-request",
  url: "lambda-urls-request",
  api: "apigw-v2-request-no-authorizer",
  websocket: "apigw-websocket-request-send-message",
  schedule: "eventbridge-scheduled-event",
  timer: "eventbridge-scheduled-event",
};

/** `lambent event sample <kind>`: an event as its trigger sends it, on standard output. */
export const run: Run<object> = ({ output }, [kind]) => {
  const names = readdirSync(FOLDER)
    .filter((name) => name.endsWith(".json"))
    .map((name) => name.slice(0, -".json".length))
    .toSorted();
  if (kind === undefined) return output.json ? output.data(names) : output.line([...Object.keys(SHORT), ...names].join("\n"));
  const found = [Object.hasOwn(SHORT, kind) ? SHORT[kind] : undefined, kind, `${kind}-event`, `${kind}-request`].find(
    (name) => name !== undefined && names.includes(name),
  );
  if (found === undefined) {
    const near = names.filter((name) => name.includes(kind)).slice(0, 5);
    throw new CommandFailure(
      "notFound",
      `There is no sample event ${JSON.stringify(kind)}.`,
      near.length > 0 ? `Near: ${near.join(", ")}` : "`lambent event sample` lists them.",
    );
  }
  output.raw(readFileSync(new URL(`${found}.json`, FOLDER)));
};
