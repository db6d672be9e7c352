/** Faults a report names; further ones are counted only. */
export const VERIFY_FAULTS_MAX = 1_000;

export interface VerifyFault {
  readonly kind: "store" | "cell" | "blob" | "object";
  /** The cell's key, the body's digest, an object's file as `<owner>/<file>`; the file for the store as a whole. */
  readonly name: string;
  readonly what: string;
}

export class Faults {
  readonly #faults: VerifyFault[] = [];
  #count = 0;

  add(fault: VerifyFault): void {
    this.#count++;
    if (this.#faults.length < VERIFY_FAULTS_MAX) this.#faults.push(fault);
  }

  list(): { readonly faults: readonly VerifyFault[]; readonly faultCount: number } {
    return { faults: this.#faults, faultCount: this.#count };
  }
}
