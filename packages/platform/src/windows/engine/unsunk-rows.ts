import { endOf, type ResultRow } from "./result-row.ts";

/** Rows of one lane that not all of its sinks have taken, the oldest first, and how far each sink is. */
export class UnsunkRows {
  readonly #sunk: Map<string, number>;
  readonly #givenUp: Map<string, number>;
  readonly #rows: ResultRow[] = [];
  #bytes = 0;

  /** By sink, how many results of the lane it has taken, and how many of these were given up. */
  constructor(sunk: ReadonlyMap<string, number>, givenUp: ReadonlyMap<string, number>) {
    this.#sunk = new Map(sunk);
    this.#givenUp = new Map(givenUp);
  }

  get bytes(): number {
    return this.#bytes;
  }

  get rows(): readonly ResultRow[] {
    return this.#rows;
  }

  get sunk(): ReadonlyMap<string, number> {
    return this.#sunk;
  }

  get givenUp(): ReadonlyMap<string, number> {
    return this.#givenUp;
  }

  /** Rows that all sinks have, as behind a crash, and rows that nobody gets, are not kept. */
  push(rows: readonly ResultRow[]): void {
    for (const row of rows) {
      this.#rows.push(row);
      this.#bytes += row.bytes;
    }
    this.#drop();
  }

  /** The first row of which the sink has not everything. */
  next(sink: string): ResultRow | undefined {
    const sunk = this.#sunk.get(sink) ?? 0;
    return this.#rows.find((row) => endOf(row) > sunk);
  }

  advance(sink: string, sunk: number, givenUp: number): void {
    this.#sunk.set(sink, sunk);
    if (givenUp > 0) this.#givenUp.set(sink, (this.#givenUp.get(sink) ?? 0) + givenUp);
    this.#drop();
  }

  #drop(): void {
    const least = Math.min(Number.POSITIVE_INFINITY, ...this.#sunk.values());
    const kept = this.#rows.findIndex((row) => endOf(row) > least);
    for (const row of this.#rows.splice(0, kept < 0 ? this.#rows.length : kept)) this.#bytes -= row.bytes;
  }
}
