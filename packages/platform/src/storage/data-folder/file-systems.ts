/**
 * File systems on which SQLite's write-ahead log or the lock file cannot be trusted: their shared memory or their
 * locks are not those of one machine. Keys are the `f_type` values Linux reports.
 */
const UNUSABLE_FILE_SYSTEMS: ReadonlyMap<number, string> = new Map([
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

/** Names the file system when a data folder cannot live on it; `undefined` for all others. */
export function unusableFileSystem(type: number): string | undefined {
  return UNUSABLE_FILE_SYSTEMS.get(type >>> 0);
}
