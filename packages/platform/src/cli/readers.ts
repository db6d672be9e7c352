import { EXIT_CODES } from "./exit-codes.ts";

/** What becomes of a command when whoever reads what it prints has left: `| head`, a pager that was closed, a full disk. */

const ignore = (): void => undefined;

/** As for a program that the kernel ends by SIGPIPE: nobody is there to be told anything. */
function end(error: NodeJS.ErrnoException): void {
  if (error.code === "EPIPE") process.exit(EXIT_CODES.readerGone);
  process.stderr.write(`lambent: standard output cannot be written: ${error.code ?? error.message}.\n  Give it somewhere with room.\n`);
  process.exit(EXIT_CODES.failed);
}

/** The command ends with the reader of its results; without one of its remarks it goes on. */
export function endWithReader(): void {
  process.stdout.on("error", end);
  process.stderr.on("error", ignore);
}

/**
 * Goes on without any reader: for the server, that is no reason to end, least of all in the middle of a drain, where
 * processes and mounts would be left behind.
 */
export function outliveReaders(): void {
  process.stdout.off("error", end);
  process.stdout.on("error", ignore);
}
