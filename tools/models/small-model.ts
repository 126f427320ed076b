import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { UrlModelSource } from "../../src/embed/model-manifest.ts";
import type { ConvertibleModel } from "../../src/node/model/model-catalog.ts";
import { packageFile } from "../../src/node/package-file.ts";

const folder = packageFile("fixtures/golden/saved");

/** Weights alone of a tiny network, as Keras 1 wrote them. */
export const smallWeightsFile = `${folder}/convolutions.keras1.notop.h5`;
/** The same network with other bytes around its weights, as Keras 2 wrote them. */
export const otherSmallWeightsFile = `${folder}/convolutions.keras2.notop.h5`;

/** A model whose weights are that file, at a URL; nothing is known of it beforehand. */
export async function describeSmallModel(
  url: string,
  change: Partial<UrlModelSource> = {},
): Promise<ConvertibleModel & { readonly sources: readonly [UrlModelSource] }> {
  const bytes = await readFile(smallWeightsFile);
  return {
    name: "small",
    description: "a tiny network",
    identity: {
      name: "small",
      type: "encoder",
      input: "image",
      output: "vector",
      dimension: 8,
      metricType: "L2",
    },
    sources: [
      {
        kind: "url",
        url,
        format: "keras-h5-weights",
        md5: createHash("md5").update(bytes).digest("hex"),
        bytes: bytes.length,
        topology: "convolutions.keras2.topology.json",
        license: "CC0-1.0",
        ...change,
      },
    ],
    outputLayer: "average",
    preprocess: { width: 9, height: 9, interpolation: "nearest", mode: "tf" },
    pooling: "avg",
    normalisation: "l2",
    precision: "fp32",
    filesFolder: folder,
  };
}
