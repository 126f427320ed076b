import { readCodecs } from "../../fixtures/read-codecs.ts";
import { fixtureMaxPixels, readImage } from "../../fixtures/read-golden.ts";
import { convertKeras } from "../../src/convert/convert-keras.ts";
import type { KerasModel } from "../../src/convert/keras-format/keras-model.ts";
import type { Engine } from "../../src/engine/engine.ts";
import { EmbedError } from "../../src/errors.ts";
import { createDecodeImage } from "../../src/image/decode-image.ts";
import type { Pixels } from "../../src/image/pixels.ts";
import { preprocess } from "../../src/preprocess/preprocess.ts";
import { decodeVector, makeNetwork, type NamedGolden } from "./network-goldens.ts";
import { isSameGraph } from "./same-graph.ts";

/** A network as ONNX. */
export interface ConvertedNetwork {
  readonly onnx: Uint8Array;
  readonly dimension: number;
}

/** Builds of a network that convert to one graph: two Kerases often make the same. */
export interface NetworkGroup extends ConvertedNetwork {
  readonly builds: readonly NamedGolden[];
}

const decodeImage = createDecodeImage(readCodecs(), { maxPixels: fixtureMaxPixels });
const decoded = new Map<string, Promise<Pixels>>();

/**
 * Converts each build of a network with its random weights.
 * @throws EmbedError `CONVERT_UNSUPPORTED_LAYER`, `CONVERT_INVALID`
 */
export function convertBuilds(builds: readonly NamedGolden[]): readonly NetworkGroup[] {
  const groups: NetworkGroup[] = [];
  let known: KerasModel | undefined;
  for (const build of builds) {
    const model = makeNetwork(build, known?.weights);
    const converted = convertNetwork(build, model);
    const at = groups.findIndex(({ onnx }) => isSameGraph(onnx, converted.onnx));
    const same = groups[at];
    if (same) groups[at] = { ...same, builds: [...same.builds, build] };
    else groups.push({ ...converted, builds: [build] });
    known = model;
  }
  return groups;
}

/** @throws EmbedError `CONVERT_UNSUPPORTED_LAYER`, `CONVERT_INVALID` */
export function convertNetwork({ name, golden }: NamedGolden, model: KerasModel): ConvertedNetwork {
  const [output] = model.topology.outputs;
  if (!output) throw new Error(`${name}: its topology names no output`);
  const { width, height } = golden.preprocess;
  return convertKeras(model, { outputLayer: output.layer, inputShape: [height, width, 3] });
}

/**
 * From photographs' files to vectors, by our own decoding and preprocessing.
 * @param pictures which of the goldens' photographs, by number
 * @returns for each build the largest difference from Keras's vectors, as a part of the vector's largest value
 * @throws EmbedError `ENGINE_UNSUPPORTED`, `ENGINE_FAILED`, `MODEL_CORRUPT`
 */
export async function measureErrors(
  engine: Engine,
  { onnx, dimension, builds }: NetworkGroup,
  pictures: readonly number[],
): Promise<readonly number[]> {
  const session = await engine.load(onnx);
  try {
    const { preprocess: spec, vectors } = builds[0]!.golden;
    const errors = builds.map(() => 0);
    for (const picture of pictures) {
      const vector = await session.run(preprocess(await readPixels(vectors[picture]!.image), spec), 1);
      if (vector.length !== dimension) throw new Error(`expected ${dimension} values, got ${vector.length}`);
      for (const [i, { golden }] of builds.entries()) {
        const expected = decodeVector(golden.vectors[picture]!.vector);
        errors[i] = Math.max(errors[i]!, relativeError(vector, expected));
      }
    }
    return errors;
  } finally {
    await session.dispose();
  }
}

/**
 * What the work gives, or why converter or engine refuse it, without the list of what they know, which grows.
 * @throws whatever else the work throws
 */
export async function notYetOr<T>(work: () => T | Promise<T>): Promise<T | string> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof EmbedError && /^(CONVERT|ENGINE)_UNSUPPORTED/.test(error.reason))) throw error;
    return error.message.replace(/; known \w+: .*/, "");
  }
}

/** NaN, which no tolerance allows, if a value is none or the lengths differ. */
export function relativeError(vector: Float32Array, expected: Float32Array): number {
  if (vector.length !== expected.length) return Number.NaN;
  let largest = 0;
  let difference = 0;
  for (let i = 0; i < expected.length; i++) {
    largest = Math.max(largest, Math.abs(expected[i]!));
    difference = Math.max(difference, Math.abs(vector[i]! - expected[i]!));
  }
  return difference / largest;
}

function readPixels(image: string): Promise<Pixels> {
  let pixels = decoded.get(image);
  if (!pixels) {
    pixels = decodeImage(readImage(image)).then((result) => result.pixels);
    decoded.set(image, pixels);
  }
  return pixels;
}
