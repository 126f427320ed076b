import { expect, test } from "vitest";
import { EmbedError } from "../errors.ts";
import { createWorkBudget } from "./work-budget.ts";

test("a budget is four units a byte, a block for each stream, and something for small pictures", () => {
  const budget = createWorkBudget("tiff", 1000, 5000, 3);
  budget.spend(4 * 6000 + 3 * 512);
  budget.spend(2 ** 24);
  expect(() => budget.spend(1)).toThrow(
    new EmbedError(
      "IMAGE_UNSUPPORTED",
      "this kind of TIFF is not supported: 1000 bytes that take far more work than their 5000 bytes of pixels need",
    ),
  );
});
