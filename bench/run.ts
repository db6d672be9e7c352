/** `npm run bench -- <name>`: runs bench/<name>.bench.ts in a fresh process; without a name it lists what there is. */
import { spawnSync } from "node:child_process";
import { globSync } from "node:fs";
import { basename, join } from "node:path";

const names = globSync("*.bench.ts", { cwd: import.meta.dirname })
  .map((file) => basename(file, ".bench.ts"))
  .toSorted();
const [name, ...rest] = process.argv.slice(2);

if (name !== undefined && names.includes(name)) {
  const ended = spawnSync(process.execPath, [join(import.meta.dirname, `${name}.bench.ts`), ...rest], { stdio: "inherit" });
  process.exitCode = ended.status ?? 1;
} else {
  if (name !== undefined) console.error(`There is no benchmark called ${name}.`);
  console.log(names.length === 0 ? "There are no benchmarks yet." : `npm run bench -- <name>, with a name of: ${names.join(", ")}`);
  process.exitCode = name === undefined ? 0 : 2;
}
