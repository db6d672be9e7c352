import type { Instant } from "../base/index.ts";
import { NUMBERED_NAMES_MAX } from "./rules/limits.ts";

export type Numbered = "function" | "layer";

/** The highest version number a name was ever given, and when. */
export interface NumberingRecord {
  readonly highest: number;
  readonly at: Instant;
}

export interface NumberedName {
  readonly of: Numbered;
  readonly name: string;
}

/**
 * Version numbers are not used twice, as on AWS: not even by a function or layer that was deleted and made anew. So names
 * are remembered beyond their deletion, `NUMBERED_NAMES_MAX` of them; then the one that is deleted and was given its last
 * number longest ago is forgotten, and would start at 1 again (P7).
 */
export class Numbering {
  readonly #records = new Map<string, NumberedName & NumberingRecord>();

  highest({ of, name }: NumberedName): number {
    return this.#records.get(`${of}/${name}`)?.highest ?? 0;
  }

  set({ of, name }: NumberedName, record: NumberingRecord | undefined): void {
    if (record === undefined) this.#records.delete(`${of}/${name}`);
    else this.#records.set(`${of}/${name}`, { of, name, ...record });
  }

  /** Whom to forget so that `next` can be remembered. There is one at the bound: fewer names can be alive at once. */
  toForget(next: NumberedName, isAlive: (each: NumberedName) => boolean): NumberedName | undefined {
    if (this.#records.size < NUMBERED_NAMES_MAX || this.#records.has(`${next.of}/${next.name}`)) return undefined;
    let oldest: (NumberedName & NumberingRecord) | undefined;
    for (const each of this.#records.values()) if ((!oldest || each.at < oldest.at) && !isAlive(each)) oldest = each;
    return oldest;
  }
}
