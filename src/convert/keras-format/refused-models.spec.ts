import { readdirSync, readFileSync } from "node:fs";
import { ready } from "h5wasm";
import { expect, test } from "vitest";
import { EmbedError } from "../../errors.ts";
import { convertKeras } from "../convert-keras.ts";
import { createHdf5Opener } from "../hdf5/h5wasm-file.ts";
import { readKerasModel } from "./read-keras-model.ts";

// Files that real HDF5 and real Keras wrote, each with one thing wrong; fixtures/generation/saved_bad.py makes them.
const folder = new URL("../../../fixtures/golden/saved/", import.meta.url);
const openHdf5 = createHdf5Opener(await ready);

async function failure(file: string, topology?: string): Promise<{ reason: string; message: string }> {
  try {
    const model = await readKerasModel({
      file: `bad/${file}`,
      ...(topology && { topology }),
      read: async (path) => new Uint8Array(readFileSync(new URL(path, folder))),
      loadHdf5: async () => openHdf5,
    });
    convertKeras(model, { outputLayer: model.topology.outputs[0]!.layer, inputShape: [4, 4, 3] });
  } catch (error) {
    expect(error).toBeInstanceOf(EmbedError);
    const { reason, message } = error as EmbedError;
    return { reason, message };
  }
  throw new Error(`${file} was taken`);
}

const kernel = "/shared/shared/kernel:0";
const weights: Readonly<Record<string, string>> = {
  "chunked.h5": `${kernel}: lies in chunks, maybe compressed; expected one piece, as Keras writes it`,
  "claims-too-much-together.h5":
    "/shared/shared/bias:0: claims (1500,) values of 4 bytes, the file has 2196 bytes left for it",
  "claims-two-gibibytes.h5": `${kernel}: claims (536870912,) values of 4 bytes, the file has 8196 bytes left for it`,
  "cyclic-groups.h5": `/shared${"/again".repeat(39)}: expected groups at most 40 deep`,
  "external-link.h5": `${kernel}: is a link to another file; expected no links`,
  "external-storage.h5": `HDF5 cannot read ${kernel}: unable to open external raw data file`,
  "float16.h5": `${kernel}: expected values of type float32, got class 1 of HDF5, 2 bytes each`,
  "float64.h5": `${kernel}: expected values of type float32, got class 1 of HDF5, 8 bytes each`,
  "gzip-bomb.h5": `${kernel}: lies in chunks, maybe compressed; expected one piece, as Keras writes it`,
  "layer-names-no-text.h5": "attribute layer_names of /: expected text, got class 0 of HDF5",
  "no-layer-names.h5": "/: expected weights of Keras, got no attribute layer_names",
  "soft-link.h5": `${kernel}: is a soft link; expected no links`,
  "text-for-weights.h5": `${kernel}: expected values of type float32, got class 3 of HDF5, 4 bytes each`,
  "theano.h5": "/: expected weights in TensorFlow's layout, got those of backend theano",
  "virtual.h5": "/shared/shared/kernel: is a virtual dataset; expected values of its own",
  "weight-of-no-layer.h5": '/gone/gone/kernel:0: the topology has no layer "gone"',
  "weight-twice.h5": `${kernel}: the weight is listed and missing`,
  "weight-unlisted.h5": "/shared/shared/gamma:0: the weight is listed in no weight_names",
};

/** What the reader takes and the converter refuses. */
const conversions: Readonly<Record<string, string>> = {
  "weight-extra.h5": 'weight "shared/gamma" is not one of layer "shared" (Conv2D); expected kernel, bias',
  "weight-misshapen.h5": 'weight "shared/kernel": expected shape (1, 1, 3, 3), got (1, 1, 3, 4)',
  "weight-missing.h5": 'weight "shared/kernel" is missing; expected shape (1, 1, 3, 3)',
};

const lambdas = ["lambda.keras2.keras", "lambda.keras3.keras"];

test("every bad file has its message here", () => {
  const expected = [...Object.keys({ ...weights, ...conversions }), ...lambdas];
  expect(readdirSync(new URL("bad/", folder)).sort()).toEqual(expected.sort());
});

test.each(Object.entries(weights))("%s", async (file, message) => {
  expect(await failure(file, "twice.keras2.topology.json")).toEqual({
    reason: "CONVERT_INVALID",
    message: `bad/${file}: ${message}`,
  });
});

test.each(Object.entries(conversions))("%s", async (file, message) => {
  expect(await failure(file, "twice.keras2.topology.json")).toEqual({ reason: "CONVERT_INVALID", message });
});

test.each(lambdas)("%s: its code is never run", async (file) => {
  expect(await failure(file)).toEqual({
    reason: "CONVERT_UNSUPPORTED_LAYER",
    message: 'layer "code" (Lambda): holds Python code, which is never run',
  });
});
