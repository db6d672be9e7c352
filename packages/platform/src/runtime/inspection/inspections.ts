import { type Clock, LambentError } from "../../base/index.ts";
import { type FunctionVersion, LATEST, type Realm, realmKey } from "../../model/index.ts";
import { languageOf } from "../languages.ts";
import { type DebuggerNews, Inspection } from "./inspection.ts";
import { INSPECTOR_HOST, Relay } from "./relay.ts";

/**
 * Which functions are under a debugger now.
 *
 * An inspection lasts exactly as long as whoever asked for it holds it, and nothing of it is stored. It is about
 * `$LATEST`, whichever code that is: what is deployed meanwhile comes up with a debugger too, at the same port.
 * Deliberately absent: how many instances there are (`autoscaler/`), who may ask (`api/lambent`).
 */

/** Functions under a debugger at once; each has a port of the host (P7). */
export const INSPECTIONS_MAX = 64;

export interface InspectionRequest {
  readonly version: FunctionVersion;
  /** On the host's loopback; 0 picks a free one. */
  readonly port: number;
  readonly tell: (news: DebuggerNews) => void;
}

/** An inspection as whoever asked for it holds it. */
export interface HeldInspection {
  /** Where a debugger attaches: `127.0.0.1:9229`. */
  readonly address: string;
  /** Ends it: instances get their time limits back and leave. Idempotent. */
  end(): void;
}

export class Inspections {
  readonly #clock: Clock;
  readonly #byFunction = new Map<string, Inspection>();
  readonly #listeners: ((realm: Realm, functionName: string) => void)[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Calls `listener` when a function came under a debugger, or is no more. */
  onChange(listener: (realm: Realm, functionName: string) => void): void {
    this.#listeners.push(listener);
  }

  /** Throws `InvalidParameter` for a runtime without a debugger, `Conflict` for a function that is inspected already, `LimitExceeded`, `PortTaken`. */
  async open({ version, port, tell }: InspectionRequest): Promise<HeldInspection> {
    const { realm, name, runtime } = version;
    if (!isInspectable(version)) {
      throw new LambentError(
        "InvalidParameter",
        `Functions of the runtime ${runtime} have no debugger here; those of nodejs and python have.`,
      );
    }
    const key = keyOf(version);
    this.#refuse(key, name);
    const inspection = new Inspection(this.#clock, tell);
    const relay = await Relay.open(port, () => inspection.dial());
    try {
      // Another may have come while the port was opened.
      this.#refuse(key, name);
    } catch (error) {
      relay.close();
      throw error;
    }
    this.#byFunction.set(key, inspection);
    this.#changed(realm, name);
    return {
      address: `${INSPECTOR_HOST}:${relay.port}`,
      end: () => {
        if (this.#byFunction.get(key) !== inspection) return;
        this.#byFunction.delete(key);
        // Connections first: a debugger that is cut off lets what it holds go on.
        relay.close();
        inspection.end();
        this.#changed(realm, name);
      },
    };
  }

  /** The inspection that instances of `version` belong to; undefined for all but `$LATEST` of a function under a debugger. */
  of(version: FunctionVersion): Inspection | undefined {
    if (this.#byFunction.size === 0 || version.version !== LATEST || !isInspectable(version)) return undefined;
    return this.#byFunction.get(keyOf(version));
  }

  #refuse(key: string, name: string): void {
    if (this.#byFunction.has(key)) throw new LambentError("Conflict", `Function ${name} is under a debugger already.`);
    if (this.#byFunction.size >= INSPECTIONS_MAX) {
      throw new LambentError("LimitExceeded", `${INSPECTIONS_MAX} functions are under a debugger already.`);
    }
  }

  #changed(realm: Realm, functionName: string): void {
    for (const listener of this.#listeners) listener(realm, functionName);
  }
}

function isInspectable({ runtime }: FunctionVersion): boolean {
  const language = languageOf(runtime);
  return language === "node" || language === "python";
}

function keyOf({ realm, name }: FunctionVersion): string {
  return `${realmKey(realm)}/${name}`;
}
