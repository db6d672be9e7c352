/** What the tests of windows share. */
import assert from "node:assert/strict";
import { checkWindowDefinition, KeyedWindows, type Pane, type SetAside, type WindowDefinition } from "../../../../sdk/src/windows/index.ts";

/** A definition that has to be right. */
export function definition(given: object): WindowDefinition {
  const checked = checkWindowDefinition(given);
  assert.ok(checked.kind === "definition", JSON.stringify(checked));
  return checked.definition;
}

export interface Told {
  readonly windows: KeyedWindows;
  readonly panes: Pane[];
  readonly aside: SetAside[];
}

/** Windows whose panes and set-aside records are written down. */
export function windowsOf(given: object, limits = {}): Told {
  const panes: Pane[] = [];
  const aside: SetAside[] = [];
  const output = { pane: (pane: Pane) => void panes.push(pane), setAside: (record: SetAside) => void aside.push(record) };
  return { windows: new KeyedWindows(definition(given), output, limits), panes, aside };
}

/** `a [0, 10) onTime#0! {"n":3}`; the exclamation mark says final. */
export function shown({ key, window, timing, index, final, values, data }: Pane): string {
  return `${key} [${window.start}, ${window.end}) ${timing}#${index}${final ? "!" : ""} ${JSON.stringify(data ?? values)}`;
}
