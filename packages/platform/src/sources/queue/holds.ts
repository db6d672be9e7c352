/**
 * Which leases of a queue are in the hands of this process's mappings: written beside them, so that after a kill the next process
 * gives them back at once instead of waiting for their visibility timeout, which may be hours. What is not written down in time, or
 * cannot be, comes again by that timeout.
 */
import { isLambentError, timeOrderedId, type Clock, type SecureRandom } from "../../base/index.ts";
import type { WorkList } from "../../storage/index.ts";

const PREFIX = "held/";
/** Rows looked at in one step. */
const PAGE_ROWS = 100;

type List = Pick<WorkList, "readRows" | "writeRows" | "release">;

export interface HoldsParts {
  readonly clock: Clock;
  readonly secureRandom: SecureRandom;
  readonly onProblem: (error: unknown) => void;
}

/** Messages that came with one read, until the last of them has ended here. */
export interface Hold {
  /** One of them has: it was settled, failed, or went back. */
  end(): void;
}

export class Holds {
  readonly #list: List;
  readonly #parts: HoldsParts;

  private constructor(list: List, parts: HoldsParts) {
    this.#list = list;
    this.#parts = parts;
  }

  /** Gives back what an earlier process held. To be done before this one reads. */
  static async open(list: List, parts: HoldsParts): Promise<Holds> {
    for (;;) {
      const rows = await list.readRows({ prefix: PREFIX, limit: PAGE_ROWS });
      if (rows.length === 0) return new Holds(list, parts);
      const receipts = rows.flatMap(({ value }) => JSON.parse(Buffer.from(value).toString("utf8")) as string[]);
      await Promise.all(receipts.map((receipt) => list.release(receipt, { delayMs: 0 })));
      await list.writeRows(rows.map(({ key }) => ({ key, value: undefined })));
    }
  }

  /** Nobody waits for it to be written: the messages are in good hands meanwhile. */
  take(receipts: readonly string[]): Hold {
    const key = PREFIX + timeOrderedId(this.#parts.clock, this.#parts.secureRandom);
    this.#write(key, Buffer.from(JSON.stringify(receipts)));
    let left = receipts.length;
    return {
      end: () => {
        left -= 1;
        if (left === 0) this.#write(key, undefined);
      },
    };
  }

  #write(key: string, value: Buffer | undefined): void {
    this.#list.writeRows([{ key, value }]).catch((error: unknown) => {
      if (!isLambentError(error)) this.#parts.onProblem(error);
    });
  }
}
