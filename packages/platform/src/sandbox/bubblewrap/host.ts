import { execFile } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { createHash } from "node:crypto";
import { delimiter, join } from "node:path";
import type { Clock } from "../../base/index.ts";
import { openCgroups, type Cgroups } from "../cgroup/cgroups.ts";
import { TmpImages, sweepMounts } from "../tmp/tmp-images.ts";
import { seccompProgram } from "./seccomp.ts";
import { UidPool } from "./uids.ts";

/** What this machine and this user offer for confinement, found once at open. */
export interface Host {
  readonly slotsFolder: string;
  readonly clock: Clock;
  /** Root confines with real root's mounts and own uids; anyone else through a user namespace. */
  readonly privileges: Privileges;
  readonly python: string;
  /** Put before a command, makes it batch work for the scheduler; empty where the machine cannot. */
  readonly asBatch: readonly string[];
  readonly seccomp: Buffer | undefined;
  /** bubblewrap 0.8 and later can forbid further user namespaces by itself; the filter forbids them in any case. */
  readonly disableUserNamespaces: boolean;
  readonly remarks: readonly string[];
}

export type Privileges =
  | { readonly kind: "root"; readonly uids: UidPool; readonly cgroups: Cgroups | undefined; readonly tmpImages: TmpImages | undefined }
  | { readonly kind: "user"; readonly uid: number };

export interface HostOptions {
  readonly slotsFolder: string;
  readonly clock: Clock;
  readonly uidRange: { readonly first: number; readonly count: number };
}

/** Why confinement cannot even be tried, with the command that mends it. */
export interface Unusable {
  readonly unusable: string;
}

/** Looks at the machine. Cleans up after a crashed server of the same slots folder on the way. */
export async function inspectHost(options: HostOptions): Promise<Host | Unusable> {
  if (process.platform !== "linux") return { unusable: "functions can be confined on Linux only" };
  const bubblewrap = findProgram("bwrap", []);
  if (bubblewrap === undefined) return { unusable: "bubblewrap is not installed (apt-get install bubblewrap)" };
  const python = findProgram("python3", ["/usr/bin/python3"]);
  if (python === undefined) return { unusable: "python3 is not installed (apt-get install python3)" };
  const remarks: string[] = [];
  const seccomp = seccompProgram(process.arch);
  if (!seccomp) remarks.push(`no system-call filter for machine type ${process.arch}`);
  const uid = process.getuid?.() ?? 0;
  const privileges: Privileges = uid === 0 ? await rootPrivileges(options, remarks) : { kind: "user", uid };
  if (privileges.kind === "user") remarks.push("memory, CPU and process limits are off: they need root (or start Lambent as root)");
  const { slotsFolder, clock } = options;
  // Only an ordinary user's sandbox has the option: for root its presence is all that matters, and the probe shows the rest.
  const disableUserNamespaces = privileges.kind === "user" && atLeast(await versionOf(bubblewrap), 0, 8);
  const chrt = findProgram("chrt", ["/usr/bin/chrt"]);
  const asBatch = chrt === undefined ? [] : [chrt, "--batch", "0"];
  return { slotsFolder, clock, privileges, python, asBatch, seccomp, disableUserNamespaces, remarks };
}

async function rootPrivileges(options: HostOptions, remarks: string[]): Promise<Privileges> {
  await sweepMounts(options.slotsFolder);
  const opened = openCgroups(serverName(options.slotsFolder), options.clock);
  const cgroups = "missing" in opened ? undefined : opened;
  if ("missing" in opened) remarks.push(`memory, CPU and process limits are off: ${opened.missing}`);
  await cgroups?.sweep();
  const canMakeImages =
    findProgram("mkfs.ext4", ["/usr/sbin/mkfs.ext4", "/sbin/mkfs.ext4"]) !== undefined && isAccessible("/dev/loop-control", constants.R_OK);
  if (!canMakeImages)
    remarks.push("the size of /tmp is accounted, not exact: loop devices and mkfs.ext4 (apt-get install e2fsprogs) are needed");
  const tmpImages = canMakeImages ? new TmpImages(join(options.slotsFolder, IMAGES_FOLDER), options.clock) : undefined;
  return { kind: "root", uids: new UidPool(options.uidRange), cgroups, tmpImages };
}

/** Beside the slots; its name cannot be an instance's id. */
const IMAGES_FOLDER = ".images";

/** Names this server's control groups: the same after a crash, another one for another data folder. */
function serverName(slotsFolder: string): string {
  return `s-${createHash("sha256").update(slotsFolder).digest("hex").slice(0, 12)}`;
}

/** `0.8`; undefined when it does not say. */
function versionOf(bubblewrap: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    execFile(bubblewrap, ["--version"], (_error, output) => resolve(/(\d+\.\d+)/.exec(output)?.[1]));
  });
}

function atLeast(version: string | undefined, major: number, minor: number): boolean {
  const [haveMajor = 0, haveMinor = 0] = (version ?? "").split(".").map(Number);
  return haveMajor > major || (haveMajor === major && haveMinor >= minor);
}

/** The first of `preferred` and then of the search path that can be executed. */
function findProgram(name: string, preferred: readonly string[]): string | undefined {
  const candidates = [...preferred, ...(process.env["PATH"] ?? "").split(delimiter).map((folder) => join(folder, name))];
  return candidates.find((path) => isAccessible(path, constants.X_OK));
}

function isAccessible(path: string, mode: number): boolean {
  try {
    accessSync(path, mode);
    return true;
  } catch {
    return false;
  }
}
