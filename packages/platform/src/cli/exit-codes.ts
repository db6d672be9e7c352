/** Exit codes of the command line; `docs/cli.md` shows the same table and a test compares both. */
export const EXIT_CODES = {
  done: 0,
  failed: 1,
  usage: 2,
  unreachable: 3,
  refused: 4,
  notFound: 5,
  tryAgain: 6,
  functionFailed: 7,
  interrupted: 130,
  readerGone: 141,
} as const;

export type ExitName = keyof typeof EXIT_CODES;
