import { LambentError } from "../base/index.ts";
import { type CredentialIssuer, type FunctionVersion, logStreamName } from "../model/index.ts";
import type { ConfinedProcess, Places } from "../sandbox/index.ts";
import { RuntimeApi } from "./api/runtime-api.ts";
import type { Assignment } from "./channel/messages.ts";
import { actsAtStart, functionEnvironment } from "./environment.ts";
import { FramedPort } from "./framed-port.ts";
import type { AssignedInstance } from "./instance.ts";
import type { Inspection } from "./inspection/inspection.ts";
import { interpreterFor, type Language, languageOf } from "./languages.ts";
import { type Debugging, type GatedProcess, instanceId, launchGated, type LaunchContext, nodeFolder, type ProgramLine } from "./launch.ts";
import { nodeCommand, NodePool } from "./node-pool.ts";
import { pythonCommand } from "./python-command.ts";
import type { PythonInterpreter } from "./python-interpreters.ts";
import { PythonZygote } from "./python-zygote.ts";
import type { Initialization, StartEnding } from "./runtime.ts";

/**
 * Gets a process for a version: from the pool, from a zygote, or started for it alone.
 *
 * Owns the Node pool and the Python zygotes. A process of the pool learns what it is by ASSIGN; one started for a
 * function whose variables act at start, or for a custom runtime, has its environment from the start and waits at a
 * gate until its code is in place.
 */

/** `/tmp` of the class that waits in the pool; other sizes start on demand. */
const POOL_TMP_MB = 512;

export interface CandidateParts extends LaunchContext {
  readonly credentialIssuer: CredentialIssuer;
  readonly pythons: readonly PythonInterpreter[];
  /** Node processes that wait ready; 0 turns the pool off. */
  readonly poolReadyMax: number;
  /** False starts each Python anew instead of forking it from a waiting one. */
  readonly pythonZygote: boolean;
}

/** What is to be started. */
export interface Wanted {
  readonly version: FunctionVersion;
  readonly initialization: Initialization;
  /** Set for an instance that a debugger may attach to. */
  readonly inspection: Inspection | undefined;
}

/** A process for one version, and how it becomes the version's instance once code is in place. */
export interface Candidate {
  readonly process: ConfinedProcess;
  /** An executable file the code or its layers must have. */
  readonly entryFile: string | undefined;
  start(instance: AssignedInstance): Promise<StartEnding>;
}

/** Runs the function's own `bootstrap`, or its layers'. They stand beside each other, whether confined or not. */
const CUSTOM_START =
  'exec 3<&-; cd "$LAMBDA_TASK_ROOT"; if [ -x ./bootstrap ]; then exec ./bootstrap; fi; exec "${LAMBDA_TASK_ROOT%/*}/opt/bootstrap"';

/** What a debugger takes inside an instance; a function must not run out of memory for being looked at. */
const DEBUGGER_MEMORY_MB = 128;

function debuggingOf({ inspection }: Wanted): Debugging {
  return inspection ? "on" : "off";
}

export class Candidates {
  readonly #parts: CandidateParts;
  readonly #pool: NodePool;
  readonly #zygotes = new Map<string, PythonZygote>();

  constructor(parts: CandidateParts) {
    this.#parts = parts;
    // Processes without listeners of their own, or on the host's network, are not interchangeable enough to wait.
    const readyMax = parts.network === "lambent" ? parts.poolReadyMax : 0;
    this.#pool = new NodePool(parts, { readyMax, tmpMb: POOL_TMP_MB });
    this.#pool.fill();
  }

  /** Processes of the pool that are ready to be taken. */
  get waiting(): number {
    return this.#pool.ready;
  }

  /** Rejects with `RuntimeUnavailable` when no process can be started. */
  async make(language: Language, wanted: Wanted): Promise<Candidate> {
    const { version, inspection } = wanted;
    if (language === "custom") return await this.#custom(wanted);
    // A debugger is opened at the start of a process, which makes it one for this function alone.
    const gated = inspection !== undefined || actsAtStart(version.environment);
    if (language === "python") return await this.#python(wanted, gated);
    if (gated) return await this.#gated("node", wanted, nodeCommand(this.#parts, version.memoryMb, debuggingOf(wanted)));
    const { process, port } = await this.#pool.take(version.memoryMb, version.tmpMb);
    const environment = this.#environment("node", wanted, process.id, process, [nodeFolder(this.#parts).path]);
    return this.#framed(wanted, process, () => port, environment);
  }

