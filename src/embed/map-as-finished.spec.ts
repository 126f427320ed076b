import { describe, expect, test } from "vitest";
import { mapAsFinished } from "./map-as-finished.ts";

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function* count(to: number, drawn: number[] = []): AsyncGenerator<number> {
  for (let item = 0; item < to; item++) {
    drawn.push(item);
    yield item;
  }
}

describe("mapAsFinished", () => {
  test.each([
    { items: 0, limit: 2 },
    { items: 1, limit: 2 },
    { items: 25, limit: 4 },
    { items: 3, limit: 1 },
  ])("$items items, at most $limit under way", async ({ items, limit }) => {
    let underWay = 0;
    const results: number[] = [];
    const mapped = mapAsFinished(
      count(items),
      () => limit,
      async (item) => {
        underWay += 1;
        expect(underWay).toBeLessThanOrEqual(limit);
        await sleep((item * 7) % 5);
        underWay -= 1;
        return item * 10;
      },
    );
    for await (const result of mapped) results.push(result);
    expect(results.sort((a, b) => a - b)).toEqual(Array.from({ length: items }, (_, index) => index * 10));
  });

  test("takes more or fewer at once as soon as the limit changes", async () => {
    const limits = [1, 1, 3, 3, 3, 2];
    let underWay = 0;
    let most = 0;
    const mapped = mapAsFinished(
      count(20),
      () => limits.shift() ?? 2,
      async () => {
        underWay += 1;
        most = Math.max(most, underWay);
        await sleep(2);
        underWay -= 1;
      },
    );
    for await (const _ of mapped);
    expect({ most, left: limits }).toEqual({ most: 3, left: [] });
  });

  test("yields what is finished first", async () => {
    const results: number[] = [];
    const mapped = mapAsFinished(
      count(3),
      () => 3,
      async (item) => {
        await sleep(30 - item * 14);
        return item;
      },
    );
    for await (const result of mapped) results.push(result);
    expect(results).toEqual([2, 1, 0]);
  });

  test("yields a result while the next item is still awaited", async () => {
    async function* slow(): AsyncGenerator<number> {
      yield 1;
      await sleep(10_000);
    }
    const mapped = mapAsFinished(
      slow(),
      () => 4,
      async (item) => item,
    );
    await expect(mapped.next()).resolves.toEqual({ done: false, value: 1 });
  });

  test("draws no further ahead than a slow consumer works", async () => {
    const drawn: number[] = [];
    const mapped = mapAsFinished(
      count(100, drawn),
      () => 3,
      async (item) => item,
    );
    await mapped.next();
    await sleep(20);
    expect(drawn.length).toBeLessThanOrEqual(4);
  });

  test("passes the producer's error on", async () => {
    async function* broken(): AsyncGenerator<number> {
      yield 1;
      throw new Error("broken off");
    }
    const mapped = mapAsFinished(
      broken(),
      () => 1,
      async (item) => item,
    );
    await expect(mapped.next()).resolves.toEqual({ done: false, value: 1 });
    await expect(mapped.next()).rejects.toThrow("broken off");
  });

  test.each([
    { name: "there is no room", mapMs: 30, consumeMs: 0 },
    { name: "a result is consumed", mapMs: 0, consumeMs: 30 },
  ])("keeps a producer's error that comes while $name", async ({ mapMs, consumeMs }) => {
    const unhandled: unknown[] = [];
    const onUnhandled = (error: unknown) => unhandled.push(error);
    process.on("unhandledRejection", onUnhandled);
    async function* broken(): AsyncGenerator<number> {
      yield 1;
      await sleep(5);
      throw new Error("broken off");
    }
    const mapped = mapAsFinished(
      broken(),
      () => 1,
      async (item) => {
        await sleep(mapMs);
        return item;
      },
    );
    await expect(mapped.next()).resolves.toEqual({ done: false, value: 1 });
    await sleep(consumeMs);
    await expect(mapped.next()).rejects.toThrow("broken off");
    process.off("unhandledRejection", onUnhandled);
    expect(unhandled).toEqual([]);
  });
});
