/** An error of the operating system, as `node:fs` throws it. */
export interface IoError extends Error {
  readonly code: string;
  /** `open`, `fsync`. */
  readonly syscall: string;
}

/** True for what a system call refused; such errors carry their errno's name. */
export function isIoError(error: unknown): error is IoError {
  return error instanceof Error && "syscall" in error && "code" in error && typeof error.code === "string";
}
