import { systemClock } from "../base/index.ts";
import { EXIT_CODES } from "./errors.ts";

/**
 * One Ctrl-C reaches this process twice when npm started it: from the terminal, and passed on by npm. Signals as near
 * to the first as this are the same wish.
 */
const SAME_WISH_MS = 500;

/** Resolves at the first Ctrl-C, SIGTERM, or end of the terminal; a further one, later, ends the process at once. */
export function endAsked(): Promise<void> {
  return new Promise((resolve) => {
    let firstMs: number | undefined;
    const heard = (): void => {
      const nowMs = systemClock.monotonicMs();
      firstMs ??= nowMs;
      if (nowMs - firstMs > SAME_WISH_MS) process.exit(EXIT_CODES.interrupted);
      resolve();
    };
    process.on("SIGINT", heard);
    process.on("SIGTERM", heard);
    process.on("SIGHUP", heard);
  });
}
