/**
 * CRCs that take 16 bytes a step ("slicing by 16"): table `n` holds what a byte contributes that `n` more bytes follow, so the CRC of 16
 * bytes is one look-up for each, none of which waits for another. All polynomials here are reflected: the lowest bit of a byte is its highest power.
 */

export const BYTES_A_STEP = 16;

/** Room for the tables of one half; table `n` begins at `n * 256`. */
export function newSlicingTable(): Int32Array {
  return new Int32Array(BYTES_A_STEP * 256);
}

/** Fills in the tables of a polynomial, in two halves of 32 bits: of one that has no more than 32, `high` stays 0. Gives true: they are filled. */
export function fillSlicingTables(polynomial: { readonly low: number; readonly high: number }, low: Int32Array, high: Int32Array): true {
  for (let byte = 0; byte < 256; byte += 1) {
    let lowWord = byte;
    let highWord = 0;
    for (let bit = 0; bit < 8; bit += 1) {
      const carries = lowWord & 1;
      lowWord = (lowWord >>> 1) | (highWord << 31);
      highWord >>>= 1;
      if (carries) {
        lowWord ^= polynomial.low;
        highWord ^= polynomial.high;
      }
    }
    low[byte] = lowWord;
    high[byte] = highWord;
  }
  for (let index = 256; index < low.length; index += 1) {
    const lowWord = entry(low, index - 256);
    const highWord = entry(high, index - 256);
    const byte = lowWord & 0xff;
    low[index] = ((lowWord >>> 8) | (highWord << 24)) ^ entry(low, byte);
    high[index] = (highWord >>> 8) ^ entry(high, byte);
  }
  return true;
}

/** `table[index]` where the index is within bounds by its own arithmetic: nothing is checked, as this is the innermost loop. */
export function entry(table: Int32Array, index: number): number {
  return table[index] as number;
}

/**
 * What the 16 bytes of four words (the lowest byte of each first) contribute. Without `entry`, it is small enough to be compiled
 * into a loop that needs it twice.
 */
export function lookUpStep(table: Int32Array, first: number, second: number, third: number, fourth: number): number {
  return (
    (table[0xf00 | (first & 0xff)] as number) ^
    (table[0xe00 | ((first >>> 8) & 0xff)] as number) ^
    (table[0xd00 | ((first >>> 16) & 0xff)] as number) ^
    (table[0xc00 | (first >>> 24)] as number) ^
    (table[0xb00 | (second & 0xff)] as number) ^
    (table[0xa00 | ((second >>> 8) & 0xff)] as number) ^
    (table[0x900 | ((second >>> 16) & 0xff)] as number) ^
    (table[0x800 | (second >>> 24)] as number) ^
    (table[0x700 | (third & 0xff)] as number) ^
    (table[0x600 | ((third >>> 8) & 0xff)] as number) ^
    (table[0x500 | ((third >>> 16) & 0xff)] as number) ^
    (table[0x400 | (third >>> 24)] as number) ^
    (table[0x300 | (fourth & 0xff)] as number) ^
    (table[0x200 | ((fourth >>> 8) & 0xff)] as number) ^
    (table[0x100 | ((fourth >>> 16) & 0xff)] as number) ^
    (table[fourth >>> 24] as number)
  );
}
