/** Event patterns: which JSON events a pattern of AWS's language matches, and which of many patterns an event matches. */
export { compilePattern, parsePattern, PATTERN_ALTERNATIVES_MAX, PATTERN_DEPTH_MAX } from "./compile.ts";
export type { CompiledPattern } from "./match.ts";
export { PatternSet } from "./pattern-set.ts";
