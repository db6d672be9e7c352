/** For who imports it from TypeScript. */
export declare const handler: (event: {
  readonly data: readonly number[];
}) => Promise<{ readonly window: number; readonly averages: readonly number[] }>;
