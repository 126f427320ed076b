import { EmbedError } from "../errors.ts";
import { channelModes, interpolations } from "../preprocess/preprocess-spec.ts";
import type { ModelManifest, ModelSource } from "./model-manifest.ts";

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

// Model names and sources become file names, so nothing that could leave a folder is let in.
const manifestFields: Fields = {
  name: matching(/^[a-z0-9][a-z0-9_-]*$/, "a name of a-z, 0-9, _ and -"),
  description: text,
  identity: object,
  sources: list,
  outputLayer: text,
  preprocess: object,
  pooling: oneOf("avg", "max", "none"),
  normalisation: oneOf("l2"),
  precision: oneOf("fp32"),
  onnx: object,
  fingerprint: matching(/^sha256:[0-9a-f]{64}$/, '"sha256:" and 64 hexadecimal digits'),
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
    url: matching(/^https:\/\/\S+\/[A-Za-z0-9][A-Za-z0-9._-]*$/, "an https URL that ends in a file name"),
    format: oneOf("keras-h5"),
    md5: matching(/^[0-9a-f]{32}$/, "32 hexadecimal digits"),
    license: text,
  },
};

/**
 * Checks a parsed `models/<name>/manifest.json` field by field. Unknown fields are refused, so that a typing
 * error is found.
 * @throws EmbedError `CONFIG_INVALID`, naming the field
 */
export function parseModelManifest(json: unknown): ModelManifest {
  const manifest = checkFields(json, "", manifestFields);
  checkFields(manifest.identity, "identity", identityFields);
  checkFields(manifest.preprocess, "preprocess", preprocessFields);
  checkFields(manifest.onnx, "onnx", onnxFields);
  (manifest.sources as readonly unknown[]).forEach((source, index) => {
    const path = `sources[${index}]`;
    const { kind } = asObject(source, path);
    if (kind !== "npm" && kind !== "url") throw invalidField(`${path}.kind`, '"npm" or "url"', kind);
    checkFields(source, path, sourceFields[kind]);
  });
  return manifest as unknown as ModelManifest;
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
