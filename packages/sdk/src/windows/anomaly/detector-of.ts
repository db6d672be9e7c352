/** From plain JSON, and from a snapshot, to a detector. */
import { PARAMETERS } from "./defaults.ts";
import { type Detector, type Model, ModelDetector, SNAPSHOT_VERSION } from "./detector.ts";
import { Ewma } from "./ewma.ts";
import { Rrcf } from "./forest/rrcf.ts";
import { RobustZ } from "./robust-z.ts";
import { Seasonal } from "./seasonal.ts";
import { checksumOf, SNAPSHOT_BYTES_MAX, SnapshotReader } from "./snapshot.ts";
import { checkDetectorSpec, type DetectorSpec, KINDS } from "./spec.ts";

type Restored = { readonly kind: "restored"; readonly detector: Detector } | { readonly kind: "refused"; readonly why: string };
interface ReadableModel extends Model {
  read(reader: SnapshotReader): void;
}

/** A detector that has seen nothing yet, for what `checkDetectorSpec` found valid. */
export function detectorOf(spec: DetectorSpec): Detector {
  return new ModelDetector(spec, modelOf(spec));
}

/**
 * The detector that `snapshot` was taken of: it scores what comes next as that one would have. The snapshot knows the detector's
 * parameters, which are its `spec`. Bytes that are damaged, or of another layout, are refused in words.
 */
export function restoreDetector(snapshot: Uint8Array): Restored {
  if (snapshot.length < CHECKSUM_BYTES || snapshot.length > SNAPSHOT_BYTES_MAX)
    return refused(`The snapshot has ${snapshot.length} bytes; it has to have ${CHECKSUM_BYTES} to ${SNAPSHOT_BYTES_MAX}.`);
  const body = snapshot.subarray(0, snapshot.length - CHECKSUM_BYTES);
  const checksum = new SnapshotReader(snapshot.subarray(body.length)).whole();
  if (checksum !== checksumOf(body)) return refused("The snapshot is damaged: its checksum does not fit.");
  const reader = new SnapshotReader(body);
  const version = reader.byte();
  if (version !== SNAPSHOT_VERSION) return refused(`The snapshot has layout ${version}; this version reads ${SNAPSHOT_VERSION}.`);
  const checked = checkDetectorSpec(specIn(reader));
  if (checked.kind === "invalid") return refused(`The snapshot is of no detector there is: ${checked.why}`);
  const model = modelOf(checked.spec);
  model.read(reader);
  return reader.isDone
    ? { kind: "restored", detector: new ModelDetector(checked.spec, model) }
    : refused("The snapshot is not one that a detector made.");
}

/** The head of a snapshot: the kind, then its parameters in the order of the table. */
function specIn(reader: SnapshotReader): Readonly<Record<string, unknown>> {
  const kind = KINDS[reader.byte()];
  const names = kind === undefined ? [] : Object.keys(PARAMETERS[kind]);
  return { kind, ...Object.fromEntries(names.map((name) => [name, reader.float()])) };
}

const CHECKSUM_BYTES = 4;

function modelOf(spec: DetectorSpec): ReadableModel {
  switch (spec.kind) {
    case "robustZ":
      return new RobustZ(spec);
    case "ewma":
      return new Ewma(spec);
    case "seasonal":
      return new Seasonal(spec);
    case "rrcf":
      return new Rrcf(spec);
  }
}

function refused(why: string): Restored {
  return { kind: "refused", why };
}
