import type http from "node:http";

/**
 * `node:http` for the platform's own use, taken as `require` takes it.
 *
 * An ES import of `node:http` copies every export, and for that calls the getters of those that Node loads late: undici,
 * for a WebSocket nobody asked for, is 18 ms of a start and 5 MB of memory for as long as the server lives.
 */
export function nodeHttp(): typeof http {
  return process.getBuiltinModule("node:http");
}
