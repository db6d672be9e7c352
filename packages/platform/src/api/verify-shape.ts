import type { VerifyReport } from "../storage/index.ts";
import type { VerifyDataResponse } from "./lambent/index.ts";

/** A report as this API writes it; `lambent verify` of a stopped folder prints the same. */
export function verifyShape(report: VerifyReport): VerifyDataResponse {
  return {
    Cells: report.cells,
    Rows: report.rows,
    Bytes: report.bytes,
    Bodies: report.blobs,
    BodyBytes: report.blobBytes,
    UnreferencedBodies: report.unreferencedBlobs,
    ObjectFiles: report.objectFiles,
    ObjectBytes: report.objectBytes,
    UnreferencedObjectFiles: report.unreferencedObjectFiles,
    FaultCount: report.faultCount,
    Faults: report.faults.map(({ kind, name, what }) => ({ Kind: kind, Name: name, What: what })),
  };
}
