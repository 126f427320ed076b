/**
 * Results in the order of `items`, each as soon as it and all before it are there, with at most `ahead` items
 * under way.
 * @throws what `map` rejects with, when the turn of that item comes
 */
export async function* mapInOrder<Item, Result>(
  items: Iterable<Item>,
  ahead: number,
  map: (item: Item) => Promise<Result>,
): AsyncGenerator<Result, void> {
  const underWay: Promise<Result>[] = [];
  for (const item of items) {
    const result = map(item);
    // A failure waits for its turn; until then Node would take it for one that nobody handles.
    result.catch(() => undefined);
    underWay.push(result);
    if (underWay.length >= ahead) yield await (underWay.shift() as Promise<Result>);
  }
  for (const result of underWay) yield await result;
}
