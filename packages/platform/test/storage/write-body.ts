/** A process that writes one body and says when it is durable; ended by a failpoint before. `node write-body.ts <folder>`. */
import { openBodyFiles } from "../../src/storage/index.ts";

const bodies = await openBodyFiles(process.argv[2] ?? "");
await bodies.write("bucket", "file", [Buffer.from("whole")]);
process.stdout.write("durable\n");
