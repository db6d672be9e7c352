/**
 * Adds what `npm install` leaves out of package-lock.json when the registry it asks lacks the binaries of other
 * platforms (a mirror often does): npm writes the lock file without them, and `npm ci` then refuses it everywhere.
 *
 * An added entry says for which platform it is and has no checksum, so npm takes it from the registry there, and
 * leaves it alone here. Run it after `npm install`, from any folder with a lock file; it changes nothing when nothing is missing.
 */
import { readFileSync, writeFileSync } from "node:fs";

const SYSTEMS = ["aix", "android", "darwin", "freebsd", "linux", "netbsd", "openbsd", "openharmony", "sunos", "win32"];
const PROCESSORS = ["arm64", "arm", "ia32", "loong64", "mips64el", "ppc64", "riscv64", "s390x", "x64", "wasm32"];
const LIBRARIES = { gnu: "glibc", gnueabihf: "glibc", musl: "musl", musleabihf: "musl" };

const lock = JSON.parse(readFileSync("package-lock.json", "utf8"));
const added = [];
for (const entry of Object.values(lock.packages)) {
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    const place = `node_modules/${name}`;
    if (lock.packages[place] !== undefined) continue;
    const words = name.split(/[/-]/u);
    const [system] = words.filter((word) => SYSTEMS.includes(word));
    const [processor] = words.filter((word) => PROCESSORS.includes(word));
    const [library] = words.flatMap((word) => LIBRARIES[word] ?? []);
    lock.packages[place] = {
      version,
      cpu: [processor],
      ...(entry.dev ? { dev: true } : {}),
      ...(system === "linux" && library ? { libc: [library] } : {}),
      optional: true,
      ...(system ? { os: [system] } : {}),
    };
    added.push(name);
  }
}
if (added.length > 0) {
  lock.packages = Object.fromEntries(Object.entries(lock.packages).toSorted(([left], [right]) => (left < right ? -1 : 1)));
  writeFileSync("package-lock.json", `${JSON.stringify(lock, null, 2)}\n`);
}
console.log(`package-lock.json: ${added.length} binaries of other platforms added`);
