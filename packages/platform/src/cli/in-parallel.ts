/**
 * Does `work` for each of `items`, at most `atOnce` at a time, taking an item only when one may begin. The first failure begins nothing further,
 * and is thrown once what was under way has ended.
 */
export async function inParallel<Item>(
  items: Iterable<Item> | AsyncIterable<Item>,
  atOnce: number,
  work: (item: Item) => Promise<void>,
): Promise<void> {
  const under = new Set<Promise<void>>();
  const failures: unknown[] = [];
  try {
    for await (const item of items) {
      const one: Promise<void> = work(item)
        .catch((error: unknown) => void failures.push(error))
        .finally(() => under.delete(one));
      under.add(one);
      if (under.size >= atOnce) await Promise.race(under);
      if (failures.length > 0) break;
    }
  } finally {
    await Promise.all(under);
  }
  if (failures.length > 0) throw failures[0];
}
