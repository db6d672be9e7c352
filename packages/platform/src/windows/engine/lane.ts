/** What a window puts out, by kind: each kind has an order and sinks of its own. */
export const LANES = ["results", "anomalies", "late", "setAside"] as const;

export type Lane = (typeof LANES)[number];

/** Something of each lane. */
export type PerLane<T> = Readonly<Record<Lane, T>>;

export function perLane<T>(of: (lane: Lane) => T): Record<Lane, T> {
  return { results: of("results"), anomalies: of("anomalies"), late: of("late"), setAside: of("setAside") };
}
