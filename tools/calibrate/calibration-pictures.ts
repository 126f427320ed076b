import { readFile } from "node:fs/promises";
import { createDecodeImage } from "../../src/image/decode-image.ts";
import { defaultImageLimits, type Pixels } from "../../src/image/pixels.ts";
import { packageFile } from "../../src/node/package-file.ts";
import { loadCodecs } from "../../src/node/pool/load-codecs.ts";
import { preprocess } from "../../src/preprocess/preprocess.ts";
import type { PreprocessSpec } from "../../src/preprocess/preprocess-spec.ts";

/** Photographs below fixtures/images that ranges are measured on; no figure of docs/variants.md is. */
export const calibrationPhotographs: readonly string[] = [
  "photo/airplane-from-above.jpg",
  "photo/black-canyon.jpg",
  "photo/french-alpine-landscape.jpg",
  "photo/nagasaki-boats.jpg",
];

/** The tensors of each photograph as a whole and of its four quarters. */
export async function readCalibrationTensors(
  photographs: readonly string[],
  spec: PreprocessSpec,
): Promise<readonly Float32Array[]> {
  const decode = createDecodeImage(await loadCodecs(), defaultImageLimits);
  const tensors: Float32Array[] = [];
  for (const photograph of photographs) {
    const { pixels } = await decode(
      new Uint8Array(await readFile(packageFile(`fixtures/images/${photograph}`))),
    );
    for (const part of [pixels, ...quartersOf(pixels)]) tensors.push(preprocess(part, spec));
  }
  return tensors;
}

function quartersOf(pixels: Pixels): readonly Pixels[] {
  const width = Math.floor(pixels.width / 2);
  const height = Math.floor(pixels.height / 2);
  return [0, pixels.height - height].flatMap((top) =>
    [0, pixels.width - width].map((left) => cut(pixels, { left, top, width, height })),
  );
}

interface Rectangle {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

function cut(pixels: Pixels, { left, top, width, height }: Rectangle): Pixels {
  const data = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    const start = ((top + y) * pixels.width + left) * 3;
    data.set(pixels.data.subarray(start, start + width * 3), y * width * 3);
  }
  return { ...pixels, width, height, data };
}
