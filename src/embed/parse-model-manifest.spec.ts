import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { EmbedError } from "../errors.ts";
import { parseModelManifest } from "./parse-model-manifest.ts";

const resnet50 = JSON.parse(
  readFileSync(new URL("../../models/resnet50/manifest.json", import.meta.url), "utf8"),
);

test("a sound manifest passes as it is", () => {
  expect(parseModelManifest(resnet50)).toEqual(resnet50);
});

describe("a broken manifest is refused, and the field is named", () => {
  const { description: _description, ...withoutDescription } = resnet50;
  const [npm, url] = resnet50.sources;
  test.each([
    ["a list", [], "the whole: expected an object, got []"],
    ["null", null, "the whole: expected an object, got null"],
    ["a missing field", withoutDescription, "description: expected a text that is not empty, got nothing"],
    ["a field too many", { ...resnet50, pooing: "avg" }, 'pooing: expected no such field, got "avg"'],
    [
      "a name that leaves its folder",
      { ...resnet50, name: "../x" },
      'name: expected a name of a-z, 0-9, _ and -, got "../x"',
    ],
    ["no source", { ...resnet50, sources: [] }, "sources: expected a list that is not empty, got []"],
    [
      "an unknown kind of source",
      { ...resnet50, sources: [npm, { ...url, kind: "ftp" }] },
      'sources[1].kind: expected "npm" or "url", got "ftp"',
    ],
    [
      "a short hash",
      { ...resnet50, sources: [{ ...npm, integrity: "sha512-AAAA" }] },
      'sources[0].integrity: expected "sha512-" and 64 bytes of base64, got "sha512-AAAA"',
    ],
    [
      "a range for a version",
      { ...resnet50, sources: [{ ...npm, version: "^1.0.4" }] },
      'sources[0].version: expected an exact version, got "^1.0.4"',
    ],
    [
      "a plain http source",
      { ...resnet50, sources: [{ ...url, url: "http://example.org/x.h5" }] },
      'sources[0].url: expected an https URL that ends in a file name, got "http://example.org/x.h5"',
    ],
    [
      "a half dimension",
      { ...resnet50, identity: { ...resnet50.identity, dimension: 0.5 } },
      "identity.dimension: expected a whole number from 1, got 0.5",
    ],
    [
      "an unknown filter",
      { ...resnet50, preprocess: { ...resnet50.preprocess, interpolation: "cubic" } },
      'preprocess.interpolation: expected "nearest" or "bilinear" or "bicubic" or "box" or "lanczos", got "cubic"',
    ],
    [
      "a hash in capitals",
      { ...resnet50, onnx: { ...resnet50.onnx, sha256: "A".repeat(64) } },
      `onnx.sha256: expected 64 hexadecimal digits, got "${"A".repeat(64)}"`,
    ],
    [
      "a fingerprint without its kind",
      { ...resnet50, fingerprint: "0".repeat(64) },
      `fingerprint: expected "sha256:" and 64 hexadecimal digits, got "${"0".repeat(64)}"`,
    ],
  ])("%s", (_what, json, message) => {
    let error: unknown;
    try {
      parseModelManifest(json);
    } catch (caught) {
      error = caught;
    }
    expect(error).toBeInstanceOf(EmbedError);
    expect((error as EmbedError).reason).toBe("CONFIG_INVALID");
    expect((error as EmbedError).message).toBe(`model manifest, ${message}`);
  });
});
