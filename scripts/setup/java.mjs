/**
 * The Java client of Kafka, which the tests drive Lambent with: its jars, in two versions, each known by its checksum.
 *
 * Maven fetches them, from where the machine's own settings say. A machine without Java or Maven goes without: the tests
 * say so in the table of clients.
 */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { findCommand, readJson, root, runProgram } from "./machine.mjs";

const folder = join(root, "node_modules", ".cache", "lambent-test-kafka-java");
const project = join(root, "test", "kafka-clients", "pom.xml");
const checksumsFile = join(root, "test", "kafka-clients", "jars.json");

/** @type {() => import("../setup.mjs").Step} */
export const testJavaStep = () => {
  const checksums = readFileSync(checksumsFile, "utf8");
  const marker = join(folder, ".lambent-checksums");
  const isUsable = ["java", "javac", "mvn"].every((command) => findCommand(command) !== undefined);
  return {
    title: "Java's Kafka client for the tests",
    vital: false,
    remedy: "node scripts/setup.mjs --for test",
    isDone: () => !isUsable || (existsSync(marker) && readFileSync(marker, "utf8") === checksums),
    run() {
      rmSync(folder, { recursive: true, force: true });
      mkdirSync(folder, { recursive: true });
      for (const [version, jars] of Object.entries(readJson(checksumsFile))) {
        const complaint = fetchJars(version, jars);
        if (complaint !== undefined) return complaint;
      }
      writeFileSync(marker, checksums);
      return undefined;
    },
  };
};

/** @returns {string | undefined} what went wrong */
function fetchJars(/** @type {string} */ version, /** @type {Record<string, string>} */ jars) {
  const into = join(folder, version);
  const goal = ["dependency:copy-dependencies", `-DoutputDirectory=${into}`, `-Dkafka.version=${version}`];
  const fetched = runProgram("mvn", ["--batch-mode", "--quiet", "--file", project, ...goal]);
  if (!fetched.ok) return fetched.why;
  const found = readdirSync(into);
  for (const name of new Set([...found, ...Object.keys(jars)])) {
    const digest = found.includes(name)
      ? createHash("sha256")
          .update(readFileSync(join(into, name)))
          .digest("hex")
      : "not there";
    if (digest !== jars[name])
      return `${name} has the SHA-256 ${digest}; test/kafka-clients/jars.json says ${jars[name] ?? "nothing of it"}.`;
  }
  return undefined;
}
