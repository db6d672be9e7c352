/** Checksums of bodies: CRC32, CRC32C, CRC64NVME, SHA-1, SHA-256. */
export { createChecksum, readChecksumValue } from "./checksum.ts";
export type { Checksum } from "./checksum.ts";
export { combineCrc } from "./combine.ts";
export type { ChecksummedPart, CombinableAlgorithm } from "./combine.ts";
