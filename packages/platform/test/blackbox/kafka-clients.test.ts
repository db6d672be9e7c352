/**
 * Kafka's clients, unmodified: what they do every day, and two groups that lose a member each. The whole matrix of clients
 * and columns, which takes minutes, is the long rig `kafka-matrix`; docs/kafka-clients.md tells its outcome.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { allClients, type Client, CODECS, isAbsent } from "../kafka-clients/clients.ts";
import { compresses, survivesKill } from "../kafka-clients/scenarios.ts";
import { ClientsServer } from "../kafka-clients/server.ts";
import { failuresOf, runMatrix } from "../kafka-clients/matrix.ts";

const server = await ClientsServer.start();
after(() => server.close());

/** The first of these that is on this machine, in its newest version; those in JavaScript are on every one. */
function clientOf(...names: readonly string[]): Client {
  for (const name of names) {
    const found = allClients().findLast((client) => client.name === name);
    if (found && !isAbsent(found)) return found;
  }
  return assert.fail(`none is there: ${names.join(", ")}`);
}

describe("Kafka's clients", () => {
  it("produce, consume, and go on in a group where they were", async (test) => {
    const rows = await runMatrix(server, ["produce", "consume", "group"]);
    for (const { client } of rows) if (isAbsent(client)) test.diagnostic(`${client.name} ${client.version} not run: ${client.why}`);
    assert.deepEqual(failuresOf(rows), []);
    const ran = rows.filter(({ cells }) => [...cells.values()].every(({ kind }) => kind === "holds") && cells.size === 3);
    assert.ok(ran.length >= 2, "those in JavaScript are on every machine");
  });

  it("compress as they like", async () => {
    const client = clientOf("kcat", "@platformatic/kafka");
    for (const codec of CODECS) await compresses(client, server, `every-day-${codec}`, codec);
  });

  it("of two groups take over when a member of each is killed: nothing is missed, and nothing that was committed is read again", async () => {
    const parties = [
      { client: clientOf("kafkajs"), sharing: "eager" },
      { client: clientOf("confluent-kafka", "@platformatic/kafka"), sharing: "cooperative" },
    ] as const;
    await survivesKill(parties, server, "two-groups");
  });

  it("are those the document tells of", () => {
    const document = readFileSync(join(import.meta.dirname, "..", "..", "..", "..", "docs", "kafka-clients.md"), "utf8");
    const told = Array.from(document.matchAll(/^\| ([^|]+) \| ([^|]*) \| (?:yes|no|–)/gmu), ([, name, version]) => `${name} ${version}`);
    const here = allClients().filter((client) => !isAbsent(client));
    for (const { name, version } of here)
      assert.ok(told.includes(`${name} ${version}`), `docs/kafka-clients.md does not know ${name} ${version}: run the rig with --write`);
    assert.doesNotMatch(document, /\| no \|/u);
  });
});
