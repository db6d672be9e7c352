import { LambentError } from "../../base/index.ts";
import type { BackupReport, VerifyReport } from "../../storage/index.ts";
import type { RequestContext } from "../operation.ts";
import { verifyShape } from "../verify-shape.ts";
import type { BackupDataRequest, BackupDataResponse, VerifyDataResponse } from "./schema.ts";

/** What looks after the server's data folder. */
export interface DataCare {
  backup(target: string): Promise<BackupReport>;
  verify(): Promise<VerifyReport>;
}

/** Backup and verify. They write to and read from all of the server's machine and state, so they are the root key's alone. */
export function careOperations(care: DataCare) {
  return {
    BackupData: async ({ Target }: BackupDataRequest, context: RequestContext): Promise<BackupDataResponse> => {
      requireRoot(context);
      const { target, files, bytes, cells, rows, blobs, objectFiles } = await care.backup(Target);
      return { Target: target, Files: files, Bytes: bytes, Cells: cells, Rows: rows, Bodies: blobs, ObjectFiles: objectFiles };
    },
    VerifyData: async (_input: object, context: RequestContext): Promise<VerifyDataResponse> => {
      requireRoot(context);
      return verifyShape(await care.verify());
    },
  };
}

function requireRoot({ principal }: RequestContext): void {
  if (principal.kind === "root") return;
  throw new LambentError("AccessDenied", "Only the root key may back up or verify what the server keeps; no policy can allow it.");
}
