/**
 * What each way of running a function keeps, property by property: the table of docs/isolation.md, and what the
 * contract suite expects of real runs. "held" means that the attack was run and failed.
 */

export const MODES = ["root", "fork", "user", "process"] as const;
export type Mode = (typeof MODES)[number];

export const MODE_TITLES: Readonly<Record<Mode, string>> = {
  root: "bubblewrap, as root",
  fork: "Python fork, as root",
  user: "bubblewrap, ordinary user",
  process: "plain process",
};

export type Verdict = "held" | "not held";

interface Expectation {
  readonly title: string;
  readonly heldIn: readonly Mode[];
}

const CONFINED: readonly Mode[] = ["root", "fork", "user"];
const ROOT: readonly Mode[] = ["root", "fork"];

export const EXPECTATIONS = {
  ownFiles: { title: "sees no other function's code or `/tmp`", heldIn: CONFINED },
  ownEnvironment: { title: "sees no other function's environment or command line", heldIn: CONFINED },
  ownMemory: { title: "cannot read another process's memory", heldIn: CONFINED },
  noHostProcesses: { title: "`/proc` shows only its own processes", heldIn: CONFINED },
  noSignals: { title: "cannot signal another function or the platform", heldIn: CONFINED },
  noDataFolder: { title: "reaches no file and no socket of the data folder", heldIn: CONFINED },
  noAbstractSockets: { title: "reaches no abstract socket of the host", heldIn: CONFINED },
  readOnlyRoot: { title: "can write nowhere but `/tmp`", heldIn: CONFINED },
  noDevices: { title: "opens no device of the machine and makes none", heldIn: CONFINED },
  noNewPrivileges: { title: "has no capability and gains no privilege (setuid programs)", heldIn: CONFINED },
  notRoot: { title: "is not root on the host", heldIn: CONFINED },
  ownUid: { title: "has a host uid of its own", heldIn: ROOT },
  noNamespaces: { title: "makes no new namespace", heldIn: CONFINED },
  noMounts: { title: "cannot mount", heldIn: CONFINED },
  noKernelInterfaces: { title: "bpf, key rings, io_uring, ptrace, setns, process_vm are refused", heldIn: CONFINED },
  noMachineSockets: { title: "vsock is refused", heldIn: CONFINED },
  noHostLoopback: { title: "cannot reach the host's loopback", heldIn: CONFINED },
  noMetadataAddress: { title: "has no way to 169.254.169.254, nor to any other host", heldIn: CONFINED },
  ownListener: { title: "reaches Lambent at its own listener", heldIn: MODES },
  noOtherListener: { title: "cannot reach another function's listener", heldIn: CONFINED },
  ownPorts: { title: "is reached by nobody but the platform at the ports it listens on", heldIn: CONFINED },
  noDescriptors: { title: "inherits no descriptor but its channel", heldIn: MODES },
  exactEnvironment: { title: "sees exactly the environment it was given (and `PWD`)", heldIn: MODES },
  memoryLimit: { title: "is killed over its memory limit, and that is reported", heldIn: ROOT },
  processLimit: { title: "a fork bomb stops at 1,024 processes", heldIn: ROOT },
  tmpBound: { title: "cannot write more into `/tmp` than its size", heldIn: ROOT },
  stopEndsAll: { title: "stopping ends everything it started", heldIn: CONFINED },
  nothingLeaks: { title: "leaves no process, control group, mount, loop device or folder behind", heldIn: MODES },
} as const satisfies Readonly<Record<string, Expectation>>;

export type PropertyId = keyof typeof EXPECTATIONS;
export const PROPERTY_IDS = Object.keys(EXPECTATIONS) as PropertyId[];

export function expected(property: PropertyId, mode: Mode): Verdict {
  const heldIn: readonly Mode[] = EXPECTATIONS[property].heldIn;
  return heldIn.includes(mode) ? "held" : "not held";
}

/** The table as docs/isolation.md shows it. */
export function isolationTable(): string {
  const header = `| an instance | ${MODES.map((mode) => MODE_TITLES[mode]).join(" | ")} |`;
  const rule = `|---|${MODES.map(() => "---|").join("")}`;
  const rows = PROPERTY_IDS.map((id) => `| ${EXPECTATIONS[id].title} | ${MODES.map((mode) => expected(id, mode)).join(" | ")} |`);
  return [header, rule, ...rows].join("\n");
}
