/**
 * Maps a stream of items with at most `limit()` calls of `map` under way, and yields each result when it is
 * there. The next item is drawn only while there is room, so a slow consumer or a slow `map` holds the
 * producer back.
 * @param map must not reject
 */
export async function* mapAsFinished<Item, Result>(
  items: AsyncIterable<Item>,
  limit: () => number,
  map: (item: Item) => Promise<Result>,
): AsyncGenerator<Result> {
  const iterator = items[Symbol.asyncIterator]();
  const underWay = new Set<Promise<Finished<Item, Result>>>();
  let drawing: Promise<Finished<Item, Result>> | undefined = draw();

  function draw(): Promise<Finished<Item, Result>> {
    const drawn = iterator.next().then((next): Finished<Item, Result> => ({ kind: "drawn", next }));
    // Nobody may wait for it when it fails: while there is no room, or while a result is consumed. The next
    // race throws it; without this, it would end a process of Node before.
    drawn.catch(() => undefined);
    return drawn;
  }

  while (drawing || underWay.size > 0) {
    const hasRoom = underWay.size < limit();
    const finished = await Promise.race(drawing && hasRoom ? [drawing, ...underWay] : underWay);
    if (finished.kind === "mapped") {
      underWay.delete(finished.self());
      yield finished.result;
    } else if (finished.next.done) {
      drawing = undefined;
    } else {
      const mapped: Promise<Finished<Item, Result>> = map(finished.next.value).then((result) => ({
        kind: "mapped",
        result,
        self: () => mapped,
      }));
      underWay.add(mapped);
      drawing = draw();
    }
  }
}

type Finished<Item, Result> =
  | { readonly kind: "drawn"; readonly next: IteratorResult<Item> }
  | {
      readonly kind: "mapped";
      readonly result: Result;
      readonly self: () => Promise<Finished<Item, Result>>;
    };
