import { LambentError } from "../../../base/index.ts";

/** Where a broker is reached. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** `localhost:9092`, `[::1]:9092`. Throws `InvalidParameter`. */
export function addressOf(server: string): Address {
  const [, host = "", port = ""] = /^([^\s/@]{1,253}):(\d{1,5})$/u.exec(server) ?? [];
  if (host === "" || Number(port) < 1 || Number(port) > 65_535)
    throw new LambentError("InvalidParameter", `The Kafka endpoint ${server.slice(0, 200)} is none: it has the form host:port.`);
  return { host: host.replace(/^\[|\]$/gu, ""), port: Number(port) };
}
