import { mkdtemp, readFile, rm, symlink, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { writeZip } from "../../../tools/write-zip.ts";
import { EmbedError } from "../../errors.ts";
import { type ImportFileOptions, importInThread } from "./import-in-thread.ts";
import type { ImportedFile } from "./import-job.ts";

const saved = fileURLToPath(new URL("../../../fixtures/golden/saved/", import.meta.url));
let work: string;
/** The model that others are compared with. */
let one: ImportedFile;
let onnx: Uint8Array;

beforeAll(async () => {
  work = await mkdtemp(join(tmpdir(), "portico-import-"));
  one = await importSaved("twice.keras2.h5");
  ({ onnx } = one);
  await writeFile(join(work, "model.onnx"), onnx);
});
afterAll(() => rm(work, { recursive: true }));

function importSaved(file: string, options: Partial<ImportFileOptions> = {}) {
  return importInThread({
    file: join(saved, file),
    wishes: { mode: "tf" },
    interpolation: "bilinear",
    ...options,
  });
}

async function failure(importing: Promise<unknown>): Promise<{ reason: string; message: string }> {
  const error = await importing.catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(EmbedError);
  const { reason, message } = error as EmbedError;
  return { reason, message };
}

describe("a model is the same, whatever file it comes from", () => {
  test.each<[string, string, string?]>([
    ["keras-3", "twice.keras3.keras"],
    ["keras-h5-weights", "twice.keras2.notop.h5", "twice.keras2.topology.json"],
    ["keras-h5-weights", "twice.keras3.weights.h5", "twice.keras3.topology.json"],
    ["tfjs-layers", "twice.tfjs.json"],
  ])("%s: %s", async (format, file, topology) => {
    const options = topology === undefined ? {} : { topology: join(saved, topology) };
    const { source, ...model } = await importSaved(file, options);
    expect(source).toMatchObject({ kind: "file", file, format });
    const { source: _, ...expected } = one;
    expect(model).toEqual(expected);
  });

  test("but not by its name", async () => {
    const link = join(work, "twice.onnx");
    await symlink(join(saved, "twice.keras3.keras"), link);
    const { source } = await importInThread({ file: link, wishes: { mode: "tf" }, interpolation: "nearest" });
    expect(source).toMatchObject({ file: "twice.onnx", format: "keras-3" });
  });
});

test("what makes a vector is in the fingerprint", async () => {
  const names = await Promise.all([
    one,
    importSaved("twice.keras2.h5", { wishes: { mode: "caffe" } }),
    importSaved("twice.keras2.h5", { interpolation: "nearest" }),
    importSaved("twice.keras2.h5", { wishes: { mode: "tf", outputLayer: "add", pooling: "max" } }),
  ]);
  expect(new Set(names.map(({ fingerprint }) => fingerprint)).size).toBe(4);
});

test("so is what the network does with its weights, be their names and shapes the same", async () => {
  const topology = JSON.parse(await readFile(join(saved, "convolutions.keras2.topology.json"), "utf8"));
  const activation = topology.config.layers.find((layer: { name?: string }) => layer.name === "act");
  const importAs = async (name: string) => {
    activation.config.activation = name;
    const path = join(work, `${name}.json`);
    await writeFile(path, JSON.stringify(topology));
    return importSaved("convolutions.keras2.notop.h5", { topology: path });
  };
  const [relu, tanh] = [await importAs("relu"), await importAs("tanh")];
  const whole = await importSaved("convolutions.keras3.keras", {});
  expect(tanh.fingerprint).not.toBe(relu.fingerprint);
  expect(relu.fingerprint).toBe(whole.fingerprint);
});

test("an ONNX model is taken as it is", async () => {
  const imported = await importInThread({
    file: join(work, "model.onnx"),
    wishes: { mode: "torch" },
    interpolation: "lanczos",
  });
  expect(imported).toMatchObject({
    source: { kind: "file", file: "model.onnx", format: "onnx", bytes: onnx.length },
    preprocess: { width: 4, height: 4, interpolation: "lanczos", mode: "torch" },
    dimension: 3,
    pooling: "none",
    why: { size: "of the model's input", mode: "asked for", pooling: "the output is a vector" },
  });
});

describe("an ONNX model is refused", () => {
  test.each<[string, Partial<ImportFileOptions>, string]>([
    [
      "without a mode",
      { wishes: {} },
      "an ONNX model does not say how its pictures are scaled; say it with --preprocess caffe, tf, torch or none",
    ],
    [
      "with a topology",
      { topology: "x.json" },
      "--topology goes with weights in HDF5; this is an ONNX model",
    ],
    [
      "with an output layer",
      { wishes: { mode: "tf", outputLayer: "conv" } },
      "--output-layer goes with Keras's models; this is an ONNX model",
    ],
  ])("%s", async (_, options, message) => {
    const file = join(work, "model.onnx");
    const error = await failure(importSaved("", { file, ...options }));
    expect(error).toEqual({ reason: "CONFIG_INVALID", message: `${file}: ${message}` });
  });
});

describe("a hostile file is refused", () => {
  const config = async () => readFile(join(saved, "twice.keras3.topology.json"));
  const many = 50_000_000;
  const files: Readonly<Record<string, () => Promise<Uint8Array>>> = {
    text: async () => Buffer.from("# Not a model\n"),
    "cut.h5": async () => (await readFile(join(saved, "twice.keras2.h5"))).subarray(0, 3000),
    "cut.onnx": async () => onnx.subarray(0, onnx.length - 5),
    "traversal.keras": async () => writeZip([{ name: "../config.json", bytes: await config() }]),
    "bomb.keras": async () =>
      writeZip([
        { name: "config.json", bytes: await config() },
        { name: "model.weights.h5", bytes: new Uint8Array(many), deflate: true },
      ]),
  };
  const expected = "expected a .keras, a .h5, the model.json of TensorFlow.js or an .onnx";
  test.each<[string, string]>([
    ["text", `${expected}, got 14 bytes that are none of them`],
    [
      "cut.h5",
      "HDF5 cannot read the file: truncated file: eof = 3000, sblock->base_addr = 0, stored_eof = 14888",
    ],
    ["cut.onnx", "expected an ONNX model, got 1011 bytes that are none"],
    ["traversal.keras", 'zip archive: "../config.json" leads out of the archive'],
    ["bomb.keras", 'zip archive: "model.weights.h5" claims 50000000 bytes, the limit is 519190'],
  ])("%s", async (name, message) => {
    const file = join(work, name);
    await writeFile(file, await files[name]!());
    expect(await failure(importSaved("", { file }))).toEqual({
      reason: "CONVERT_INVALID",
      message: `${file}: ${message}`,
    });
  });

  test.each([
    ["JSON", "{", "expected JSON of at most 16777216 bytes, got 2147483647"],
    ["of no kind", "\xff", `${expected}, got 2147483647 bytes that are none of them`],
  ])("2 GiB %s are not read", async (_, start, message) => {
    const file = join(work, "sparse");
    await writeFile(file, start, "latin1");
    await truncate(file, 2 ** 31 - 1);
    // Reading it takes far longer.
    expect(await failure(importSaved("", { file, timeoutMs: 20_000 }))).toEqual({
      reason: "CONVERT_INVALID",
      message: `${file}: ${message}`,
    });
    const topology = { file: join(saved, "twice.keras2.notop.h5"), topology: file, wishes: {} };
    if (start === "{") {
      expect((await failure(importSaved("", topology))).message).toBe(
        `${topology.file}: ${file}: ${message}`,
      );
    }
    await rm(file);
  });

  test("names are shown in one line, without what a terminal would obey, and not at any length", async () => {
    const file = join(work, "names.json");
    const layers = [{ class_name: `a\n\u001b[31m${"b".repeat(10_000)}`, name: "c", config: {} }];
    const modelTopology = { class_name: "Sequential", config: layers };
    await writeFile(file, JSON.stringify({ format: "layers-model", modelTopology, weightsManifest: [] }));
    const { message } = await failure(importSaved("", { file, wishes: { mode: "tf", outputLayer: "c" } }));
    expect(message).toMatch(/a \[31mb+/);
    expect(message).toMatch(/^[^\p{Cc}]{1,2200}$/u);
  });

  test("the code of a Lambda is never run", async () => {
    const name = "lambda.keras3.keras";
    expect(await failure(importSaved(join("bad", name)))).toEqual({
      reason: "CONVERT_UNSUPPORTED_LAYER",
      message: `${join(saved, "bad", name)}: layer "code" (Lambda): holds Python code, which is never run`,
    });
  });

  test("one that is not there", async () => {
    const file = join(work, "gone.h5");
    expect(await failure(importSaved("", { file }))).toEqual({
      reason: "MODEL_UNREACHABLE",
      message: `${file} cannot be read: ENOENT: no such file or directory, open '${file}'`,
    });
  });

  test("one that takes too long is stopped", async () => {
    expect(await failure(importSaved("twice.keras2.h5", { timeoutMs: 1 }))).toEqual({
      reason: "CONVERT_INVALID",
      message: `${join(saved, "twice.keras2.h5")}: reading and converting it took longer than 1 ms`,
    });
  });

  test("pictures larger than any network takes", async () => {
    const text = await readFile(join(saved, "twice.tfjs.json"), "utf8");
    expect(text).toContain("[null, 4, 4, 3]");
    const huge = join(work, "huge.json");
    await writeFile(huge, text.replace("[null, 4, 4, 3]", "[null, 65536, 65536, 3]"));
    await writeFile(join(work, "twice.tfjs.bin"), await readFile(join(saved, "twice.tfjs.bin")));
    expect(await failure(importSaved("", { file: huge }))).toEqual({
      reason: "CONVERT_INVALID",
      message: `${huge}: expected pictures of at most 4096 x 4096, got 65536 x 65536`,
    });
  });
});
