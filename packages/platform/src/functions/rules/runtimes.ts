/**
 * Runtime ids that are accepted, whichever way a function comes: those that AWS has, of the languages Lambent runs. Others
 * could not be set by AWS's own operations, nor deployed there. Which of them this machine has is `runtime/`'s to say.
 */
const NODE = [10, 12, 14, 16, 18, 20, 22, 24].map((major) => `nodejs${major}.x`);
const PYTHON = [6, 7, 8, 9, 10, 11, 12, 13, 14].map((minor) => `python3.${minor}`);
const CUSTOM = ["provided", "provided.al2", "provided.al2023"];

export const RUNTIME_IDS: ReadonlySet<string> = new Set([...NODE, ...PYTHON, ...CUSTOM]);

/** For a complaint: from the oldest to the newest. */
export const RUNTIMES_TEXT = `${NODE[0]} to ${NODE.at(-1)}, ${PYTHON[0]} to ${PYTHON.at(-1)}, ${CUSTOM.slice(0, -1).join(", ")} and ${CUSTOM.at(-1)}`;
