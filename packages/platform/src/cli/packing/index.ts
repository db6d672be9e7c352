/** From a folder to bytes that can be uploaded: guesses, dependencies, bundles, zips. */
export { pack } from "./pack.ts";
export type { Packed, PackRequest } from "./pack.ts";
export { guess } from "./guess.ts";
