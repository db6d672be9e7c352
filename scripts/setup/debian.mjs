/** Debian's and Ubuntu's packages that Lambent uses, each with what it is for. */
import { existsSync, readdirSync } from "node:fs";
import { findCommand, runProgram } from "./machine.mjs";
import { lacksVenvModule } from "./python.mjs";

const PACKAGES = [
  { name: "bubblewrap", why: "confines functions", isThere: () => findCommand("bwrap") !== undefined },
  { name: "python3", why: "runs Python functions", isThere: () => findCommand("python3") !== undefined },
  { name: "python3-venv", why: "holds boto3", isThere: () => !lacksVenvModule() },
];

/** What only the tests need. */
const TEST_PACKAGES = [
  { name: "iproute2", why: "joins the tests' network namespaces", isThere: () => findCommand("ip") !== undefined },
  { name: "gcc", why: "builds the layer on which the crash rig cuts the power", isThere: () => findCommand("cc") !== undefined },
  { name: "kcat", why: "is a Kafka client of the tests", isThere: () => findCommand("kcat") !== undefined },
  {
    name: "postgresql",
    why: "is what windows' results are written to",
    isThere: () => existsSync("/usr/lib/postgresql") || findCommand("initdb") !== undefined,
  },
  { name: "libc6-dev", why: "has what that layer includes", isThere: () => existsSync("/usr/include/dlfcn.h") },
];

export const debianStep = () => packagesStep(PACKAGES);
export const debianTestStep = () => packagesStep(TEST_PACKAGES);

/**
 * @param {typeof PACKAGES} packages
 * @returns {import("../setup.mjs").Step}
 */
function packagesStep(packages) {
  const missing = packages.filter((each) => !each.isThere());
  const names = missing.map((each) => each.name);
  const install = `apt-get install --yes --no-install-recommends ${names.join(" ")}`;
  const isRoot = process.getuid?.() === 0;
  const remedy = `${isRoot ? "" : "sudo "}${install}`;
  return {
    title: missing.map(({ name, why }) => `${name} (Debian package, ${why})`).join(", "),
    vital: false,
    remedy,
    isDone: () => missing.length === 0,
    run() {
      if (findCommand("apt-get") === undefined) return `not installed, and this is no Debian. Install ${names.join(" and ")}.`;
      if (!isRoot) return `not installed. Run: ${remedy}`;
      const ended = installWithApt(install.split(" ").slice(1));
      return ended.ok ? undefined : `${ended.why}\n  Run: apt-get update && ${install}`;
    },
  };
}

/** Installs without a question; fetches the package lists first when there are none, or once when they are too old. */
function installWithApt(/** @type {string[]} */ args) {
  const apt = (/** @type {string[]} */ words) =>
    runProgram("apt-get", ["-qq", "-o", "DPkg::Lock::Timeout=120", "-o", "Dpkg::Options::=--force-confold", ...words], {
      env: { DEBIAN_FRONTEND: "noninteractive", NEEDRESTART_MODE: "l" },
    });
  if (hasPackageLists()) {
    const ended = apt(args);
    if (ended.ok) return ended;
  }
  const updated = apt(["update"]);
  return updated.ok ? apt(args) : updated;
}

function hasPackageLists() {
  const folder = "/var/lib/apt/lists";
  return existsSync(folder) && readdirSync(folder).some((name) => name.endsWith("_Packages") || name.endsWith("_Packages.lz4"));
}
