/** The part of JSONPath that EventBridge has: names after dots, indexes, stars. */
import type { JsonText } from "../../base/index.ts";

type Step =
  | { readonly kind: "member"; readonly name: string }
  | { readonly kind: "element"; readonly index: number }
  | { readonly kind: "all" };

export type InputPath = readonly Step[];

/** Characters of a path; each step takes two of them. @limit */
export const INPUT_PATH_CHARS_MAX = 256;

/** One step: `.name`, `.*`, `[12]` or `[*]`. A name may hold what has no meaning in a path. */
const STEP = /\.(?<name>[^.[\]()'"*\s]+)|\[(?<index>\d{1,9})\]|(?<all>\.\*|\[\*\])/y;

/** Undefined for what is no path. Quoted names in brackets are JSONPath, but EventBridge refuses them, too. */
export function parseInputPath(text: string): InputPath | undefined {
  if (!text.startsWith("$") || text.length > INPUT_PATH_CHARS_MAX) return undefined;
  const steps: Step[] = [];
  for (STEP.lastIndex = 1; STEP.lastIndex < text.length;) {
    const groups = STEP.exec(text)?.groups;
    if (!groups) return undefined;
    const { name, index } = groups;
    steps.push(
      name !== undefined ? { kind: "member", name } : index !== undefined ? { kind: "element", index: Number(index) } : { kind: "all" },
    );
  }
  return steps;
}

/**
 * The text of what a path leads to, as it was written; undefined where it leads nowhere. A path with a star leads to the
 * array of all that it finds, maybe empty.
 */
export function selectInput(event: JsonText, path: InputPath): string | undefined {
  const found = path.reduce<readonly JsonText[]>((values, step) => values.flatMap((value) => stepInto(value, step)), [event]);
  if (path.some(({ kind }) => kind === "all")) return `[${found.map(({ text }) => text).join(",")}]`;
  return found[0]?.text;
}

function stepInto(value: JsonText, step: Step): readonly JsonText[] {
  switch (step.kind) {
    case "member":
      return present(value.members.get(step.name));
    case "element":
      return present(value.elements[step.index]);
    case "all":
      return [...value.members.values(), ...value.elements];
  }
}

const present = (value: JsonText | undefined): readonly JsonText[] => (value === undefined ? [] : [value]);
