import { existsSync } from "node:fs";
import { expect, test } from "vitest";
import { packageFile } from "../src/node/package-file.ts";
import { longest, putLongestFirst } from "./longest-first.ts";

test("the files that take longest are there", () => {
  expect(longest.filter((path) => !existsSync(packageFile(path)))).toEqual([]);
});

test("they come first, the others keep their order", () => {
  const [first, second] = longest as [string, string];
  const files = ["src/b.spec.ts", second, "src/a.spec.ts", first].map((path) => ({ moduleId: `/x/${path}` }));
  expect(putLongestFirst(files).map(({ moduleId }) => moduleId)).toEqual([
    `/x/${first}`,
    `/x/${second}`,
    "/x/src/b.spec.ts",
    "/x/src/a.spec.ts",
  ]);
});
