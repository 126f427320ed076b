import { expect, test } from "vitest";
import { isSafeWeightsUrl } from "./weights-url.ts";

test.each([
  ["https://example.org/a.h5", true],
  ["http://127.0.0.1:8080/a.h5", true],
  ["http://127.9.9.9/a.h5", true],
  ["http://[::1]:8080/a.h5", true],
  ["http://example.org/a.h5", false],
  ["http://127.0.0.1.example.org/a.h5", false],
  ["http://user@example.org:127/a.h5", false],
  ["ftp://127.0.0.1/a.h5", false],
  ["file:///etc/passwd", false],
  ["a.h5", false],
])("%s: %s", (url, isSafe) => {
  expect(isSafeWeightsUrl(url)).toBe(isSafe);
});
