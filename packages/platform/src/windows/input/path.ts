/** Paths into JSON as definitions spell them: `$`, `$.device`, `$.reading[0]`, `$['room name']`. */

/** Steps of one path. @limit */
export const PATH_STEPS_MAX = 32;
/** Characters of one path. @limit */
export const PATH_LENGTH_MAX = 256;

/** From the whole to the part: names of members, and numbers of elements. None: the whole. */
export type Path = readonly (string | number)[];

const STEP = /\.([A-Za-z_][\w-]*)|\[(\d{1,9})\]|\['((?:[^'\\]|\\['\\])*)'\]/uy;

/** The steps of a path; undefined when it is none. */
export function readPath(text: string): Path | undefined {
  if (!text.startsWith("$") || text.length > PATH_LENGTH_MAX) return undefined;
  const steps: (string | number)[] = [];
  for (STEP.lastIndex = 1; STEP.lastIndex < text.length;) {
    const found = STEP.exec(text);
    if (!found || steps.length === PATH_STEPS_MAX) return undefined;
    const [, name, index, quoted] = found;
    if (index === undefined) steps.push(name ?? (quoted ?? "").replaceAll(/\\(.)/gu, "$1"));
    else steps.push(Number(index));
  }
  return steps;
}

/** What is there; undefined where a step leads nowhere. */
export function follow(path: Path, whole: unknown): unknown {
  let part = whole;
  for (const step of path) {
    if (typeof part !== "object" || part === null || !Object.hasOwn(part, step)) return undefined;
    part = (part as Readonly<Record<string | number, unknown>>)[step];
  }
  return part;
}
