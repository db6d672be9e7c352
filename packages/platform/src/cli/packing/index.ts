/** From a folder to bytes that can be uploaded: guesses, dependencies, bundles, zips. */
export { pack } from "./pack.ts";
export type { Packed, PackRequest } from "./pack.ts";
export { walk } from "./walk.ts";
export { zipFiles } from "./zip.ts";
export { guess } from "./guess.ts";
