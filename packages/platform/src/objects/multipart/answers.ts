/** What completing an upload answered, told again for a day to whoever did not hear it and asks once more. */
import type { Instant } from "../../base/index.ts";
import type { OwnRow } from "../../storage/index.ts";
import type { BucketCell } from "../bucket-cell.ts";
import type { StoredObject } from "../version.ts";
import { type CompleteRequest, etagOfParts } from "./completing.ts";
import { completedRows } from "./upload.ts";

/** Completing an upload again within this time answers the same. @limit */
export const ANSWER_KEPT_MS = 86_400_000;
/** Answers looked at behind each one that is added: more than are added, so that those of the past go. */
const LOOKED_AT = 8;

export class CompletedAnswers {
  readonly #cell: Pick<BucketCell, "clock" | "outbox">;
  /** Where the next look begins. */
  #after: string | undefined;

  constructor(cell: Pick<BucketCell, "clock" | "outbox">) {
    this.#cell = cell;
  }

  /** The row that remembers what is answered. */
  row(key: string, uploadId: string, object: StoredObject): OwnRow {
    return { key: completedRows.key(uploadId), value: completedRows.encode({ key, at: this.#cell.clock.now(), object }) };
  }

  /** What the same request was answered; undefined where it is another one, or too long ago. */
  async find(key: string, uploadId: string, { parts }: CompleteRequest): Promise<StoredObject | undefined> {
    const [row] = await this.#cell.outbox.getRows([completedRows.key(uploadId)]);
    if (!row) return undefined;
    const completed = completedRows.decode(row);
    const isSame =
      completed.key === key && !this.#isPast(completed.at) && etagOfParts(parts.map(({ etag }) => etag)) === completed.object.etag;
    return isSame ? completed.object : undefined;
  }

  /** Looks at a few answers, going on where the last look ended, and removes those of the past. */
  async forgetSome(): Promise<void> {
    const { outbox } = this.#cell;
    const after = this.#after === undefined ? {} : { after: this.#after };
    const rows = await outbox.readRows({ prefix: completedRows.prefix, limit: LOOKED_AT, ...after });
    this.#after = rows.at(-1)?.key;
    const past = rows.filter(({ value }) => this.#isPast(completedRows.decode(value).at));
    if (past.length > 0) await outbox.writeRows(past.map(({ key }) => ({ key, value: undefined })));
  }

  #isPast(at: Instant): boolean {
    return at + ANSWER_KEPT_MS <= this.#cell.clock.now();
  }
}
