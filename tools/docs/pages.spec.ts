import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { apiPage } from "./api-page.ts";
import { errorsPage } from "./errors-page.ts";

test.each([
  { page: "docs/api.md", text: apiPage },
  { page: "docs/errors.md", text: errorsPage },
])("$page is what npm run generate writes", ({ page, text }) => {
  expect(readFileSync(new URL(`../../${page}`, import.meta.url), "utf8")).toBe(text());
});
