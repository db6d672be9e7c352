/** Streams of the rig: one before a function, one before windows. */
export const STREAMS = { readings: "rig-readings", clicks: "rig-clicks" } as const;
/** Takes what comes to the stream of clicks, and says nothing of it. */
export const MAPPED = "clicked";
/** Reads the readings, and commits how far it came. */
export const GROUP = "rig-readers";
export const DEVICES = ["a", "b", "c", "d"] as const;
/** Between two readings, at most, in the time of their events. */
export const ADDED_MS = 10_000;
