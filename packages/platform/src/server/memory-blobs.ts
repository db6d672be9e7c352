import { createHash } from "node:crypto";
import type { Blobs } from "../storage/index.ts";

/** Bodies of a server without a data folder: gone with the process. */
export function openMemoryBlobs(): Blobs {
  const bodies = new Map<string, Buffer>();
  return {
    async put(source) {
      const body = source instanceof Uint8Array ? Buffer.from(source) : Buffer.concat(await Array.fromAsync(source));
      const digest = createHash("sha256").update(body).digest("hex");
      bodies.set(digest, body);
      return { digest, bytes: body.length };
    },
    has: (digest) => Promise.resolve(bodies.has(digest)),
    get: (digest) => Promise.resolve(bodies.get(digest)),
    delete: (digest) => {
      bodies.delete(digest);
      return Promise.resolve();
    },
  };
}
