import { expect, test } from "vitest";
import { EmbedError } from "../errors.ts";
import { createPictureLine, type Picture } from "./picture-line.ts";

const settled: string[] = [];
const picture = (name: string): Picture => ({
  bytes: new TextEncoder().encode(name),
  settle: (result) => void settled.push(`${name}: ${result.ok ? "ok" : result.error.message}`),
});
const namesOf = (pictures: readonly Picture[]) =>
  pictures.map(({ bytes }) => new TextDecoder().decode(bytes));

test("pictures come in their order; one that is tried again comes first, alone, and once", () => {
  const line = createPictureLine();
  const [a, b, c, d] = ["a", "b", "c", "d"].map(picture) as [Picture, Picture, Picture, Picture];
  for (const one of [a, b, c, d]) line.add(one);
  expect(namesOf(line.take(2))).toEqual(["a", "b"]);
  expect([line.retry(b), line.retry(a), line.size]).toEqual([true, true, 4]);
  expect(namesOf(line.take(32))).toEqual(["b"]);
  expect([line.retry(b), line.size]).toEqual([false, 3]);
  expect(namesOf(line.take(32))).toEqual(["a"]);
  expect(namesOf(line.take(32))).toEqual(["c", "d"]);
  expect(namesOf(line.take(32))).toEqual([]);
});

test("a picture whose caller has gone is neither taken nor tried again", () => {
  const line = createPictureLine();
  const [a, b] = ["a", "b"].map(picture) as [Picture, Picture];
  line.add(a);
  line.add(b);
  line.leave(a);
  expect(namesOf(line.take(1))).toEqual(["b"]);
  line.leave(b);
  expect([line.retry(b), line.size]).toEqual([false, 0]);
});

test("all that wait can be failed", () => {
  const line = createPictureLine();
  const [a, b] = ["a", "b"].map(picture) as [Picture, Picture];
  line.add(a);
  line.retry(b);
  line.failAll(new EmbedError("ENGINE_FAILED", "no worker"));
  expect([settled, line.size]).toEqual([["b: no worker", "a: no worker"], 0]);
});
