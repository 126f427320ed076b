import { readFile } from "node:fs/promises";
import { convertKeras } from "../../src/convert/convert-keras.ts";
import { readTfjsLayers } from "../../src/convert/keras-format/read-tfjs-layers.ts";
import type { ModelManifest } from "../../src/embed/model-manifest.ts";
import type { SelfCheck } from "../../src/embed/self-check.ts";
import { defaultImageLimits } from "../../src/image/pixels.ts";
import { findModelManifest } from "../../src/node/model/model-catalog.ts";
import { packageFile } from "../../src/node/package-file.ts";
import { loadCodecs } from "../../src/node/pool/load-codecs.ts";
import { loadKernels } from "../../src/node/pool/load-kernels.ts";
import type { CheckedSetup } from "../../src/node/pool/worker-protocol.ts";
import golden from "./tiny-golden.json" with { type: "json" };

/** Pixels on a side of the picture that the network takes. */
const side = 8;

/**
 * A network so small that a picture takes about a millisecond: two residual blocks as in ResNet50, on 8x8, of
 * which fixtures/golden/convert has the weights. tf_keras made its vectors; `tiny_golden.py` says how.
 */
export interface TinyModel {
  readonly manifest: ModelManifest;
  /** What a real worker is started with. */
  readonly setup: CheckedSetup;
}

/** Fixtures whose vectors by tf_keras are known. */
export async function readTinyPictures(): Promise<SelfCheck[]> {
  return Promise.all(
    golden.pictures.map(async ({ image, vector }) => ({
      name: image,
      bytes: new Uint8Array(await readFile(packageFile(`fixtures/images/${image}`))),
      vector: Float32Array.from(vector),
      tolerance: golden.tolerance,
    })),
  );
}

export async function openTinyModel(): Promise<TinyModel> {
  const read = (file: string) => readFile(packageFile(`fixtures/golden/convert/${file}`));
  const json: unknown = JSON.parse(
    await readFile(packageFile(`fixtures/golden/convert/${golden.network}.model.json`), "utf8"),
  );
  const outputLayer = golden.outputLayer;
  const { onnx, dimension } = convertKeras(await readTfjsLayers(json, read), {
    outputLayer,
    inputShape: [side, side, 3],
  });
  const resnet = await findModelManifest("resnet50");
  const preprocess = { ...resnet.preprocess, width: side, height: side };
  const [selfCheck] = await readTinyPictures();
  return {
    manifest: {
      ...resnet,
      name: "tiny",
      description: "two residual blocks on 8x8, for load tests",
      identity: { ...resnet.identity, name: "tiny_encoder", dimension },
      outputLayer,
      preprocess,
    },
    setup: {
      engine: "ort-wasm",
      onnx: shared(onnx),
      preprocess,
      limits: defaultImageLimits,
      codecs: await loadCodecs(),
      kernels: await loadKernels(),
      threads: 1,
      selfCheck: selfCheck!,
    },
  };
}

/** Shared with every worker, so that it can be started again and again. */
function shared(bytes: Uint8Array): Uint8Array {
  const view = new Uint8Array(new SharedArrayBuffer(bytes.length));
  view.set(bytes);
  return view;
}
