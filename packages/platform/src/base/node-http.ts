import type http from "node:http";
import type https from "node:https";

/**
 * `node:http` for the platform's own use, taken as `require` takes it.
 *
 * An ES import of `node:http` copies every export, and for that calls the getters of those that Node loads late: undici,
 * for a WebSocket nobody asked for, is 18 ms of a start and 5 MB of memory for as long as the server lives.
 */
export function nodeHttp(): typeof http {
  return process.getBuiltinModule("node:http");
}

/** `node:https` in the same way: TLS is loaded when something is first sent by it. */
export function nodeHttps(): typeof https {
  return process.getBuiltinModule("node:https");
}
