import { runContract } from "./contract.ts";
import { MODES } from "./expectations.ts";

/** Runs the contract in the mode named by the first argument and prints its verdicts: one line of JSON. */
const mode = MODES.find((candidate) => candidate === process.argv[2]);
if (mode === undefined) process.exit(64);
process.stdout.write(`${JSON.stringify(await runContract(mode))}\n`);
