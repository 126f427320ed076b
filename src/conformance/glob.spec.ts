import { expect, test } from "vitest";
import { globToRegExp } from "./glob.ts";

test.each([
  ["errors/*", "errors/html-page", true],
  ["errors/*", "urls/errors/html-page", false],
  ["*@grpc", "errors/html-page@grpc", true],
  ["*@grpc", "errors/html-page@grpc-web", false],
  ["urls/*-is-*", "urls/too-large-is-announced", true],
  ["urls/a.c", "urls/abc", false],
  ["a+(b)[c]", "a+(b)[c]", true],
  ["", "", true],
])("%s against %s: %s", (pattern, text, matches) => {
  expect(globToRegExp(pattern).test(text)).toBe(matches);
});
