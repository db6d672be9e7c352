/**
 * File systems on which SQLite's write-ahead log or the lock file cannot be trusted: their shared memory or their
 * locks are not those of one machine, or what they call synced is not on a disk.
 */
import { readFile } from "node:fs/promises";

/** By the `f_type` values Linux reports. */
const UNUSABLE_NUMBERS: ReadonlyMap<number, string> = new Map([
  [0x6969, "NFS"],
  [0x517b, "SMB"],
  [0xff534d42, "CIFS"],
  [0xfe534d42, "SMB2"],
  [0x01021997, "9P (as WSL mounts Windows drives)"],
  [0x53464846, "a Windows drive in WSL"],
  [0x5346414f, "AFS"],
  [0x00c36400, "Ceph"],
  [0x0bd00bd0, "Lustre"],
  [0x47504653, "GPFS"],
  [0x786f4256, "a VirtualBox shared folder"],
]);

/** The number every FUSE file system reports, whatever is behind it; its name tells. */
const FUSE_NUMBER = 0x65735546;
/** FUSE file systems that keep their files on this machine. `fuseblk` is a block device of this machine: NTFS, exFAT. */
const LOCAL_FUSE_NAMES: ReadonlySet<string> = new Set(["fuse.fuse-overlayfs", "fuse.bindfs", "fuseblk"]);

/** Names the file system when a data folder cannot live on it; `undefined` for all others. `name` is the one of the mount table. */
export function unusableFileSystem(number: number, name: string | undefined): string | undefined {
  const unsigned = number >>> 0;
  if (unsigned !== FUSE_NUMBER) return UNUSABLE_NUMBERS.get(unsigned);
  if (name !== undefined && LOCAL_FUSE_NAMES.has(name)) return undefined;
  return `${name ?? "a FUSE file system"} (FUSE, which need not keep what was synced)`;
}

/** The file system's name as Linux's mount table has it for the device a folder is on; `undefined` when it cannot be told. */
export async function mountedFileSystem(device: number): Promise<string | undefined> {
  return nameInMountTable(await readFile("/proc/self/mountinfo", "utf8").catch(() => ""), device);
}

/** `36 35 98:0 /root /mount options optional… - type source superoptions`, one mount a line; 98:0 is the device. */
export function nameInMountTable(table: string, device: number): string | undefined {
  const wanted = `${major(device)}:${minor(device)}`;
  const line = table.split("\n").find((each) => each.split(" ")[2] === wanted);
  return line?.split(" - ")[1]?.split(" ")[0];
}

/** Linux packs a device into 64 bits: minor 0–7, major 8–19, minor 20–31, the rest of the major from 32 on. */
function major(device: number): number {
  return (Math.floor(device / 2 ** 8) & 0xfff) + (Math.floor(device / 2 ** 32) & 0xfff) * 0x1000;
}

function minor(device: number): number {
  return (device & 0xff) + (Math.floor(device / 2 ** 12) & 0xfff00);
}
