import { expect, test } from "vitest";
import { tryItLine } from "./try-it-line.ts";

// serve.spec.ts pastes the line into a shell.
test("there is none where buf is not installed", () => {
  expect(tryItLine("http://127.0.0.1:52001", { buf: "/nowhere/buf" })).toBeUndefined();
});
