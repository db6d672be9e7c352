/**
 * First call to a sleeping Python function that imports boto3, beside a Python that imports boto3 and makes a client.
 *
 * `npm run bench -- cold-python [--rounds n]`; measures/cold.ts says how a function is put to sleep.
 */
import { measureColdPython } from "./measures/cold.ts";
import { BUDGETS } from "./support/budgets.ts";
import { roundsAsked } from "./support/options.ts";
import { pythonWithBoto3 } from "./support/python.ts";
import { describeMachine, reportNotMeasured, reportPair, versionOf } from "./support/report.ts";

const python = pythonWithBoto3();
describeMachine(versionOf(python));
const result = await measureColdPython(python, roundsAsked(15));
reportPair("first call to a sleeping Python function that imports boto3", "ms", result, BUDGETS.coldPython, "python3, import and client");
reportNotMeasured(
  "the first Python function of a server's life, which waits for the zygote to start",
  "making a boto3 client inside the function",
  "modules that the zygote has not imported",
  "a file cache that is cold",
);
