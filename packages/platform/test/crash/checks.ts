/** What the rig holds against an engine; a finding names one of these. */
export const CHECKS = {
  ends: "a life ends as it was made to",
  opens: "the store opens again",
  verify: "verify finds nothing",
  kept: "P1: what was accepted is kept",
  settled: "P1: what was settled stays settled",
  bodies: "P1: bodies are whole",
  uploads: "P1: uploads under way can go on",
  files: "P1: every file is one that a row refers to",
  told: "P1, P2: what is done to an object is told",
  outcome: "P2: what was accepted has one outcome",
  nowhere: "P2: nothing comes from nowhere",
  crossed: "P2: what goes to another cell arrives once",
  chain: "P1, P2: an event goes all its way, on record as one chain",
  lease: "P4: what is leased, or its group, is nobody else's",
  order: "P4: a group keeps its order",
  places: "P1: a record of a stream is where it was told to be",
  once: "P1: what is put into a stream once is there once",
  groups: "P1: what a consumer group committed does not go back",
  mapping: "P2: each record of a mapped stream has one outcome",
  windows: "P5: windows say what each record applied once comes to",
} as const;

export interface Finding {
  readonly check: (typeof CHECKS)[keyof typeof CHECKS];
  readonly what: string;
}
