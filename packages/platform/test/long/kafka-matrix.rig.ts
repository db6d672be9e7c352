/**
 * Rig: every Kafka client in every version with everything a client does, killed members among it.
 *
 * The outcome has to be the table in docs/kafka-clients.md; `--write` writes it there instead (and wants the whole matrix:
 * LAMBENT_RIG_MS=400000).
 */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isAbsent } from "../kafka-clients/clients.ts";
import { COLUMNS, documentOf, failuresOf, lineOf, runMatrix } from "../kafka-clients/matrix.ts";
import { ClientsServer } from "../kafka-clients/server.ts";
import { rig } from "./rig.ts";

const DOCUMENT = join(import.meta.dirname, "..", "..", "..", "..", "docs", "kafka-clients.md");

await rig(async ({ hasTime, progress }) => {
  const server = await ClientsServer.start();
  let held = 0;
  const rows = await runMatrix(server, COLUMNS, {
    hasTime,
    onCell(client, column, cell) {
      if (cell.kind === "holds") held += 1;
      progress(`${held} cells hold; ${client.name} ${client.version}: ${column}`);
    },
  });
  await server.close();
  assert.deepEqual(failuresOf(rows), []);
  const absent = rows.flatMap(({ client }) => (isAbsent(client) ? [`${client.name} ${client.version} not run: ${client.why}`] : []));
  const notReached = rows.flatMap(({ client, cells }) =>
    [...cells].filter(([, cell]) => cell.kind === "notReached").map(([column]) => `${client.name} ${client.version} ${column}`),
  );
  if (process.argv.includes("--write")) {
    assert.deepEqual(notReached, [], "the document tells of the whole matrix: give it more time");
    writeFileSync(DOCUMENT, documentOf(rows));
  } else {
    const told = readFileSync(DOCUMENT, "utf8");
    // A client that is not on this machine, or was not reached in the time box, is told of below.
    const whole = rows.filter(({ client, cells }) => !isAbsent(client) && [...cells.values()].every(({ kind }) => kind !== "notReached"));
    for (const row of whole) assert.ok(told.includes(lineOf(row)), `docs/kafka-clients.md does not say: ${lineOf(row)}`);
  }
  const rest = [...absent, ...(notReached.length > 0 ? [`not reached in the time: ${notReached.join(", ")}`] : [])];
  return [`${held} cells of ${rows.length} clients`, ...rest].join("; ");
});
