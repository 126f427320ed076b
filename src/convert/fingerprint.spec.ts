import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { EmbedError } from "../errors.ts";
import {
  canonicalJson,
  fingerprintOnnx,
  fingerprintVectorSpace,
  type VectorSpaceSettings,
} from "./fingerprint.ts";
import type { KerasWeights } from "./keras-format/keras-model.ts";

const settings: VectorSpaceSettings = {
  preprocess: { width: 224, height: 224, interpolation: "nearest", mode: "caffe" },
  pooling: "avg",
  normalisation: "l2",
  precision: "fp32",
};

const weights: KerasWeights = new Map([
  ["conv/kernel", { shape: [1, 1, 1, 2], data: Float32Array.of(1, -2) }],
  ["conv/bias", { shape: [2], data: Float32Array.of(0.5, 0) }],
  ["block/conv/kernel", { shape: [], data: Float32Array.of(3) }],
  ["fc/kernel", { shape: [1], data: Float32Array.of(9) }],
]);
const used = ["conv/kernel", "conv/bias", "block/conv/kernel"];

function sha256() {
  const hash = createHash("sha256");
  return { update: (bytes: Uint8Array) => void hash.update(bytes), digest: () => hash.digest() };
}

const fingerprint = (
  ...[w = weights, u = used, s = settings]: [KerasWeights?, string[]?, VectorSpaceSettings?]
) => fingerprintVectorSpace(w, u, s, sha256());

const u32 = (...values: number[]) => Buffer.from(new Uint32Array(values).buffer);
const f32 = (...values: number[]) => Buffer.from(new Float32Array(values).buffer);
const text = (value: string) => Buffer.concat([u32(Buffer.byteLength(value)), Buffer.from(value)]);
const json =
  '{"normalisation":"l2","pooling":"avg","precision":"fp32","preprocess":{"height":224,"interpolation":"nearest","mode":"caffe","width":224}}';

/** The same record, written out by hand after the docstring. */
function handwritten(): string {
  const bytes = Buffer.concat([
    u32(3),
    ...[text("block/conv"), text("kernel"), u32(0), f32(3)],
    ...[text("conv"), text("bias"), u32(1, 2), f32(0.5, 0)],
    ...[text("conv"), text("kernel"), u32(4, 1, 1, 1, 2), f32(1, -2)],
    text(json),
  ]);
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}

test("the bytes are laid out as the docstring says", () => {
  expect(fingerprint()).toBe(handwritten());
});

test("an ONNX file is one tensor: its bytes", () => {
  const file = Buffer.from("any bytes");
  const bytes = Buffer.concat([u32(1), text(""), text("onnx"), u32(1, file.length), file, text(json)]);
  expect(fingerprintOnnx(file, settings, sha256())).toBe(
    `sha256:${createHash("sha256").update(bytes).digest("hex")}`,
  );
});

test("neither the order of weights, of names nor of settings matters, nor a weight that is not used", () => {
  const reordered = new Map([...weights].reverse());
  reordered.delete("fc/kernel");
  const preprocess = { mode: "caffe", interpolation: "nearest", height: 224, width: 224 };
  expect(fingerprint(reordered, used.toReversed(), { ...settings, preprocess })).toBe(fingerprint());
});

describe("everything else does", () => {
  const change = (name: string, weight: { shape: number[]; data: Float32Array }) =>
    new Map(weights).set(name, weight);
  test.each<[string, () => string]>([
    ["a value", () => fingerprint(change("conv/bias", { shape: [2], data: Float32Array.of(0.5, -0) }))],
    ["a shape", () => fingerprint(change("conv/bias", { shape: [1, 2], data: Float32Array.of(0.5, 0) }))],
    ["a weight less", () => fingerprint(weights, used.slice(1))],
    ["a setting", () => fingerprint(weights, used, { ...settings, precision: "int8" })],
    ["a preprocessing", () => fingerprint(weights, used, { ...settings, preprocess: { width: 1 } })],
  ])("%s", (_what, make) => {
    expect(make()).not.toBe(fingerprint());
  });
});

test("a weight that is not there", () => {
  expect(() => fingerprint(weights, ["conv/gamma"])).toThrow(
    new EmbedError("CONVERT_INVALID", 'weight "conv/gamma" is missing'),
  );
});

test("canonical JSON sorts keys at every depth and adds no space", () => {
  expect(canonicalJson({ b: [1, { d: 1, c: "x" }], a: null })).toBe('{"a":null,"b":[1,{"c":"x","d":1}]}');
});
