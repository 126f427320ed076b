import { readdirSync, readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import type { KerasModel, KerasWeights } from "../../src/convert/keras-format/keras-model.ts";
import { readTopology } from "../../src/convert/keras-format/read-topology.ts";
import type { PreprocessSpec } from "../../src/preprocess/preprocess-spec.ts";
import { randomWeight, type WeightSeed } from "./network-weights.ts";

/** Whole networks and what real Keras makes of photographs with them; fixtures/README.md has the format. */

/** One network as one Keras builds it. */
export interface NetworkGolden {
  /** Its name in Keras 3, for example `ResNet50V2`. */
  readonly network: string;
  /** What made it: the library and its version. */
  readonly keras: string;
  readonly weights: WeightSeed;
  readonly preprocess: PreprocessSpec;
  /** The largest difference allowed, as a part of the largest value of Keras's vector. */
  readonly tolerance: number;
  /** The largest difference between the vectors of the two photographs, as a part of their largest value. */
  readonly contrast: number;
  /** Base64 of little-endian float32. */
  readonly vectors: readonly { readonly image: string; readonly vector: string }[];
}

/** By the name of its files: `resnet50v2.keras3`. */
export interface NamedGolden {
  readonly name: string;
  readonly golden: NetworkGolden;
}

const folder = new URL("../../fixtures/golden/networks/", import.meta.url);

/** Every network, with its builds by Keras 2 and by Keras 3 together. */
export function readNetworkGoldens(): ReadonlyMap<string, readonly NamedGolden[]> {
  const suffix = ".json";
  const goldens = readdirSync(folder)
    .filter((file) => /\.keras[23]\.json$/.test(file))
    .sort()
    .map((file) => ({
      name: file.slice(0, -suffix.length),
      golden: JSON.parse(readFileSync(new URL(file, folder), "utf8")) as NetworkGolden,
    }));
  return Map.groupBy(goldens, ({ golden }) => golden.network);
}

/**
 * The topology that Keras gave, with the random weights of its names and shapes.
 * @param known of another build of the network: weights of one name, shape and seed are made once
 */
export function makeNetwork({ name, golden }: NamedGolden, known?: KerasWeights): KerasModel {
  const bytes = gunzipSync(readFileSync(new URL(`${name}.topology.json.gz`, folder)));
  const { topology, weights } = JSON.parse(bytes.toString("utf8")) as {
    readonly topology: unknown;
    readonly weights: Readonly<Record<string, readonly number[]>>;
  };
  const made = Object.entries(weights).map(([weight, shape]) => {
    const same = known?.get(weight);
    const isSame = same?.shape.join() === shape.join();
    return [weight, isSame ? same! : randomWeight(weight, shape, golden.weights)] as const;
  });
  return { topology: readTopology(topology), weights: new Map(made) };
}

export function decodeVector(base64: string): Float32Array {
  return new Float32Array(Uint8Array.from(Buffer.from(base64, "base64")).buffer);
}
