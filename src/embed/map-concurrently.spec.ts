import { expect, test } from "vitest";
import { mapConcurrently } from "./map-concurrently.ts";

test.each([
  { items: 0, limit: 3, most: 0 },
  { items: 2, limit: 3, most: 2 },
  { items: 20, limit: 3, most: 3 },
  { items: 5, limit: 1, most: 1 },
])("$items items, at most $limit at once", async ({ items, limit, most }) => {
  let underWay = 0;
  let seen = 0;
  const results = await mapConcurrently(
    Array.from({ length: items }, (_, index) => index),
    limit,
    async (item) => {
      underWay += 1;
      seen = Math.max(seen, underWay);
      // Later items end sooner, so that an order kept by luck would show.
      await new Promise((resolve) => setTimeout(resolve, 5 + ((items - item) % 4)));
      underWay -= 1;
      return item * 10;
    },
  );
  expect(results).toEqual(Array.from({ length: items }, (_, index) => index * 10));
  expect(seen).toBe(most);
});
