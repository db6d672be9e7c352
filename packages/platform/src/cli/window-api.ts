import type { WindowResponse, WindowShape } from "../api/index.ts";
import type { CommandContext } from "./command.ts";
import { LAMBENT_PATHS } from "./lambent-api.ts";
import { shortSpan } from "./span.ts";

/** Asks for a change of a window by its name, and says what it is now. */
export async function changeWindow(
  { output, client }: CommandContext,
  name: string,
  what: "pause" | "resume" | "reset",
  body: object = {},
): Promise<void> {
  const path = `${LAMBENT_PATHS.window(name)}/${what}`;
  const { Window } = await client().json<WindowResponse>({ service: "lambent", method: "POST", path, body });
  if (output.json) output.data(Window);
  else output.line(windowLine(Window));
}

/** `  averages   running: sliding 1m over readings`. */
export function windowLine(window: WindowShape): string {
  return `  ${window.Name}   ${window.State}: ${windowText(window)}`;
}

/** What a kind of window is known by, so that it is not named. */
const OWN_SIZE: ReadonlySet<string> = new Set(["sizeMs", "gapMs", "size"]);

/** `sliding 1m over readings: mean`, as `--window` takes it. */
export function windowText({ Definition, StreamName }: WindowShape): string {
  const { window } = JSON.parse(Definition) as {
    readonly window: { readonly window: Readonly<Record<string, unknown>>; readonly aggregates: object };
  };
  const { kind, ...sizes } = window.window;
  const spelled = Object.entries(sizes).map(([name, value]) => {
    const text = name.endsWith("Ms") ? shortSpan(Number(value)) : String(value);
    return OWN_SIZE.has(name) ? text : `${name.replace(/Ms$/u, "")} ${text}`;
  });
  const aggregates = Object.keys(window.aggregates);
  return `${[String(kind), ...spelled].join(" ")} over ${StreamName}${aggregates.length === 0 ? "" : `: ${aggregates.join(", ")}`}`;
}
