/**
 * The system-call filter of every confined instance, as classic BPF: a list of what is denied, because what language
 * runtimes need is open-ended. It closes new namespaces, mounts, tracing, key rings, kernel interfaces with a record
 * of escapes (bpf, io_uring, userfaultfd, perf), changes of the host's clock, and socket families that have no namespace.
 */

/** `[x86_64, aarch64]`; -1 where the machine type lacks the call. */
const DENIED_CALLS: Readonly<Record<string, readonly [number, number]>> = {
  ptrace: [101, 117],
  syslog: [103, 116],
  vhangup: [153, 58],
  modify_ldt: [154, -1],
  pivot_root: [155, 41],
  adjtimex: [159, 171],
  chroot: [161, 51],
  acct: [163, 89],
  settimeofday: [164, 170],
  mount: [165, 40],
  umount2: [166, 39],
  swapon: [167, 224],
  swapoff: [168, 225],
  reboot: [169, 142],
  sethostname: [170, 161],
  setdomainname: [171, 162],
  iopl: [172, -1],
  ioperm: [173, -1],
  init_module: [175, 105],
  delete_module: [176, 106],
  quotactl: [179, 60],
  clock_settime: [227, 112],
  mbind: [237, 235],
  set_mempolicy: [238, 237],
  kexec_load: [246, 104],
  add_key: [248, 217],
  request_key: [249, 218],
  keyctl: [250, 219],
  migrate_pages: [256, 238],
  unshare: [272, 97],
  move_pages: [279, 239],
  perf_event_open: [298, 241],
  name_to_handle_at: [303, 264],
  open_by_handle_at: [304, 265],
  clock_adjtime: [305, 266],
  setns: [308, 268],
  process_vm_readv: [310, 270],
  process_vm_writev: [311, 271],
  kcmp: [312, 272],
  finit_module: [313, 273],
  kexec_file_load: [320, 294],
  bpf: [321, 280],
  userfaultfd: [323, 282],
  io_uring_setup: [425, 425],
  io_uring_enter: [426, 426],
  io_uring_register: [427, 427],
  open_tree: [428, 428],
  move_mount: [429, 429],
  fsopen: [430, 430],
  fsconfig: [431, 431],
  fsmount: [432, 432],
  fspick: [433, 433],
  pidfd_getfd: [438, 438],
  mount_setattr: [442, 442],
  quotactl_fd: [443, 443],
};

interface Machine {
  readonly column: 0 | 1;
  readonly auditArchitecture: number;
  readonly clone: number;
  readonly socket: number;
  /** x86_64 alone has a second ABI, marked by this bit, that would renumber every call. */
  readonly secondAbiBit: number | undefined;
}

const MACHINES: Readonly<Record<string, Machine>> = {
  x64: { column: 0, auditArchitecture: 0xc000003e, clone: 56, socket: 41, secondAbiBit: 0x40000000 },
  arm64: { column: 1, auditArchitecture: 0xc00000b7, clone: 220, socket: 198, secondAbiBit: undefined },
};

const CLONE3 = 435;
/** Every `CLONE_NEW*` flag that fits clone's flags. */
const CLONE_NEW_ANY = 0x7e020000;
/** unix, inet, inet6, netlink: the families that a network namespace confines. */
const SOCKET_FAMILIES = [1, 2, 10, 16];
const EPERM = 1;
const ENOSYS = 38;
const EAFNOSUPPORT = 97;

const ALLOW = 0x7fff0000;
const KILL_PROCESS = 0x80000000;
const errno = (number: number): number => 0x00050000 | number;

/** One instruction: `struct sock_filter`. Jump offsets count the instructions skipped. */
function instruction(code: number, k: number, ifTrue = 0, ifFalse = 0): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt16LE(code, 0);
  bytes.writeUInt8(ifTrue, 2);
  bytes.writeUInt8(ifFalse, 3);
  bytes.writeUInt32LE(k >>> 0, 4);
  return bytes;
}
const load = (offset: number): Buffer => instruction(0x20, offset);
const answer = (value: number): Buffer => instruction(0x06, value);
const ifEqual = (k: number, ifTrue: number, ifFalse: number): Buffer => instruction(0x15, k, ifTrue, ifFalse);
const ifAtLeast = (k: number, ifTrue: number, ifFalse: number): Buffer => instruction(0x35, k, ifTrue, ifFalse);
const ifAnyBit = (k: number, ifTrue: number, ifFalse: number): Buffer => instruction(0x45, k, ifTrue, ifFalse);

/** Offsets in `struct seccomp_data`; the first argument is read as its low 32 bits. */
const CALL_NUMBER = 0;
const ARCHITECTURE = 4;
const FIRST_ARGUMENT = 16;

/** The filter for `architecture` as Node names it; undefined where its calls are not known. */
export function seccompProgram(architecture: string): Buffer | undefined {
  const machine = MACHINES[architecture];
  if (!machine) return undefined;
  const denied = Object.values(DENIED_CALLS).map((numbers) => numbers[machine.column]);
  return Buffer.concat([
    load(ARCHITECTURE),
    ifEqual(machine.auditArchitecture, 1, 0),
    answer(KILL_PROCESS),
    load(CALL_NUMBER),
    ...(machine.secondAbiBit === undefined ? [] : [ifAtLeast(machine.secondAbiBit, 0, 1), answer(KILL_PROCESS)]),
    // Its flags lie behind a pointer that a filter cannot follow; ENOSYS makes every libc fall back to clone.
    ifEqual(CLONE3, 0, 1),
    answer(errno(ENOSYS)),
    ...denied.filter((number) => number >= 0).flatMap((number) => [ifEqual(number, 0, 1), answer(errno(EPERM))]),
    ifEqual(machine.clone, 0, 4),
    load(FIRST_ARGUMENT),
    ifAnyBit(CLONE_NEW_ANY, 0, 1),
    answer(errno(EPERM)),
    answer(ALLOW),
    ifEqual(machine.socket, 0, 2 + SOCKET_FAMILIES.length),
    load(FIRST_ARGUMENT),
    // Each family jumps over the families behind it and the refusal.
    ...SOCKET_FAMILIES.map((family, index) => ifEqual(family, SOCKET_FAMILIES.length - index, 0)),
    answer(errno(EAFNOSUPPORT)),
    answer(ALLOW),
  ]);
}
