import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { makePage } from "./write-page.ts";

test("docs/benchmarks.md, its charts, docs/networks.md and docs/sizes.md are what bench/results give", async () => {
  for (const [path, text] of Object.entries(await makePage())) {
    expect(readFileSync(new URL(`../${path}`, import.meta.url), "utf8"), path).toBe(text);
  }
});
