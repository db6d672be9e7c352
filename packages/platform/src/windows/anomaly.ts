/** A detector for each key of a window. What it is told follows from the journal, so what it says does. */
import { detectorOf, type Detector, type DetectorSpec, restoreDetector, type Scored } from "@lambent/sdk/anomaly";
import { LambentError } from "../base/index.ts";
import type { AnomalyForm } from "./anomaly-form.ts";
import { ByteReader, ByteWriter } from "./journal/bytes.ts";

/** Keys of one window that are watched for anomalies; those that come later are not judged (P7). @limit */
export const WATCHED_KEYS_MAX = 100_000;
/** Bytes of all detectors of one window, beyond which no key is added (P7). @limit */
export const DETECTOR_BYTES_MAX = 268_435_456;

const NOT_WATCHED: Scored = {
  ...{ kind: "refused", score: 0, isAnomaly: false },
  why: `The window watches as many keys as it may: ${WATCHED_KEYS_MAX}, or ${DETECTOR_BYTES_MAX} bytes of detectors.`,
};

export class Anomalies {
  readonly of: string;
  readonly #spec: DetectorSpec;
  readonly #detectors = new Map<string, Detector>();
  #bytes = 0;

  private constructor({ of, detector }: AnomalyForm) {
    this.of = of;
    this.#spec = detector;
  }

  /** As `blocks` left them, none where nothing was seen yet; yields between two keys. */
  static *restoring(form: AnomalyForm, blocks: readonly Uint8Array[]): Generator<void, Anomalies> {
    const anomalies = new Anomalies(form);
    const reader = new ByteReader(blocks);
    for (; !reader.isDone; anomalies.#add(reader.text(), restored(reader.bytes()))) yield;
    return anomalies;
  }

  get keys(): number {
    return this.#detectors.size;
  }

  judge(key: string, time: number, value: unknown): Scored {
    const detector = this.#detectors.get(key);
    if (detector) return detector.score(value, time);
    if (this.#detectors.size >= WATCHED_KEYS_MAX || this.#bytes >= DETECTOR_BYTES_MAX) return NOT_WATCHED;
    return this.#add(key, detectorOf(this.#spec)).score(value, time);
  }

  *blocks(): Generator<Uint8Array> {
    const writer = new ByteWriter();
    for (const [key, detector] of this.#detectors) {
      writer.text(key);
      writer.bytes(detector.snapshot());
      yield* writer.full();
    }
    yield* writer.rest();
  }

  #add(key: string, detector: Detector): Detector {
    this.#detectors.set(key, detector);
    this.#bytes += detector.bytes;
    return detector;
  }
}

function restored(bytes: Uint8Array): Detector {
  const outcome = restoreDetector(bytes);
  if (outcome.kind !== "restored") throw new LambentError("StorageCorrupt", `A detector of anomalies cannot be read: ${outcome.why}`);
  return outcome.detector;
}
