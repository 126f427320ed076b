import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { EmbedError } from "../errors.ts";
import { parseModelDescription, parseModelManifest } from "./parse-model-manifest.ts";

const resnet50 = JSON.parse(
  readFileSync(new URL("../../models/resnet50/manifest.json", import.meta.url), "utf8"),
);

test("a sound manifest passes as it is", () => {
  expect(parseModelManifest(resnet50)).toEqual(resnet50);
});

const file = {
  kind: "file",
  file: "my model.keras",
  format: "keras-3",
  bytes: 12,
  sha256: "0".repeat(64),
};

test("a manifest of an imported model passes as it is", () => {
  const { variants: _, ...imported } = { ...resnet50, sources: [file] };
  expect(parseModelManifest(imported)).toEqual(imported);
});

test("a manifest may leave its facts to be found out, if all of them", () => {
  const { onnx: _onnx, fingerprint: _fingerprint, ...description } = resnet50;
  expect(parseModelDescription(description)).toEqual(description);
  expect(() => parseModelManifest(description)).toThrow(
    "model manifest, onnx: expected an object, got nothing",
  );
  expect(() => parseModelDescription({ ...description, fingerprint: resnet50.fingerprint })).toThrow(
    "model manifest, onnx: expected to be there if and only if fingerprint is, got nothing",
  );
});

describe("a broken manifest is refused, and the field is named", () => {
  const { description: _description, ...withoutDescription } = resnet50;
  const [npm, url] = resnet50.sources;
  const { fp16, int8 } = resnet50.variants;
  const withInt8 = (change: object) => ({ ...resnet50, variants: { fp16, int8: { ...int8, ...change } } });
  const accuracy = (change: object) => withInt8({ accuracy: { ...int8.accuracy, ...change } });
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
      'sources[1].kind: expected "npm", "url" or "file", got "ftp"',
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
      "an imported file in a folder",
      { ...resnet50, sources: [{ ...file, file: "../x.h5" }] },
      'sources[0].file: expected a file\'s name without a folder, got "../x.h5"',
    ],
    [
      "an imported file of an unknown format",
      { ...resnet50, sources: [{ ...file, format: "pickle" }] },
      'sources[0].format: expected "keras-3" or "keras-h5" or "keras-h5-weights" or "tfjs-layers" or "onnx", got "pickle"',
    ],
    [
      "a kind that every object has",
      { ...resnet50, sources: [{ ...url, kind: "constructor" }] },
      'sources[0].kind: expected "npm", "url" or "file", got "constructor"',
    ],
    ["a folder", { ...resnet50, folder: "/somewhere" }, 'folder: expected no such field, got "/somewhere"'],
    [
      "a topology in another folder",
      { ...resnet50, sources: [{ ...url, topology: "../x.json" }] },
      'sources[0].topology: expected the name of a .json file beside the manifest, got "../x.json"',
    ],
    [
      "a half dimension",
      { ...resnet50, identity: { ...resnet50.identity, dimension: 0.5 } },
      "identity.dimension: expected a whole number from 1, got 0.5",
    ],
    [
      "an unknown filter",
      { ...resnet50, preprocess: { ...resnet50.preprocess, interpolation: "cubic" } },
      'preprocess.interpolation: expected "nearest" or "bilinear" or "bicubic" or "hamming" or "box" or "lanczos", got "cubic"',
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
    ["a precision of its own", { ...resnet50, precision: "int8" }, 'precision: expected "fp32", got "int8"'],
    [
      "an accuracy of the model itself",
      { ...resnet50, accuracy: { minCosine: 0.98 } },
      'accuracy: expected no such field, got {"minCosine":0.98}',
    ],
    ["a list of variants", { ...resnet50, variants: [] }, "variants: expected an object, got []"],
    [
      "an unknown variant",
      { ...resnet50, variants: { int4: 1 } },
      "variants.int4: expected one of the variants fp16, int8, got 1",
    ],
    [
      "fp32 as a variant",
      { ...resnet50, variants: { fp32: 1 } },
      "variants.fp32: expected one of the variants fp16, int8, got 1",
    ],
    ["a variant that is none", withInt8({ onnx: 3 }), "variants.int8.onnx: expected an object, got 3"],
    [
      "a variant with a field too many",
      withInt8({ precision: "fp32" }),
      'variants.int8.precision: expected no such field, got "fp32"',
    ],
    [
      "a variant's short hash",
      withInt8({ onnx: { ...int8.onnx, sha256: "00" } }),
      'variants.int8.onnx.sha256: expected 64 hexadecimal digits, got "00"',
    ],
    [
      "a variant whose file is that of the model",
      withInt8({ onnx: resnet50.onnx }),
      `variants.int8.onnx.sha256: expected a hash of its own, got "${resnet50.onnx.sha256}"`,
    ],
    [
      "a variant whose vectors are to be taken for those of the model",
      withInt8({ fingerprint: resnet50.fingerprint }),
      `variants.int8.fingerprint: expected a fingerprint of its own, got "${resnet50.fingerprint}"`,
    ],
    [
      "two variants of one vector space",
      withInt8({ fingerprint: fp16.fingerprint }),
      `variants.int8.fingerprint: expected a fingerprint of its own, got "${fp16.fingerprint}"`,
    ],
    [
      "a variant without an accuracy",
      withInt8({ accuracy: undefined }),
      "variants.int8.accuracy: expected an object, got nothing",
    ],
    [
      "an accuracy that lets everything pass",
      accuracy({ minCosine: 0 }),
      "variants.int8.accuracy.minCosine: expected a cosine from 0.9 to below 1, got 0",
    ],
    [
      "an accuracy that lets nothing pass",
      accuracy({ photoMinCosine: 1 }),
      "variants.int8.accuracy.photoMinCosine: expected a cosine from 0.9 to below 1, got 1",
    ],
    [
      "an error of any size",
      accuracy({ maxAbsError: 2 }),
      "variants.int8.accuracy.maxAbsError: expected an error above 0 and below 0.1, got 2",
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
