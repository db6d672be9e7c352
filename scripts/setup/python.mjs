/**
 * boto3 and debugpy for Python functions, and the clients the tests drive Lambent with.
 *
 * The machine's own Python is used where it has them; else a virtual environment is made: for functions in the data
 * folder of `npm start`, for tests beside the packages. Older versions than these ignore AWS_ENDPOINT_URL and would
 * talk to the real AWS.
 */
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { findCommand, isExecutable, readJson, root, runProgram } from "./machine.mjs";

const OLDEST = { boto3: [1, 28], awscli: [1, 29], debugpy: [1, 8] };

const functionVenv = {
  title: "boto3 and debugpy for Python functions",
  folder: join(root, ".lambent", "python"),
  requirements: join(root, "packages", "function-sdk", "requirements.txt"),
};
const testVenv = {
  title: "boto3, AWS CLI and debugpy for the tests",
  folder: join(root, "node_modules", ".cache", "lambent-test-python"),
  requirements: join(root, "test", "requirements.txt"),
};

/** Kafka's Python clients, as old ones still in use and as new ones: one version of a package each. */
const kafkaVenvs = ["oldest", "newest"].map((age) => ({
  title: `Kafka clients for the tests (${age})`,
  folder: join(root, "node_modules", ".cache", `lambent-test-kafka-${age}`),
  requirements: join(root, "test", "kafka-clients", `${age}.txt`),
}));

export const functionPythonStep = () => venvStep(functionVenv, () => machineHas("boto3") && machineHas("debugpy"));
export const testPythonStep = () =>
  venvStep(testVenv, () => machineHas("boto3") && machineHas("awscli") && machineHas("debugpy") && findCommand("aws") !== undefined);

export const testKafkaPythonSteps = kafkaVenvs.map((venv) => () => venvStep(venv, () => false));

/** Whether the machine lacks what a virtual environment needs that is still to be made (Debian splits it off). */
export const lacksVenvModule = () => !functionPythonStep().isDone() && askPython()?.canMakeVenv !== true;

/**
 * @param {{ title: string, folder: string, requirements: string }} venv
 * @param {() => boolean} isDoneByMachine
 * @returns {import("../setup.mjs").Step}
 */
function venvStep({ title, folder, requirements }, isDoneByMachine) {
  const marker = join(folder, ".lambent-requirements");
  const wanted = readFileSync(requirements, "utf8");
  const remedy = `python3 -m venv ${folder} && ${folder}/bin/pip install --requirement ${requirements}`;
  return {
    title,
    vital: false,
    remedy,
    // One that was made for older requirements is found before the machine's own, so it is made anew.
    isDone: () =>
      readText(marker) === undefined ? isDoneByMachine() : isExecutable(join(folder, "bin", "python3")) && readText(marker) === wanted,
    run() {
      // Debian's packages may just have been installed by the step before.
      answer = undefined;
      if (readText(marker) === undefined && isDoneByMachine()) return undefined;
      if (askPython()?.canMakeVenv !== true) return "needs python3 with its venv module (Debian: python3-venv)";
      rmSync(folder, { recursive: true, force: true });
      mkdirSync(dirname(folder), { recursive: true });
      const made = runProgram("python3", ["-m", "venv", folder]);
      if (!made.ok) return `${made.why}\n  Run: ${remedy}`;
      const pip = ["-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check", "--requirement", requirements];
      const filled = runProgram(join(folder, "bin", "python3"), pip);
      if (!filled.ok) return `${filled.why}\n  Run: ${remedy}`;
      writeFileSync(marker, wanted);
      return undefined;
    },
  };
}

const readText = (/** @type {string} */ file) => (existsSync(file) ? readFileSync(file, "utf8") : undefined);

/** Whether the machine's `python3` has the package in a version that is new enough. */
function machineHas(/** @type {keyof typeof OLDEST} */ name) {
  const found = askPython()?.[name] ?? askPython({ again: true })?.[name];
  if (!found) return false;
  const [major = 0, minor = 0] = found.version.split(".").map(Number);
  const [oldestMajor, oldestMinor] = OLDEST[name];
  return major > oldestMajor || (major === oldestMajor && minor >= oldestMinor);
}

const QUESTION = `
import importlib.metadata, importlib.util, json
def found(name):
    try:
        distribution = importlib.metadata.distribution(name)
        return {"version": distribution.version, "place": str(distribution._path)}
    except importlib.metadata.PackageNotFoundError:
        return None
print(json.dumps({"boto3": found("boto3"), "awscli": found("awscli"), "debugpy": found("debugpy"), "canMakeVenv": importlib.util.find_spec("ensurepip") is not None}))
`;

/**
 * @typedef {{ version: string, place: string } | null} Found
 * @typedef {{ identity: string, boto3: Found, awscli: Found, debugpy: Found, canMakeVenv: boolean }} Answer
 * @type {{ value: Answer | undefined, isFresh: boolean } | undefined}
 */
let answer;

/**
 * What the machine's `python3` has. Asking takes a tenth of a second, so the answer is kept for as long as that file
 * and what was found with it are in place. Who misses something in a kept answer asks `again`.
 */
function askPython({ again = false } = {}) {
  if (answer && (answer.isFresh || !again)) return answer.value;
  const python = findCommand("python3");
  const file = join(root, "node_modules", ".lambent-setup", "python.json");
  const identity = python && `${python} ${statSync(python).mtimeMs}`;
  const kept = readJson(file);
  if (
    !again &&
    kept !== undefined &&
    kept.identity === identity &&
    [kept.boto3, kept.awscli, kept.debugpy].every((found) => !found || existsSync(found.place))
  ) {
    answer = { value: kept, isFresh: false };
    return answer.value;
  }
  const asked = python ? runProgram(python, ["-c", QUESTION]) : { ok: false, output: "" };
  answer = { value: asked.ok ? { identity, ...JSON.parse(asked.output) } : undefined, isFresh: true };
  if (answer.value && existsSync(join(root, "node_modules"))) {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, JSON.stringify(answer.value));
  }
  return answer.value;
}