  async close(): Promise<void> {
    await Promise.all([this.#pool.close(), ...[...this.#zygotes.values()].map((zygote) => zygote.close())]);
  }

  async #python(wanted: Wanted, gated: boolean): Promise<Candidate> {
    const { version } = wanted;
    const interpreter = interpreterFor(version.runtime, this.#parts.pythons);
    if (!interpreter) throw new LambentError("RuntimeUnavailable", `No python3 was found for the runtime ${version.runtime}.`);
    const line = pythonCommand(this.#parts, interpreter, debuggingOf(wanted));
    const forked = gated || !this.#parts.pythonZygote ? undefined : await this.#zygoteOf(interpreter).fork(version.memoryMb, version.tmpMb);
    if (!forked) return await this.#gated("python", wanted, line);
    const environment = this.#environment("python", wanted, forked.id, forked, line.programFolders);
    return this.#framed(wanted, forked, () => new FramedPort(forked.channel), environment);
  }

  #zygoteOf(interpreter: PythonInterpreter): PythonZygote {
    const known = this.#zygotes.get(interpreter.path);
    if (known) return known;
    const zygote = new PythonZygote(this.#parts, interpreter);
    this.#zygotes.set(interpreter.path, zygote);
    return zygote;
  }

  async #gated(language: "node" | "python", wanted: Wanted, line: ProgramLine): Promise<Candidate> {
    const { version } = wanted;
    const wrapper = version.environment["AWS_LAMBDA_EXEC_WRAPPER"];
    const gate = await this.#launch(language, wanted, { ...line, command: wrapper ? [wrapper, ...line.command] : line.command });
    const connect = (): FramedPort => {
      gate.open();
      return new FramedPort(gate.process.channel);
    };
    return this.#framed(wanted, gate.process, connect, null);
  }

  async #custom(wanted: Wanted): Promise<Candidate> {
    if (this.#parts.network === "none") {
      throw new LambentError(
        "RuntimeUnavailable",
        "Custom runtimes need the network mode lambent or host: they fetch their events over HTTP.",
      );
    }
    const gate = await this.#launch("custom", wanted, { command: ["/bin/sh", "-c", CUSTOM_START], mounts: [], programFolders: [] });
    return {
      process: gate.process,
      entryFile: "bootstrap",
      start: async (instance) => {
        const { listeners } = gate.process;
        if (!listeners) return { kind: "unavailable", what: "the instance has no listener for the Runtime API" };
        gate.process.channel.resume();
        return await instance.start(new RuntimeApi(listeners.runtimeApi, instance), () => gate.open());
      },
    };
  }

  async #launch(language: Language, wanted: Wanted, line: ProgramLine): Promise<GatedProcess> {
    const { version } = wanted;
    const id = instanceId(this.#parts);
    return await launchGated(this.#parts, {
      id,
      command: line.command,
      environment: (places) => this.#environment(language, wanted, id, places, line.programFolders),
      memoryMb: version.memoryMb + (wanted.inspection ? DEBUGGER_MEMORY_MB : 0),
      tmpMb: version.tmpMb,
      mounts: line.mounts,
    });
  }

  #framed(
    { version, inspection }: Wanted,
    process: ConfinedProcess,
    connect: () => FramedPort,
    environment: Record<string, string> | null,
  ): Candidate {
    return {
      process,
      entryFile: undefined,
      start: (instance) => {
        const port = connect();
        if (inspection) void port.greeted.then(() => this.#announce(version, inspection, instance, port.debuggerPort));
        return instance.start(port, () => port.assign(this.#assignment(version, process, environment), instance));
      },
    };
  }

  #announce(version: FunctionVersion, inspection: Inspection, instance: AssignedInstance, debuggerPort: number | undefined): void {
    const language = languageOf(version.runtime);
    const interpreter = language === "python" ? interpreterFor(version.runtime, this.#parts.pythons) : undefined;
    if (debuggerPort !== undefined) inspection.opened(instance, interpreter ? "debugpy" : "inspector", debuggerPort);
    else if (interpreter)
      inspection.missing(
        instance,
        `${interpreter.path} has no debugpy: add it to requirements.txt, or run ${interpreter.path} -m pip install debugpy`,
      );
    else inspection.missing(instance, "Node did not open its inspector");
  }

  #environment(
    language: Language,
    { version, initialization }: Wanted,
    id: string,
    { listeners, paths }: Places,
    programFolders: readonly string[],
  ): Record<string, string> {
    return functionEnvironment({
      version,
      initialization,
      language,
      credentials: this.#parts.credentialIssuer.issue(version),
      places: { listeners, paths },
      logStream: this.#logStream(version, id),
      programFolders,
    });
  }

  #logStream(version: FunctionVersion, id: string): string {
    return logStreamName(version.version, id);
  }

  #assignment(version: FunctionVersion, { id, paths }: ConfinedProcess, environment: Record<string, string> | null): Assignment {
    return {
      environment,
      handler: version.handler,
      style: version.handlerStyle,
      runtime: version.runtime,
      taskRoot: paths.task,
      layerRoot: paths.opt,
      concurrency: version.concurrencyPerInstance,
      functionName: version.name,
      functionVersion: version.version,
      memoryMb: version.memoryMb,
      logGroup: version.logging.group,
      logStream: this.#logStream(version, id),
      logFormat: version.logging.format,
      logLevel: version.logging.applicationLevel,
    };
  }
}
