import { expect, test } from "vitest";
import { knownPath } from "./known-path.ts";

test.each([
  ["/", "/"],
  ["/?a=b", "/"],
  ["/livez", "/livez"],
  ["/readyz?verbose", "/readyz"],
  ["/metrics", "/metrics"],
  ["/metrics/", undefined],
  ["/METRICS", undefined],
  ["//", undefined],
  ["/secret", undefined],
  ["/index.html?a", "/index.html"],
  ["/service-worker.js", "/service-worker.js"],
  ["/LICENSES.txt", "/LICENSES.txt"],
  ["/assets/secret?a=b", "/assets/"],
  ["/models/secret", "/models/"],
  ["/assets", undefined],
  ["*", undefined],
  ["", undefined],
  [undefined, undefined],
])("knownPath(%j) is %j", (target, path) => {
  expect(knownPath(target)).toBe(path);
});
