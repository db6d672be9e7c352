/**
 * `npm run test:long`: runs the long rigs (crash, load, simulation), one after the other, sharing a time box.
 *
 * A rig is a program under packages/platform/test/long/. It gets its share of the time as LAMBENT_RIG_MS, works until
 * then, prints how far it came, and exits non-zero when it found a fault. What one rig leaves over, the next ones get.
 *
 * usage: npm run test:long [-- --minutes <number>] [<part of a rig's name> …]
 */
import { spawnSync } from "node:child_process";
import { globSync } from "node:fs";
import { join, relative } from "node:path";
import { parseArgs } from "node:util";

/** Time beyond its share that a rig gets to stop by itself before it is killed and counts as hanging. */
const RIG_GRACE_MS_MAX = 60_000;

const root = join(import.meta.dirname, "..");
const { values, positionals } = parseArgs({ options: { minutes: { type: "string", default: "20" } }, allowPositionals: true });
const minutes = Number(values.minutes);
if (!(minutes > 0)) {
  console.error(`--minutes is ${values.minutes}; it takes a number above 0.`);
  process.exit(2);
}

const rigs = globSync("packages/platform/test/long/**/*.rig.ts", { cwd: root })
  .filter((rig) => positionals.length === 0 || positionals.some((part) => rig.includes(part)))
  .toSorted();
if (rigs.length === 0) {
  console.log(positionals.length === 0 ? "There are no long rigs yet." : `No long rig is called ${positionals.join(" or ")}.`);
  process.exit(positionals.length === 0 ? 0 : 2);
}

const endsAt = Date.now() + minutes * 60_000;
let failures = 0;
for (const [index, rig] of rigs.entries()) {
  const shareMs = Math.max(1_000, Math.floor((endsAt - Date.now()) / (rigs.length - index)));
  console.log(`\n[${index + 1}/${rigs.length}] ${relative("packages/platform/test/long", rig)}, at most ${Math.round(shareMs / 1_000)} s`);
  const ended = spawnSync(process.execPath, [join(root, rig)], {
    cwd: root,
    env: { ...process.env, LAMBENT_RIG_MS: String(shareMs) },
    stdio: ["ignore", "inherit", "inherit"],
    timeout: shareMs + RIG_GRACE_MS_MAX,
    killSignal: "SIGKILL",
  });
  if (ended.status === 0) continue;
  failures += 1;
  console.log(ended.error ? `failed: ${ended.error.message}` : `failed: ended with ${ended.status ?? ended.signal}`);
}
console.log(`\n${rigs.length - failures} of ${rigs.length} long rigs held.`);
process.exitCode = failures === 0 ? 0 : 1;
