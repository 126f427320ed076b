import { expect, test } from "vitest";
import { choosePictures } from "./choose-pictures.ts";
import { pictureBytesMax, picturesMax } from "./state/page-state.ts";

const file = (name: string, size = 1): File => ({ name, size }) as File;
const many = (count: number) => Array.from({ length: count }, (_, index) => file(`${index}.png`));

test("files are taken in their order", () => {
  const files = many(3);
  expect(choosePictures(files, 0)).toEqual({ pictures: files.map((one) => ({ file: one })), notice: "" });
});

test("a file that is too large is shown with the reason, and never read", () => {
  const { pictures, notice } = choosePictures(
    [file("a", pictureBytesMax), file("b", pictureBytesMax + 600_000)],
    0,
  );
  expect(notice).toBe("");
  expect(pictures.map(({ refusal }) => refusal)).toEqual([
    undefined,
    { reason: "SOURCE_TOO_LARGE", message: "expected a file of at most 100 MB, got 101 MB" },
  ]);
});

test.each([
  { held: 0, chosen: picturesMax, taken: picturesMax, notice: "" },
  { held: picturesMax - 1, chosen: 1, taken: 1, notice: "" },
  {
    ...{ held: picturesMax - 1, chosen: 3, taken: 1 },
    notice: "This page holds 200 pictures at most; 2 of 3 were left out. Remove some to make room.",
  },
  {
    ...{ held: picturesMax, chosen: 1, taken: 0 },
    notice: "This page holds 200 pictures at most; 1 of 1 were left out. Remove some to make room.",
  },
])("with $held held and $chosen chosen, $taken are taken", ({ held, chosen, taken, notice }) => {
  const result = choosePictures(many(chosen), held);
  expect(result.pictures).toHaveLength(taken);
  expect(result.notice).toBe(notice);
});
