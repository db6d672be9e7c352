/** Records as they are read, as steps that a window is told. Pure. */
import type { StoredBatch, StreamRecordView } from "../../streams/index.ts";
import { type Inputs, noInputs, type Refused, type Step } from "../journal/step.ts";
import type { extractor } from "./extract.ts";

/** About as many bytes of records, and as many of them, make one step: it has to fit a commit, and others get their turn between two. */
const STEP_BYTES_MAX = 262_144;
const STEP_RECORDS_MAX = 4_000;
/** Bytes of a record that is handed on though the window cannot take it; of a larger one, only the reason is. @limit */
export const REFUSED_BYTES_MAX = 262_144;

export interface Chunk {
  readonly step: Extract<Step, { readonly kind: "records" }>;
  /** At most as many in the journal, and about as many of results. */
  readonly bytes: number;
}

export interface ChunkRules {
  readonly source: number;
  readonly extract: ReturnType<typeof extractor>;
  /** Whether somebody gets the records that cannot be taken. */
  readonly keepsRefused: boolean;
  /** How many values one result tells: a step is to lead to no more results than memory has room for. */
  readonly valuesPerResult: number;
}

/** A number, as results have it. */
const NUMBER_BYTES = 8;

/** The records of a batch from `from` on, piece by piece. */
export function* chunksOf(
  batch: Pick<StoredBatch, "appendedAt" | "lastOffset">,
  records: readonly StreamRecordView[],
  from: number,
  rules: ChunkRules,
): Generator<Chunk> {
  let piece = new Piece(rules, batch.appendedAt);
  for (const record of records) {
    if (record.offset < from) continue;
    piece.add(record);
    if (!piece.isFull) continue;
    yield piece.done(record.offset + 1);
    piece = new Piece(rules, batch.appendedAt);
  }
  yield piece.done(batch.lastOffset + 1);
}

class Piece {
  readonly #rules: ChunkRules;
  readonly #arrivedAt: number;
  readonly #inputs: Inputs = noInputs();
  readonly #refused: Refused[] = [];
  #bytes = 256;

  constructor(rules: ChunkRules, arrivedAt: number) {
    this.#rules = rules;
    this.#arrivedAt = arrivedAt;
  }

  get isFull(): boolean {
    return this.#bytes >= STEP_BYTES_MAX || this.#inputs.keys.length + this.#refused.length >= STEP_RECORDS_MAX;
  }

  add(record: StreamRecordView): void {
    const found = this.#rules.extract(record);
    if ("fault" in found) {
      const refused = this.#refusedOf(record, found.fault);
      this.#refused.push(refused);
      this.#bytes += 128 + (refused.key?.length ?? 0) + (refused.value?.length ?? 0);
      return;
    }
    const { keys, times, values, texts } = this.#inputs;
    keys.push(found.key);
    times.push(found.time);
    values.push(found.value);
    texts.push(found.text);
    // A character is at most six bytes as JSON has it, and three of UTF-8.
    const valueBytes = found.text === undefined ? NUMBER_BYTES : 3 * found.text.length;
    this.#bytes += 16 + 6 * found.key.length + valueBytes * (1 + this.#rules.valuesPerResult);
  }

  done(next: number): Chunk {
    const count = this.#inputs.keys.length;
    if (count > 0) this.#inputs.arrivals.push([count, this.#arrivedAt]);
    const step = { kind: "records", source: this.#rules.source, next, inputs: this.#inputs, refused: this.#refused } as const;
    return { step, bytes: this.#bytes };
  }

  #refusedOf({ offset, timestamp, key, value }: StreamRecordView, reason: Refused["reason"]): Refused {
    const isKept = this.#rules.keepsRefused && (key?.length ?? 0) + (value?.length ?? 0) <= REFUSED_BYTES_MAX;
    return {
      ...{ reason, source: this.#rules.source, offset, time: timestamp },
      key: isKept ? key?.toString("base64") : key?.subarray(0, 64).toString("base64"),
      value: isKept ? value?.toString("base64") : undefined,
    };
  }
}
