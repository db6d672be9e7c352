/**
 * What a sink has to know and nobody is to read: named by a variable of the server's environment, or given once and kept sealed. It is opened where it
 * is used, and never shown again.
 */
import { type Cipher, type Realm, realmKey } from "../../model/index.ts";
import { LambentError } from "../../base/index.ts";
import type { ManagedWindow, SecretForm, SinkForm } from "../definition.ts";

export interface SecretsParts {
  readonly cipher: Cipher;
  /** A variable of the server's environment. */
  readonly environment: (variable: string) => string | undefined;
}

/** The secrets of one window. */
export class Secrets {
  readonly #parts: SecretsParts | undefined;
  readonly #context: string;

  constructor(parts: SecretsParts | undefined, realm: Realm, windowName: string) {
    this.#parts = parts;
    this.#context = `window/${realmKey(realm)}/${windowName}`;
  }

  /** Throws `InvalidParameter` for a variable that is not set. */
  open(secret: SecretForm): string {
    const { cipher, environment } = this.#required();
    if (secret.kind === "plain") return secret.value;
    if (secret.kind === "sealed") return cipher.open(Buffer.from(secret.sealed, "base64"), this.#context).toString("utf8");
    const value = environment(secret.variable);
    if (value !== undefined && value !== "") return value;
    throw new LambentError("InvalidParameter", `The variable ${secret.variable} is not set in the environment of the server.`);
  }

  /** The definition as it may be kept. What is the same secret as in `known` stays as it is there, so that nothing has changed. */
  sealed(definition: ManagedWindow, known: ManagedWindow | undefined): ManagedWindow {
    const before = known ? [known.sinks, known.lateSinks, known.anomaly?.sinks ?? []].flat().flatMap(secretOf) : [];
    const keep = (secret: SecretForm): SecretForm => {
      if (secret.kind !== "plain") return secret;
      const { cipher } = this.#required();
      const same = before.find((each) => each.kind === "sealed" && this.open(each) === secret.value);
      return same ?? { kind: "sealed", sealed: cipher.seal(Buffer.from(secret.value), this.#context).toString("base64") };
    };
    const all = (sinks: readonly SinkForm[]): SinkForm[] =>
      sinks.map((sink) => (sink.kind === "postgres" ? { ...sink, url: keep(sink.url) } : sink));
    const { anomaly } = definition;
    return {
      ...{ ...definition, sinks: all(definition.sinks), lateSinks: all(definition.lateSinks) },
      anomaly: anomaly && { ...anomaly, sinks: all(anomaly.sinks) },
    };
  }

  #required(): SecretsParts {
    if (!this.#parts) throw new LambentError("NotImplemented", "This server keeps no secrets, so no sink can have one.");
    return this.#parts;
  }
}

function secretOf(sink: SinkForm): SecretForm[] {
  return sink.kind === "postgres" ? [sink.url] : [];
}
