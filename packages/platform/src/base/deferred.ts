/** A promise and the two functions that settle it; settling twice does nothing. */
export interface Deferred<T> {
  readonly promise: Promise<T>;
  resolve(value: T): void;
  reject(error: unknown): void;
}

/** A promise that is settled from outside, by whoever holds the functions beside it. */
export function deferred<T>(): Deferred<T> {
  return Promise.withResolvers<T>();
}
