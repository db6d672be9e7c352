import { posix } from "node:path";
import { invariant, LambentError } from "../../base/index.ts";
import type { ReadOnlyMount } from "../sandbox.ts";

/** Descriptors bubblewrap reads and writes, and the launcher's IPC where there is one; 3 is the instance's channel. */
export const ARGUMENTS_FD = 4;
export const SECCOMP_FD = 5;
export const INFO_FD = 6;
export const BLOCK_FD = 7;
export const LAUNCHER_IPC_FD = 8;

/** Everything that decides the command line of one instance. */
export interface Layout {
  readonly hostName: string;
  /** Root: the host uid the instance takes after the mounts are made. Ordinary user: undefined. */
  readonly uid: number | undefined;
  /** `own`: a new empty namespace; `joined`: the one bubblewrap was started in; `host`: the host's, with its resolver. */
  readonly network: "own" | "joined" | "host";
  readonly seccomp: boolean;
  readonly disableUserNamespaces: boolean;
  readonly varFolder: string;
  readonly tmpFolder: string;
  /** Folder with `passwd` and `group` that know the instance's uid. */
  readonly etcFolder: string;
  readonly mounts: readonly ReadOnlyMount[];
  readonly environment: Readonly<Record<string, string>>;
  /** Runs first inside and then becomes the command; empty where none is needed. */
  readonly launcher: readonly string[];
  readonly command: readonly [string, ...string[]];
}

/** Of the host's `/etc`: what programs need and what tells nothing of the host's people or secrets. */
export const ETC_SHARED = [
  "ssl",
  "pki",
  "ca-certificates",
  "alternatives",
  "ld.so.cache",
  "localtime",
  "mime.types",
  "protocols",
  "services",
];
export const ETC_RESOLVER = ["resolv.conf", "hosts", "nsswitch.conf"];

/**
 * Variables that act on the dynamic loader or the C library. They reach only the instance's own program: set any
 * earlier they would load a function's library into `setpriv`, while it still holds the right to change its uid.
 */
const ACTS_ON_LOADER =
  /^(LD_|GLIBC_|GCONV|GETCONF|LOCPATH|LOCALDOMAIN|NLSPATH|NIS_|MALLOC|MEMUSAGE|PCPROFILE|RES|HOSTALIASES|SEGFAULT_|SOTRUSS)/;

/** Where an instance finds folders of its own: what is mounted below one of them comes behind it. */
const OWN_FOLDERS = ["/tmp", "/var"];

/** With a mount below `/opt`, that is a folder and no link to the layers: then what layers may hold is linked by name. */
const LAYER_NAMES = ["bin", "etc", "extensions", "include", "lib", "nodejs", "python", "share"];

/** Longest environment that is handed over: AWS's 4 KB for the user's part and room for the platform's (P7). */
export const ENVIRONMENT_BYTES_MAX = 64 * 1024;

/** The program line: `bwrap` reads its options from a descriptor, so that nothing secret stands in `/proc/<pid>/cmdline`. */
export function commandLine(layout: Layout): readonly string[] {
  const loaderVariables = Object.entries(layout.environment).filter(([name]) => ACTS_ON_LOADER.test(name));
  const withLoaderVariables =
    loaderVariables.length === 0 ? [] : ["/usr/bin/env", ...loaderVariables.map(([name, value]) => `${name}=${value}`)];
  return [
    "bwrap",
    "--args",
    String(ARGUMENTS_FD),
    "--",
    ...dropToUid(layout.uid),
    ...layout.launcher,
    ...withLoaderVariables,
    ...layout.command,
  ];
}

function dropToUid(uid: number | undefined): readonly string[] {
  if (uid === undefined) return [];
  return ["/usr/bin/setpriv", "--reuid", String(uid), "--regid", String(uid), "--clear-groups", "--bounding-set=-all", "--inh-caps=-all"];
}

/** The options, in the order bubblewrap acts on them. */
export function bubblewrapOptions(layout: Layout): readonly string[] {
  const behind = layout.mounts.filter(({ target }) => isBelow(target, OWN_FOLDERS));
  const before = layout.mounts.filter((mount) => !behind.includes(mount));
  return [
    ...namespaces(layout),
    ...capabilities(layout.uid),
    ...["--die-with-parent", "--new-session", "--hostname", layout.hostName],
    "--clearenv",
    ...variables(layout.environment),
    ...(layout.seccomp ? ["--seccomp", String(SECCOMP_FD)] : []),
    ...["--info-fd", String(INFO_FD), "--block-fd", String(BLOCK_FD)],
    ...systemFiles(layout),
    ...callersMounts(before),
    ...["--proc", "/proc", "--dev", "/dev"],
    // The device folder is a tmpfs with a writable /dev/shm: pages there would escape every bound but the memory's.
    ...["--remount-ro", "/dev"],
    ...["--ro-bind", layout.varFolder, "/var", "--bind", layout.tmpFolder, "/tmp"],
    ...callersMounts(behind),
    ...layersLinks(before),
    // Last: bubblewrap leaves the new root writable, and nothing can be mounted behind this.
    ...["--remount-ro", "/", "--chdir", "/"],
  ];
}

