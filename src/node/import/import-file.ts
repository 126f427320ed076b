import { createHash } from "node:crypto";
import { basename } from "node:path";
import { invalidModel } from "../../convert/convert-error.ts";
import { convertKeras } from "../../convert/convert-keras.ts";
import {
  fingerprintOnnx,
  fingerprintVectorSpace,
  type VectorSpaceSettings,
} from "../../convert/fingerprint.ts";
import { inferEncoder, type Size } from "../../convert/infer/infer-encoder.ts";
import { maxJsonBytes } from "../../convert/keras-format/parse-model-json.ts";
import { isJson, isKerasFile, readKerasModel } from "../../convert/keras-format/read-keras-model.ts";
import { readOnnxModel } from "../../convert/onnx-format/read-onnx-model.ts";
import type { FileModelSource, ModelManifest } from "../../embed/model-manifest.ts";
import { EmbedError } from "../../errors.ts";
import type { ChannelMode, PreprocessSpec } from "../../preprocess/preprocess-spec.ts";
import { loadHdf5 } from "../model/load-hdf5.ts";
import { readModelFile } from "../model/read-model-file.ts";
import { showText } from "../show-text.ts";
import type { ImportedFile, ImportJob } from "./import-job.ts";

/** The tag of `ir_version`, the first field of an ONNX model, which all that write one write first. */
const onnxStart = 0x08;

/**
 * The largest side of the pictures that a model may take: 4096 x 4096 make a tensor of 201 MB, and networks for more
 * are not made for embedding.
 */
export const maxModelSide = 4096;

/** The most of a message: names of a file stand in it, and may be of any length. */
const maxMessageChars = 2_000;

/**
 * Reads a model file of any kind, told by its first bytes, infers what makes an encoder of it, and converts it to ONNX.
 * It takes all the time that it wants, and loads HDF5 into this thread: `import-worker` gives it one with bounds.
 * @throws EmbedError `CONFIG_INVALID` naming the flag that must say what does not follow from the file;
 *   `CONVERT_INVALID`, `CONVERT_UNSUPPORTED_LAYER`, `MODEL_UNREACHABLE`
 */
export async function importFile(job: ImportJob): Promise<ImportedFile> {
  const bytes = await readModelFile(job.folder, job.file, (start, size) => checkStart(job.file, start, size));
  const source = {
    kind: "file",
    file: basename(job.file),
    bytes: bytes.length,
    sha256: sha256Hex(bytes),
  } as const;
  try {
    return bytes[0] === onnxStart ? importOnnx(job, bytes, source) : await importKeras(job, bytes, source);
  } catch (error) {
    const { reason, message: said, cause } = EmbedError.from(error, "CONVERT_INVALID", String(error));
    const message = showText(said, maxMessageChars);
    const isNamed = message.startsWith(`${job.file}: `) || message.startsWith(`${job.file} `);
    throw new EmbedError(reason, isNamed ? message : `${job.file}: ${message}`, { cause });
  }
}

/** @throws EmbedError `CONVERT_INVALID` for what need not be read, however large it is */
function checkStart(file: string, start: Uint8Array, size: number): void {
  if (start[0] !== onnxStart && !isKerasFile(start)) {
    const expected = "a .keras, a .h5, the model.json of TensorFlow.js or an .onnx";
    throw invalidModel(`${showText(file)}: expected ${expected}, got ${size} bytes that are none of them`);
  }
  if (isJson(start)) checkJsonSize(file, size);
}

function checkJsonSize(file: string, size: number): void {
  if (size <= maxJsonBytes) return;
  throw invalidModel(`${showText(file)}: expected JSON of at most ${maxJsonBytes} bytes, got ${size}`);
}

type SourceFacts = Omit<FileModelSource, "format">;

