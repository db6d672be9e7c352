import type { VerifyDataResponse } from "../../api/index.ts";
import { type ErrorCode, isLambentError } from "../../base/index.ts";
import { verifyStoppedFolder } from "../../server/index.ts";
import type { Client } from "../client.ts";
import type { Run } from "../command.ts";
import { CommandFailure, describeFailure } from "../errors.ts";
import { LAMBENT_PATHS } from "../lambent-api.ts";
import { formatBytes } from "../output.ts";

/** `lambent verify`: through the running server, or with `--data` the folder of a stopped one. Ends with `failed` when anything is damaged. */
export const run: Run<{ readonly data?: string }> = async ({ output, client }, _args, { data }) => {
  const report = data === undefined ? await throughServer(client()) : await ofFolder(data);
  if (output.json) output.data(report);
  else {
    for (const { Kind, Name, What } of report.Faults) output.line(`  ${output.paint("red", "damaged")}  ${Kind} ${Name}: ${What}`);
    const left = report.FaultCount - report.Faults.length;
    if (left > 0) output.line(`  and ${left} more`);
    const bytes = report.Bytes + report.BodyBytes + report.ObjectBytes;
    const read = `${report.Rows} rows of ${report.Cells} cells, ${report.Bodies} bodies and ${report.ObjectFiles} files of objects, ${formatBytes(bytes)}`;
    output.line(report.FaultCount === 0 ? `  read ${read}: all as it was written` : `  read ${read}: ${report.FaultCount} damaged`);
    if (report.FaultCount > 0) output.note(`  ${whatItMeans(report)} Restore a backup: lambent restore <backup> --data <folder>`);
  }
  return report.FaultCount === 0 ? undefined : "failed";
};

/** What becomes of what is damaged. */
function whatItMeans({ Faults }: VerifyDataResponse): string {
  const objects = Faults.some(({ Kind }) => Kind === "object");
  const others = Faults.some(({ Kind }) => Kind !== "object");
  const ofObjects = objects ? "A damaged object is what it is until it is stored again." : "";
  return [others ? "A damaged cell takes no more commits." : "", ofObjects].filter((each) => each !== "").join(" ");
}

async function ofFolder(folder: string): Promise<VerifyDataResponse> {
  try {
    return await verifyStoppedFolder(folder);
  } catch (error) {
    const { exit, message, next } = describeFailure(error);
    throw new CommandFailure(exit, message, (isLambentError(error) && REMEDIES[error.code]) || next);
  }
}

/** What to do about a folder, where the code's own words are about functions and servers. */
const REMEDIES: Readonly<Partial<Record<ErrorCode, string>>> = {
  NotFound: "Name the folder that `lambent start --data` was given; without --data the running server is asked.",
  DataFolderLocked: "Leave --data out and the running server is asked, or stop it first: `lambent stop`.",
  InvalidParameter: "Restore it into a new folder and verify that: `lambent restore <backup> --data <folder>`.",
};

function throughServer(client: Client): Promise<VerifyDataResponse> {
  return client.json<VerifyDataResponse>({ service: "lambent", method: "POST", path: LAMBENT_PATHS.verify });
}
