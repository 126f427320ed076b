import { describe, expect, test } from "vitest";
import { firstRow, groupRows, shareOf, sliceGroups } from "./row-groups.ts";

describe.each([5, 6] as const)("groups of %i first", (preferred) => {
  test("cover all rows, and as few more as can be", () => {
    for (let count = 1; count <= 300; count++) {
      const groups = groupRows(count, preferred);
      const rows = groups.sixes * 6 + groups.fives * 5;
      const isSum = Array.from({ length: 60 }, (_, fives) => count - 5 * fives).some(
        (rest) => rest >= 0 && rest % 6 === 0,
      );
      expect(rows - count, String(count)).toBeGreaterThanOrEqual(0);
      expect(rows - count, String(count)).toBeLessThanOrEqual(isSum ? 0 : 5);
    }
  });

  test("slices begin where the one before ends", () => {
    for (let count = 1; count <= 100; count++) {
      const groups = groupRows(count, preferred);
      const total = groups.sixes + groups.fives;
      let row = 0;
      for (let group = 0; group < total; group += 2) {
        const slice = sliceGroups(groups, group, Math.min(total, group + 2));
        expect(firstRow(groups, group)).toBe(row);
        row += slice.sixes * 6 + slice.fives * 5;
      }
      expect(row).toBe(groups.sixes * 6 + groups.fives * 5);
    }
  });
});

test("shares of a range are even and leave nothing out", () => {
  expect([0, 1, 2].map((part) => shareOf(10, part, 3))).toEqual([
    [0, 3],
    [3, 6],
    [6, 10],
  ]);
});
