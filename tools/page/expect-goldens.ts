import type { Locator, Page } from "playwright-core";
import { expect } from "vitest";
import { describePixelDifference, readGolden } from "../../fixtures/read-golden.ts";
import { compareVectors } from "../../src/embed/compare-vectors.ts";
import { readVectorGolden } from "../../src/node/model/vector-golden.ts";
import { readCanvas } from "./page-reader.ts";

/** Fails unless a vector is Keras's for this fixture, to its tolerance. */
export async function expectGoldenVector(vector: readonly number[], path: string): Promise<void> {
  const golden = await readVectorGolden(path);
  const { maxAbsError } = compareVectors(Float32Array.from(vector), golden.vector);
  expect(maxAbsError).toBeLessThanOrEqual(golden.tolerance);
}

/** Fails unless the canvas of a card has the pixels that Pillow gives for this fixture, byte for byte. */
export async function expectGoldenPixels(card: Locator, path: string): Promise<void> {
  const golden = readGolden("resized", path)?.results.find(
    ({ width, height, interpolation }) => width === 224 && height === 224 && interpolation === "nearest",
  );
  if (!golden) throw new Error(`${path} has no golden of 224 x 224 pixels`);
  expect(describePixelDifference(await readCanvas(card), golden)).toBeUndefined();
}

/** What is shown has three digits. */
const near = (cosine: number) => expect.closeTo(cosine, 2.9);

/** Fails unless table and pairs show the cosines of Keras's own vectors of these fixtures, the nearest pair first. */
export async function expectGoldenSimilarity(page: Page, paths: readonly string[]): Promise<void> {
  const goldens = await Promise.all(paths.map(async (path) => (await readVectorGolden(path)).vector));
  const names = paths.map((path) => path.split("/").at(-1) as string);
  const cosines = goldens.map((a) => goldens.map((b) => compareVectors(a, b).cosine));

  const table = page.getByRole("region", { name: "Each with each, cosine" }).getByRole("table");
  const rows = await table.locator("tbody tr").all();
  const cells = rows.map(async (row) => (await row.locator("td").allTextContents()).map(Number));
  expect(await Promise.all(cells)).toEqual(cosines.map((row) => row.map(near)));
  expect(await table.locator("tbody th").allTextContents()).toEqual(
    names.map((name, index) => `${index + 1} ${name}`),
  );

  const pairs = cosines
    .flatMap((row, i) =>
      row.slice(i + 1).map((cosine, j) => ({ cosine, text: `${names[i]} and ${names[i + 1 + j]}` })),
    )
    .sort((a, b) => b.cosine - a.cosine);
  const shown = await page.locator(".pairs li").all();
  const texts = shown.map((pair) => pair.locator("span").allTextContents());
  expect((await Promise.all(texts)).map(([cosine, text]) => ({ cosine: Number(cosine), text }))).toEqual(
    pairs.map(({ cosine, text }) => ({ cosine: near(cosine), text })),
  );
}
