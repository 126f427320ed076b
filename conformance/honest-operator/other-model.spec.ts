import { afterAll, beforeAll, expect, test } from "vitest";
import type { Parts } from "./honest-operator.ts";
import { serveGrpc } from "./serve-operator.ts";
import { openTestBench, type TestBench } from "./test-bench.ts";

let bench: TestBench;

/** An operator whose vectors are nobody's goldens: Keras's, with the elements in reverse. */
let other: Parts;

beforeAll(async () => {
  bench = await openTestBench("phantoscope");
  other = { ...bench.honest, embed: (bytes) => bench.honest.embed(bytes).reverse() };
});

afterAll(() => bench.close());

test("an operator with another model passes, and nothing is measured against Keras", async () => {
  const results = await bench.run(await serveGrpc(other), () => true);
  expect(results.filter(({ outcome }) => outcome === "failed")).toEqual([]);
  expect(results.filter(({ outcome }) => outcome === "passed").length).toBeGreaterThan(100);
  expect(results.some(({ maxAbs }) => maxAbs !== undefined)).toBe(false);
});

test("its batches in the wrong order are found by what it gave for single pictures", async () => {
  const parts: Parts = { ...other, reply: (vectors) => other.reply(vectors.toReversed()) };
  const results = await bench.run(await serveGrpc(parts), ({ testCase }) =>
    /^(photographs|request\/batch)/.test(testCase.name),
  );
  const failed = results.filter(({ outcome }) => outcome === "failed");
  expect(failed.map(({ name }) => name)).toEqual([
    "request/batch-in-order",
    "request/batch-in-reverse-order",
  ]);
  expect(failed[0]!.reason).toContain("it is the vector of photo/dust-bowl-home.jpg");
});
