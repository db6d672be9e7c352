import { access, constants } from "node:fs/promises";
import { join } from "node:path";
import { isLambentError } from "../base/index.ts";
import type { CodeProvider } from "../functions/index.ts";
import type { FunctionVersion, InstanceEndpoint, Signals } from "../model/index.ts";
import type { ConfinedProcess } from "../sandbox/index.ts";
import { type Candidate, Candidates, type CandidateParts, type Wanted } from "./candidates.ts";
import type { Inspections } from "./inspection/inspections.ts";
import { AssignedInstance } from "./instance.ts";
import { availableRuntimes, languageOf } from "./languages.ts";
import type { Initialization, RuntimeHost, StartEnding } from "./runtime.ts";

/**
 * Starts instances: picks the way for the runtime id, takes or makes a process, places the code, runs init.
 *
 * Owns which instances live. Keeps P3 (one version per instance, credentials only after assignment).
 * Decides neither how many assigned instances there are nor when they end.
 */

export interface RuntimeHostParts extends CandidateParts {
  readonly codeProvider: CodeProvider;
  readonly instanceEndpoint: InstanceEndpoint;
  readonly signals: Signals;
  /** Which functions a debugger may attach to. */
  readonly inspections: Inspections;
  /** Version of the program at `nodePath`, `26.10.0`. */
  readonly nodeVersion: string;
}

const STOPPING: StartEnding = { kind: "unavailable", what: "the server is stopping" };

/** What still runs this long after the host began to close is ended: whoever waited for it had the server's own grace before, and a call's deadline may be a quarter of an hour away. */
const CLOSE_GRACE_MS = 1_000;

/** The runtime host of one server; fills its pool at once. */
export function openRuntimeHost(parts: RuntimeHostParts): RuntimeHost {
  return new Host(parts);
}

class Host implements RuntimeHost {
  readonly #parts: RuntimeHostParts;
  readonly #candidates: Candidates;
  readonly #instances = new Set<AssignedInstance>();
  #phase: "open" | "closed" = "open";

  constructor(parts: RuntimeHostParts) {
    this.#parts = parts;
    this.#candidates = new Candidates(parts);
  }

  available(): ReturnType<RuntimeHost["available"]> {
    return availableRuntimes(this.#parts.nodeVersion, this.#parts.pythons, this.#parts.network !== "none");
  }

  get waiting(): number {
    return this.#candidates.waiting;
  }

  async start(asked: FunctionVersion, initialization: Initialization): Promise<StartEnding> {
    if (!this.#isOpen()) return STOPPING;
    const wanted = this.#wanted(asked, initialization);
    const { version } = wanted;
    const language = languageOf(version.runtime);
    if (!language) return { kind: "unavailable", what: `the runtime ${version.runtime} is not one Lambent runs` };
    let launched: ConfinedProcess | undefined;
    try {
      const candidate = await this.#candidates.make(language, wanted);
      launched = candidate.process;
      const missing = await this.#place(version, candidate);
      if (missing) return this.#refuse(candidate, missing);
      if (!this.#isOpen()) {
        launched.stop(0);
        return STOPPING;
      }
      return await this.#begin(wanted, candidate);
    } catch (error) {
      launched?.stop(0);
      if (!isLambentError(error)) throw error;
      return { kind: "unavailable", what: error.message };
    }
  }

  /** Whoever debugs follows one call at a time, and has the instance for nobody's provisioning. */
  #wanted(version: FunctionVersion, initialization: Initialization): Wanted {
    const inspection = this.#parts.inspections.of(version);
    if (!inspection) return { version, initialization, inspection };
    return { version: { ...version, concurrencyPerInstance: 1 }, initialization: "on-demand", inspection };
  }

  #isOpen(): boolean {
    return this.#phase === "open";
  }

  async close(): Promise<void> {
    this.#phase = "closed";
    for (const instance of this.#instances) instance.drain();
    const end = this.#parts.clock.schedule(CLOSE_GRACE_MS, () => {
      for (const instance of this.#instances) instance.broken("the server is stopping");
    });
    await Promise.all([...this.#instances].map((instance) => instance.gone));
    end.cancel();
    await this.#candidates.close();
  }

  /** Puts code and layers in place; the answer is what the function's code lacks to be started at all. */
  async #place(version: FunctionVersion, { process, entryFile }: Candidate): Promise<string | undefined> {
    const { codeProvider } = this.#parts;
    const [tree, layers] = await Promise.all([codeProvider.takeTree(version), codeProvider.takeLayers(version)]);
    const roots = layers === undefined ? [tree] : [tree, layers];
    const lacks = entryFile !== undefined && !(await Promise.all(roots.map((root) => isExecutable(join(root, entryFile))))).includes(true);
    await process.place(tree, "task");
    if (layers !== undefined) await process.place(layers, "opt");
    return lacks ? `Couldn't find valid bootstrap(s): [${process.paths.task}/${entryFile} ${process.paths.opt}/${entryFile}]` : undefined;
  }

  #refuse({ process }: Candidate, what: string): StartEnding {
    process.stop(0);
    const payload = Buffer.from(JSON.stringify({ errorType: "Runtime.InvalidEntrypoint", errorMessage: `Error: ${what}` }));
    return { kind: "initFailed", instanceId: process.id, payload, initMs: 0, logTail: Buffer.alloc(0), memoryPeakMb: 0 };
  }

  async #begin({ version, inspection }: Wanted, candidate: Candidate): Promise<StartEnding> {
    const { clock, signals } = this.#parts;
    const { process } = candidate;
    const timeLimits = inspection ? "suspended" : "counted";
    const instance = new AssignedInstance({ version, process, clock, signals, timeLimits, close: this.#serve(version, process) });
    inspection?.joined(instance);
    this.#instances.add(instance);
    void instance.gone.then(() => this.#instances.delete(instance));
    return await candidate.start(instance);
  }

  #serve(version: FunctionVersion, { id, listeners }: ConfinedProcess): () => void {
    if (!listeners) return () => {};
    const { instanceEndpoint } = this.#parts;
    const caller = { instanceId: id, version };
    const served = [
      instanceEndpoint.serveApi(listeners.api, caller),
      instanceEndpoint.serveProxy(listeners.proxy, caller),
      instanceEndpoint.serveKafka(listeners.kafka, caller),
    ];
    return () => {
      for (const service of served) service.close();
    };
  }
}

function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