async function importKeras(
  job: ImportJob,
  bytes: Uint8Array<ArrayBuffer>,
  source: SourceFacts,
): Promise<ImportedFile> {
  const { file, topology, folder } = job;
  const model = await readKerasModel({
    file,
    ...(topology !== undefined && { topology }),
    read: async (path) => {
      if (path === file) return bytes;
      const checkSize =
        path === topology ? (_: Uint8Array, size: number) => checkJsonSize(path, size) : undefined;
      return readModelFile(folder, path, checkSize);
    },
    loadHdf5,
  });
  if (job.isForKeras && model.code !== undefined) {
    throw new EmbedError(
      "CONVERT_UNSUPPORTED_LAYER",
      `${model.code} may hold code, and Keras would run it; import it without --golden`,
    );
  }
  const encoder = inferEncoder(model.topology, job.wishes);
  const { outputLayer, pooling, why } = encoder;
  const preprocess = toSpec(encoder.size, encoder.mode, job);
  const { onnx, dimension, usedWeights, network } = convertKeras(
    { topology: encoder.topology, weights: model.weights },
    { outputLayer: encoder.endLayer, inputShape: [preprocess.height, preprocess.width, 3] },
  );
  const fingerprint = fingerprintVectorSpace(
    model.weights,
    usedWeights,
    { ...settingsOf(preprocess, pooling), network: sha256Hex(new TextEncoder().encode(network)) },
    sha256(),
  );
  return {
    ...{ onnx, sha256: sha256Hex(onnx), fingerprint, dimension, outputLayer, pooling, preprocess, why },
    source: { ...source, format: model.format },
  };
}

function importOnnx(job: ImportJob, bytes: Uint8Array, source: SourceFacts): ImportedFile {
  const { size, mode, pooling: wanted, outputLayer } = job.wishes;
  const refuse = (message: string) => new EmbedError("CONFIG_INVALID", message);
  if (job.topology !== undefined) throw refuse("--topology goes with weights in HDF5; this is an ONNX model");
  if (outputLayer !== undefined)
    throw refuse("--output-layer goes with Keras's models; this is an ONNX model");
  if (!mode) {
    throw refuse(
      "an ONNX model does not say how its pictures are scaled; say it with --preprocess caffe, tf, torch or none",
    );
  }
  const model = readOnnxModel(bytes, {
    ...(size && { size: [size.height, size.width] as const }),
    ...(wanted && { pooling: wanted }),
  });
  const [height, width] = model.inputShape;
  const preprocess = toSpec({ height, width }, mode, job);
  const { onnx, dimension, output, pooling } = model;
  const fingerprint = fingerprintOnnx(bytes, settingsOf(preprocess, pooling), sha256());
  const isPicture = pooling !== "none";
  const why = {
    output: "the model's output",
    pooling: wanted
      ? "asked for"
      : isPicture
        ? "the output is a picture; --pooling says otherwise"
        : "the output is a vector",
    size: size ? "asked for" : "of the model's input",
    mode: "asked for",
  };
  return {
    ...{
      onnx,
      sha256: sha256Hex(onnx),
      fingerprint,
      dimension,
      outputLayer: output,
      pooling,
      preprocess,
      why,
    },
    source: { ...source, format: "onnx" },
  };
}

function toSpec({ height, width }: Size, mode: ChannelMode, { interpolation }: ImportJob): PreprocessSpec {
  if (Math.max(height, width) > maxModelSide) {
    throw new EmbedError(
      "CONVERT_INVALID",
      `expected pictures of at most ${maxModelSide} x ${maxModelSide}, got ${height} x ${width}`,
    );
  }
  return { width, height, interpolation, mode };
}

function settingsOf(preprocess: PreprocessSpec, pooling: ModelManifest["pooling"]): VectorSpaceSettings {
  return { preprocess, pooling, normalisation: "l2", precision: "fp32" };
}

function sha256() {
  const hash = createHash("sha256");
  return { update: (bytes: Uint8Array) => void hash.update(bytes), digest: () => hash.digest() };
}

function sha256Hex(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
