import { BYTES_A_STEP, entry, fillSlicingTables, lookUpStep, newSlicingTable } from "../../base/index.ts";

/** CRC64NVME, in two halves of 32 bits: numbers hold no 64, and BigInt is far too slow here. */

/** Reflected. */
export const CRC64NVME_POLYNOMIAL = { low: 0xac4bc9b5, high: 0x9a6c9329 };

/** Constants, so that the compiler knows their bounds; filled at the first use. */
const LOW = newSlicingTable();
const HIGH = newSlicingTable();
let isFilled = false;

/** A CRC in two halves, changed in place. */
export interface Crc64 {
  low: number;
  high: number;
}

/** Takes `bytes` into `crc`, which is that of everything before them (both halves 0: of nothing). */
export function addToCrc64nvme(crc: Crc64, bytes: Uint8Array): void {
  isFilled ||= fillSlicingTables(CRC64NVME_POLYNOMIAL, LOW, HIGH);
  const words = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const stepsEnd = words.byteLength - (words.byteLength % BYTES_A_STEP);
  let low = ~crc.low;
  let high = ~crc.high;
  let position = 0;
  for (; position < stepsEnd; position += BYTES_A_STEP) {
    const first = words.getInt32(position, true) ^ low;
    const second = words.getInt32(position + 4, true) ^ high;
    const third = words.getInt32(position + 8, true);
    const fourth = words.getInt32(position + 12, true);
    low = lookUpStep(LOW, first, second, third, fourth);
    high = lookUpStep(HIGH, first, second, third, fourth);
  }
  for (; position < words.byteLength; position += 1) {
    const byte = (low ^ words.getUint8(position)) & 0xff;
    low = ((low >>> 8) | (high << 24)) ^ entry(LOW, byte);
    high = (high >>> 8) ^ entry(HIGH, byte);
  }
  crc.low = ~low;
  crc.high = ~high;
}
