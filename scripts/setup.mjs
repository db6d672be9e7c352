#!/usr/bin/env node
/**
 * Makes the checkout ready: `prestart` and `pretest` of package.json run it, with any Node from 20 on.
 *
 * Every step asks the machine whether it is done, so a second run changes nothing and takes a moment.
 * Nothing here asks a question or waits for input. What cannot be installed is named together with the
 * one command that installs it; `--no-install` only names it.
 *
 * usage: node scripts/setup.mjs [--for start|test] [--no-install]
 */
import { debianStep, debianTestStep } from "./setup/debian.mjs";
import { testJavaStep } from "./setup/java.mjs";
import { packagesStep } from "./setup/packages.mjs";
import { functionPythonStep, testKafkaPythonSteps, testPythonStep } from "./setup/python.mjs";

/**
 * @typedef {object} Step
 * @property {string} title   what the progress line says
 * @property {boolean} vital  whether nothing at all works without it
 * @property {() => boolean} isDone
 * @property {() => string | undefined} run  installs it; answers what the person has to do when it could not
 * @property {string} remedy  the command a person runs instead
 */

const purpose = process.argv.includes("test") ? "test" : "start";
// `npm start --no-install` reaches us as npm's setting `install=`, `npm test -- --no-install` not at all.
const installs = !process.argv.includes("--no-install") && process.env["npm_config_install"] !== "";
// In continuous integration a missing part of the tests is a failure, never a smaller test run.
const strict = purpose === "test" && process.env["CI"] === "true";

const say = (/** @type {string} */ text) => process.stderr.write(text);

/** @type {(() => Step)[]} */
const plan = [
  packagesStep,
  debianStep,
  functionPythonStep,
  ...(purpose === "test" ? [debianTestStep, testPythonStep, ...testKafkaPythonSteps, testJavaStep] : []),
];
const open = plan.map((makeStep) => makeStep()).filter((step) => !step.isDone());
/** @type {{ step: Step, complaint: string }[]} */
const failed = [];

for (const [index, step] of open.entries()) {
  say(`${index === 0 ? "  " : " "}[${index + 1}/${open.length}] ${step.title} …`);
  const complaint = installs ? step.run() : `not installed (--no-install). Run: ${step.remedy}`;
  if (complaint !== undefined) failed.push({ step, complaint });
}
if (open.length > 0) say(failed.length === 0 ? " done\n\n" : "\n\n");
for (const { step, complaint } of failed) say(`  ${step.title}: ${complaint}\n`);

if (failed.some(({ step }) => step.vital || strict)) {
  say(`\n  Set-up stopped: ${strict ? "with CI=true the tests need every part above" : "nothing runs without the packages"}.\n`);
  process.exitCode = 1;
} else if (failed.length > 0) say("  Going on with what there is.\n\n");
