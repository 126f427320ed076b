/**
 * Maps items with at most `limit` calls of `map` under way; the next item is drawn only when one has ended,
 * so that what is not drawn yet costs nothing. Results are in the order of the items.
 * @param map must not reject
 */
export async function mapConcurrently<Item, Result>(
  items: readonly Item[],
  limit: number,
  map: (item: Item, index: number) => Promise<Result>,
): Promise<Result[]> {
  const results = new Array<Result>(items.length);
  const remaining = items.entries();
  async function drain(): Promise<void> {
    for (const [index, item] of remaining) results[index] = await map(item, index);
  }
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, drain));
  return results;
}
