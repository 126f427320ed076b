import { invalidModel } from "./convert-error.ts";
import { type KerasWeights, splitWeightName } from "./keras-format/keras-model.ts";

/** An incremental SHA-256, injected: the core has none of its own, and Web Crypto's wants all bytes at once. */
interface Sha256 {
  update(bytes: Uint8Array): void;
  /** 32 bytes; nothing may follow. */
  digest(): Uint8Array;
}

/** What decides, beside the weights, where a picture lies in the vector space. */
export interface VectorSpaceSettings {
  readonly preprocess: object;
  readonly pooling: string;
  readonly normalisation: string;
  /** "fp32", "fp16", or "int8 " and the SHA-256 of the ranges' canonical JSON: other ranges give other vectors. */
  readonly precision: string;
  /**
   * SHA-256, in hexadecimal, of what the network does with its weights (`describeNetwork`). Left out for `resnet50`, whose
   * fingerprint is older.
   */
  readonly network?: string;
}

/**
 * Names a vector space: `sha256:` and 64 hexadecimal digits. Weights read from another file format have the
 * same layers, variables, shapes and values, so they give the same name.
 *
 * The hashed bytes, with every whole number as unsigned 32-bit little-endian:
 *
 *     count of tensors
 *     for each tensor, sorted by the UTF-8 bytes of "layer/variable":
 *       length and UTF-8 bytes of the layer's name
 *       length and UTF-8 bytes of the variable's name
 *       rank, then each dimension
 *       the values, float32 little-endian, in C order; the shape says how many
 *     length and UTF-8 bytes of the canonical JSON of
 *       {"network", "normalisation", "pooling", "precision", "preprocess": {"height", "interpolation", "mode", "width"}},
 *       without "network" where there is none
 *
 * Canonical JSON: keys sorted by UTF-16 code unit at every depth, no white space, otherwise as
 * `JSON.stringify` writes it.
 *
 * @param used names (`layer/variable`) of the weights that the output depends on, in any order
 * @throws EmbedError `CONVERT_INVALID` if one of them is not there
 */
export function fingerprintVectorSpace(
  weights: KerasWeights,
  used: readonly string[],
  settings: VectorSpaceSettings,
  sha256: Sha256,
): string {
  sha256.update(encodeCounts([used.length]));
  for (const name of used.toSorted(compareUtf8)) {
    const weight = weights.get(name);
    if (!weight) throw invalidModel(`weight "${name}" is missing`);
    const { layer, variable } = splitWeightName(name);
    sha256.update(encodeText(layer));
    sha256.update(encodeText(variable));
    sha256.update(encodeCounts([weight.shape.length, ...weight.shape]));
    const { buffer, byteOffset, byteLength } = weight.data;
    // Every host of Portico is little-endian, so memory holds the bytes as they are hashed.
    sha256.update(new Uint8Array(buffer, byteOffset, byteLength));
  }
  return finish(settings, sha256);
}

/**
 * Names the vector space of a model that comes as ONNX, where the nodes decide as much as the weights: one tensor of no
 * layer, the variable `onnx`, of rank 1, whose values are the file's bytes as they are.
 * @param bytes the file as it was given, before anything was added
 */
export function fingerprintOnnx(bytes: Uint8Array, settings: VectorSpaceSettings, sha256: Sha256): string {
  sha256.update(encodeCounts([1]));
  sha256.update(encodeText(""));
  sha256.update(encodeText("onnx"));
  sha256.update(encodeCounts([1, bytes.length]));
  sha256.update(bytes);
  return finish(settings, sha256);
}

function finish(
  { network, normalisation, pooling, precision, preprocess }: VectorSpaceSettings,
  sha256: Sha256,
): string {
  sha256.update(encodeText(canonicalJson({ network, normalisation, pooling, precision, preprocess })));
  return `sha256:${encodeHex(sha256.digest())}`;
}

/** Sorted keys, no white space: one text for one value. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === "object" && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}

function encodeCounts(values: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(values.length * 4);
  const view = new DataView(bytes.buffer);
  values.forEach((value, i) => {
    view.setUint32(i * 4, value, true);
  });
  return bytes;
}

function encodeText(text: string): Uint8Array {
  const bytes = new TextEncoder().encode(text);
  const record = new Uint8Array(4 + bytes.length);
  record.set(encodeCounts([bytes.length]));
  record.set(bytes, 4);
  return record;
}

function encodeHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** By UTF-8 bytes, which is by code point: a locale must not decide. */
function compareUtf8(a: string, b: string): number {
  const [left, right] = [[...a], [...b]];
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    const difference = left[i]!.codePointAt(0)! - right[i]!.codePointAt(0)!;
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}
