import { expect, test } from "vitest";
import { type LicenseChoice, npmPurl, toHash, toLicenses } from "./component.ts";

test.each<[string | undefined, LicenseChoice[]]>([
  ["MIT", [{ license: { id: "MIT" } }]],
  ["BSD-3-Clause", [{ license: { id: "BSD-3-Clause" } }]],
  ["(Apache-2.0 AND BSD-3-Clause)", [{ expression: "(Apache-2.0 AND BSD-3-Clause)" }]],
  ["SEE LICENSE IN LICENSE.txt", [{ license: { name: "SEE LICENSE IN LICENSE.txt" } }]],
  ["", []],
  [undefined, []],
])("licence %s", (text, choices) => {
  expect(toLicenses(text)).toEqual(choices);
});

test("a purl has the @ of a scope encoded", () => {
  expect(npmPurl("@connectrpc/connect", "2.2.0")).toBe("pkg:npm/%40connectrpc/connect@2.2.0");
});

test("an integrity is base64 in npm and hexadecimal in CycloneDX", () => {
  expect(toHash("sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=")).toEqual({
    alg: "SHA-1",
    content: "da39a3ee5e6b4b0d3255bfef95601890afd80709",
  });
  expect(() => toHash("md5-abc")).toThrow("expected an integrity of SHA-1 or SHA-512, got md5-abc");
});
