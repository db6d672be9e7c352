/**
 * No item, one, or many. Ten thousand lists of one item each are most of what a large set of patterns would have in memory,
 * and every list on the way to an item is a place more that has to be fetched from it.
 */
export type Some<Item extends object> = Item | Many<Item> | undefined;

/** Items whose order means nothing. */
export class Many<Item> {
  readonly items: Item[];

  constructor(items: Item[]) {
    this.items = items;
  }
}

export function withItem<Item extends object>(some: Some<Item>, item: Item): Some<Item> {
  if (some === undefined) return item;
  if (!(some instanceof Many)) return new Many([some, item]);
  some.items.push(item);
  return some;
}

export function withoutItem<Item extends object>(some: Some<Item>, item: Item): Some<Item> {
  if (!(some instanceof Many)) return some === item ? undefined : some;
  const { items } = some;
  const at = items.indexOf(item);
  const last = items.at(-1);
  if (at < 0 || !last) return some;
  items[at] = last;
  items.pop();
  return items.length > 1 ? some : items[0];
}

export function countOf<Item extends object>(some: Some<Item>): number {
  return some instanceof Many ? some.items.length : some ? 1 : 0;
}

/** Puts the items behind `found`. */
export function collectSome<Item extends object>(some: Some<Item>, found: Item[]): void {
  if (some instanceof Many) for (const item of some.items) found.push(item);
  else if (some) found.push(some);
}