/** Options as bubblewrap reads them from a descriptor: each ended by a zero byte. */
export function encodeOptions(options: readonly string[]): Buffer {
  return Buffer.from(options.map((option) => `${option}\0`).join(""));
}

function namespaces(layout: Layout): string[] {
  const common = ["--unshare-ipc", "--unshare-pid", "--unshare-uts", "--unshare-cgroup-try"];
  if (layout.uid === undefined) common.push("--unshare-user");
  if (layout.disableUserNamespaces) common.push("--disable-userns");
  if (layout.network === "own") common.push("--unshare-net");
  return common;
}

/** `--cap-drop ALL` first: as root bubblewrap otherwise leaves nearly all of them. The three are for `setpriv`. */
function capabilities(uid: number | undefined): string[] {
  const kept = uid === undefined ? [] : ["CAP_SETUID", "CAP_SETGID", "CAP_SETPCAP"];
  return ["--cap-drop", "ALL", ...kept.flatMap((name) => ["--cap-add", name])];
}

function variables(environment: Readonly<Record<string, string>>): string[] {
  const entries = Object.entries(environment);
  const bytes = entries.reduce((sum, [name, value]) => sum + Buffer.byteLength(name) + Buffer.byteLength(value) + 2, 0);
  if (bytes > ENVIRONMENT_BYTES_MAX) {
    throw new LambentError("LimitExceeded", `The environment has ${bytes} bytes; ${ENVIRONMENT_BYTES_MAX} are allowed.`);
  }
  for (const [name, value] of entries) {
    if (name === "" || name.includes("=") || name.includes("\0") || value.includes("\0")) {
      throw new LambentError(
        "InvalidParameter",
        `The variable ${JSON.stringify(name)} cannot be set: names have no "=", and neither part a zero byte.`,
      );
    }
  }
  return entries.filter(([name]) => !ACTS_ON_LOADER.test(name)).flatMap(([name, value]) => ["--setenv", name, value]);
}

function systemFiles(layout: Layout): string[] {
  const etc = (name: string): string[] => ["--ro-bind-try", `/etc/${name}`, `/etc/${name}`];
  return [
    ...["--ro-bind", "/usr", "/usr", "--symlink", "usr/bin", "/bin", "--symlink", "usr/sbin", "/sbin"],
    ...["--symlink", "usr/lib", "/lib", "--symlink", "usr/lib64", "/lib64"],
    ...folder("/etc"),
    ...ETC_SHARED.flatMap(etc),
    ...(layout.network === "host" ? ETC_RESOLVER.flatMap(etc) : []),
    ...["passwd", "group"].flatMap((name) => ["--ro-bind", posix.join(layout.etcFolder, name), `/etc/${name}`]),
  ];
}

/** Bubblewrap makes missing parents 0700, which the instance's uid could not pass: they are made before, 0755. */
function callersMounts(mounts: readonly ReadOnlyMount[]): string[] {
  const made = new Set(["/", "/usr", "/etc", ...OWN_FOLDERS]);
  const options: string[] = [];
  for (const mount of mounts) {
    invariant(
      posix.isAbsolute(mount.target) && posix.normalize(mount.target) === mount.target,
      `mount target ${mount.target} is absolute and plain`,
    );
    for (const parent of parentsOf(mount.target)) {
      if (made.has(parent)) continue;
      made.add(parent);
      options.push(...folder(parent));
    }
    made.add(mount.target);
    options.push("--ro-bind", mount.source, mount.target);
  }
  return options;
}

/** Folders that have to be in the slot's `var` before it is bound: inside it is read-only. */
export function mountPointsInVar(layout: Layout): readonly string[] {
  return layout.mounts
    .filter(({ target }) => isBelow(target, ["/var"]))
    .map(({ target }) => layout.varFolder + target.slice("/var".length));
}

function layersLinks(mounts: readonly ReadOnlyMount[]): string[] {
  const taken = mounts.filter(({ target }) => isBelow(target, ["/opt"])).map(({ target }) => target.split("/")[2] ?? "");
  if (taken.length === 0) return ["--symlink", "/var/opt", "/opt"];
  return LAYER_NAMES.filter((name) => !taken.includes(name)).flatMap((name) => ["--symlink", `/var/opt/${name}`, `/opt/${name}`]);
}

function isBelow(path: string, folders: readonly string[]): boolean {
  return folders.some((folder) => path.startsWith(`${folder}/`));
}

function parentsOf(target: string): string[] {
  const names = target.split("/").slice(1, -1);
  return names.map((_, index) => `/${names.slice(0, index + 1).join("/")}`);
}

const folder = (path: string): string[] => ["--perms", "0755", "--dir", path];
