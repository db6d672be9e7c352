/** The packages of both lock files: the workspace's, and the tree of AWS SDKs that functions find at /node_modules. */
import { join } from "node:path";
import { isExecutable, readJson, root, runProgram } from "./machine.mjs";

const REMEDY = "npm ci && npm ci --prefix packages/function-sdk";
const functionSdk = join(root, "packages", "function-sdk");
const pinnedNode = join(root, "node_modules", "node");

/** @returns {import("../setup.mjs").Step} */
export function packagesStep() {
  return {
    title: "packages",
    vital: true,
    remedy: REMEDY,
    isDone: () => fitsLock(root) && fitsLock(functionSdk) && hasPinnedNode(),
    run() {
      for (const folder of [root, functionSdk]) {
        if (fitsLock(folder)) continue;
        const ended = runProgram("npm", ["ci", "--loglevel=error", "--no-audit", "--no-fund"], { cwd: folder });
        if (!ended.ok) return `${ended.why}\n  Run: ${REMEDY}`;
      }
      if (hasPinnedNode()) return undefined;
      // npm was told to run no install scripts; the package `node` fetches its binary in one.
      const ended = runProgram(process.execPath, ["installArchSpecificPackage.js"], { cwd: pinnedNode });
      return ended.ok && hasPinnedNode() ? undefined : "the pinned Node is not installed. Run: npm rebuild node --foreground-scripts";
    },
  };
}

const hasPinnedNode = () => isExecutable(join(pinnedNode, "bin", "node"));

/** Whether what npm last installed in `folder` is what its lock file says; optional packages may be absent. */
export function fitsLock(/** @type {string} */ folder) {
  const wanted = readJson(join(folder, "package-lock.json"))?.packages;
  const installed = readJson(join(folder, "node_modules", ".package-lock.json"))?.packages;
  if (!wanted || !installed) return false;
  for (const [place, entry] of Object.entries(wanted)) {
    if (!place.includes("node_modules/")) continue;
    const found = installed[place];
    if (found ? found.version !== entry.version || found.integrity !== entry.integrity : !entry.optional) return false;
  }
  return true;
}
