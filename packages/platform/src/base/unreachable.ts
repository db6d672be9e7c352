/**
 * For bugs only: a state the code proves impossible. The one place that throws a plain `Error`,
 * because nobody is meant to catch it by code.
 */
export function unreachable(what: never | string): never {
  throw new Error(`unreachable: ${String(what)}`);
}

/** Fails as a bug when `condition` is false; never for what a user or a peer can cause. */
export function invariant(condition: unknown, what: string): asserts condition {
  if (!condition) throw new Error(`invariant broken: ${what}`);
}
