import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import type { KerasWeights } from "../../src/convert/keras-format/keras-model.ts";
import { splitWeightName } from "../../src/convert/keras-format/keras-model.ts";
import { packageFile } from "../../src/node/package-file.ts";
import { makeNetwork, type NetworkGolden } from "../networks/network-goldens.ts";
import { writeKeras1Weights } from "./write-keras1-weights.ts";

/** A file like an official one, and what real Keras makes of photographs with its weights. */
export interface Release {
  readonly file: string;
  readonly md5: string;
  readonly bytes: number;
  readonly golden: NetworkGolden;
}

/** How the official files name a variable: with a number behind it or not. */
const suffixes: Readonly<Record<string, string>> = { vgg16: "_1", vgg19: "_1", xception: "" };

/** Writes a file in the layout of the official weights of a model that ships, with seeded random weights. */
export async function writeRelease(file: string, model: "vgg19" | "xception"): Promise<Release> {
  const golden = readGolden(model);
  const { topology, weights } = makeNetwork({ name: `${model}.keras2`, golden });
  const fileNames = readFileNames(model);
  const nameInFile = (layer: string) => fileNames.get(layer) ?? layer;
  const renamed: KerasWeights = new Map(
    [...weights].map(([name, weight]) => {
      const { layer, variable } = splitWeightName(name);
      return [`${nameInFile(layer)}/${variable}`, weight];
    }),
  );
  const isKept = ({ className }: { className: string }) => !/InputLayer|^Global/.test(className);
  const layers = topology.layers.filter(isKept).map(({ name }) => nameInFile(name));
  await writeKeras1Weights(file, { layers, weights: renamed, suffix: suffixes[model]! });
  const bytes = await readFile(file);
  return { file, md5: createHash("md5").update(bytes).digest("hex"), bytes: bytes.length, golden };
}

/** What real Keras makes of a network of keras_applications with random weights. */
export function readGolden(model: string): NetworkGolden {
  const path = new URL(`../../fixtures/golden/networks/${model}.keras2.json`, import.meta.url);
  return JSON.parse(readFileSync(path, "utf8")) as NetworkGolden;
}

/** The official file's name of a layer by the topology's, where they differ. */
function readFileNames(model: string): ReadonlyMap<string, string> {
  if (model !== "xception") return new Map();
  const names = JSON.parse(readFileSync(packageFile(`models/${model}/layer-names.json`), "utf8")) as object;
  return new Map(Object.entries(names).map(([inFile, inTopology]) => [inTopology as string, inFile]));
}
