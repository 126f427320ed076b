import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { writeForeignOnnx, writeHugeOnnx, writeMeanOnnx } from "../../../tools/foreign-onnx.ts";
import { makeStandIn } from "../../../tools/stand-in-keras.ts";
import { EmbedError } from "../../errors.ts";
import { findModelManifest } from "../model/model-catalog.ts";
import { readSelfCheck } from "../model/vector-golden.ts";
import { type ImportOptions, importModel } from "./import-model.ts";

const keras = fileURLToPath(new URL("../../../fixtures/golden/saved/twice.keras3.keras", import.meta.url));
let work: string;
let modelsDir: string;

beforeAll(async () => {
  work = await mkdtemp(join(tmpdir(), "portico-import-"));
  modelsDir = join(work, "models");
});
afterAll(() => rm(work, { recursive: true }));

async function importBytes(bytes: Uint8Array, options: Partial<ImportOptions> = {}) {
  const file = join(work, "model.onnx");
  await writeFile(file, bytes);
  return importModel({
    ...{ file, modelsDir, name: "own", wishes: { mode: "none" }, interpolation: "nearest" },
    ...options,
  });
}

async function failure(importing: Promise<unknown>): Promise<EmbedError> {
  const error = await importing.catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(EmbedError);
  expect(await readdir(modelsDir).catch(() => [])).toEqual([]);
  return error as EmbedError;
}

test("a file that wants more memory than its size may take is refused, and nothing is left", async () => {
  expect(await failure(importBytes(writeHugeOnnx()))).toMatchObject({
    reason: "ENGINE_FAILED",
    message: "self-check on ort-wasm, with 1024 MiB of memory: ort-wasm could not run a batch of 1",
  });
});

test("a model that does not look at its picture is refused", async () => {
  const bytes = writeForeignOnnx({
    input: ["N", 3, 2, 2],
    output: ["N", 3],
    nodes: [
      ["GlobalAveragePool", ["x"], "mean"],
      ["Sub", ["mean", "mean"], "zero"],
      ["Exp", ["zero"], "one"],
      ["Flatten", ["one"], "y"],
    ],
  });
  expect(await failure(importBytes(bytes))).toMatchObject({
    reason: "VECTOR_DRIFT",
    message:
      "self-check on ort-wasm, with 1024 MiB of memory: expected another vector for another picture, got the same 3 elements for photo/allium-oreophilum.jpg and photo/locomotion-house-cat.jpg; is this the right layer and the right --preprocess, and are the weights trained?",
  });
});

test("what only Keras can do is refused of an ONNX model", async () => {
  expect(await failure(importBytes(writeMeanOnnx("N"), { python: "python3" }))).toMatchObject({
    reason: "CONFIG_INVALID",
    message: "--golden goes with Keras's models; this is an ONNX model",
  });
});

test("code that Portico passes over is not given to Keras either", async () => {
  const layer = (className: string, name: string, config: object, from?: string) => ({
    ...{ class_name: className, name, config: { name, ...config } },
    inbound_nodes: from === undefined ? [] : [[[from, 0, 0, {}]]],
  });
  const layers = [
    layer("InputLayer", "in", { batch_input_shape: [null, 2, 2, 3] }),
    layer("GlobalAveragePooling2D", "mean", { data_format: "channels_last" }, "in"),
    layer("Lambda", "code", { function_type: "lambda" }, "mean"),
  ];
  const config = { name: "net", layers, input_layers: [["in", 0, 0]], output_layers: [["code", 0, 0]] };
  const modelTopology = { class_name: "Functional", config };
  const bytes = JSON.stringify({ format: "layers-model", modelTopology, weightsManifest: [] });
  const wishes = { mode: "none", outputLayer: "mean" } as const;
  const python = await makeStandIn("writeFileSync(__filename + '.ran', '');");
  expect(await failure(importBytes(Buffer.from(bytes), { wishes, python }))).toMatchObject({
    reason: "CONVERT_UNSUPPORTED_LAYER",
    message: `${join(work, "model.onnx")}: layer "code" (Lambda) may hold code, and Keras would run it; import it without --golden`,
  });
  expect(await readdir(dirname(python))).toEqual(["python3"]);
  await rm(dirname(python), { recursive: true });
  expect((await importBytes(Buffer.from(bytes), { wishes })).manifest.identity.dimension).toBe(3);
  await rm(modelsDir, { recursive: true });
});

test("whoever stops it gets nothing", async () => {
  const stop = new AbortController();
  const importing = importModel({
    ...{ file: keras, modelsDir, name: "own", wishes: { mode: "tf" }, interpolation: "nearest" },
    signal: stop.signal,
  });
  setTimeout(() => stop.abort(), 50);
  expect(await failure(importing)).toMatchObject({
    reason: "CANCELLED",
    message: "importing was stopped; nothing is left of it",
  });
});

test("an ONNX model that takes one picture at a time is imported, with a vector to be compared with", async () => {
  const { manifest, engines, why } = await importBytes(writeMeanOnnx(1));
  expect(manifest).toMatchObject({
    name: "own",
    description: "imported from model.onnx",
    identity: { name: "own", dimension: 3 },
    outputLayer: "y",
    preprocess: { width: 2, height: 2, interpolation: "nearest", mode: "none" },
    pooling: "none",
    folder: join(modelsDir, "own"),
  });
  expect(why).toMatchObject({ output: "the model's output", size: "of the model's input" });
  expect(engines[0]).toEqual({ engine: "ort-wasm", maxAbsError: 0 });
  const found = await findModelManifest("own", modelsDir);
  expect(found).toEqual(manifest);
  expect(await readSelfCheck(found)).toMatchObject({ reference: "import", tolerance: 1e-5 });
});
