/** An enum is TypeScript's own: it cannot be stripped, only compiled. */
export enum Urgency {
  Calm = "calm",
  Soon = "soon",
}

export interface Order {
  readonly item: string;
  readonly count: number;
  readonly urgency: Urgency;
}

/** Checks what was read; the message names member and rule. */
export function orderOf(value: unknown): Order {
  const { item, count, urgency = Urgency.Calm } = (value ?? {}) as Partial<Order>;
  if (typeof item !== "string" || item === "") throw new RangeError("item has to be a text.");
  if (!Number.isInteger(count) || count === undefined || count < 1) throw new RangeError("count has to be a whole number from 1.");
  if (!Object.values(Urgency).includes(urgency)) throw new RangeError(`urgency has to be one of ${Object.values(Urgency).join(", ")}.`);
  return { item, count, urgency };
}
