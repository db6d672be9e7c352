/** Loading modules keeps this thread from everything else: what waits already gets its turn before more is loaded. */
export function turnOfTheLoop(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
