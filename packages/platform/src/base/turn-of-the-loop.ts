/** Long work on this thread, and loading modules, keep it from everything else: what waits already gets its turn before more is done. */
export function turnOfTheLoop(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
