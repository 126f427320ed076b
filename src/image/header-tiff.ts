import { corruptImage, unsupportedVariant } from "./image-errors.ts";
import type { ImageHeader } from "./pixels.ts";
import { readTiffDirectory, type TiffDirectory, tiffTag } from "./tiff-directory.ts";

export const tiffCompression = { none: 1, lzw: 5, deflate: 8, oldDeflate: 32946 } as const;
export const tiffPhotometric = { whiteIsZero: 0, blackIsZero: 1, rgb: 2, palette: 3 } as const;

const compressionNames: ReadonlyMap<number, string> = new Map([
  [2, "CCITT modified Huffman"],
  [3, "CCITT group 3"],
  [4, "CCITT group 4"],
  [6, "old JPEG"],
  [7, "JPEG"],
  [32773, "PackBits"],
  [34712, "JPEG 2000"],
  [34925, "LZMA"],
  [50000, "Zstandard"],
  [50001, "WebP"],
]);

const photometricNames: ReadonlyMap<number, string> = new Map([
  [4, "transparency mask"],
  [5, "CMYK"],
  [6, "YCbCr"],
  [8, "CIE L*a*b*"],
  [9, "ICC L*a*b*"],
  [32803, "colour filter array"],
]);

/** Width and height are those of the picture as shown: the orientation is applied, as Pillow applies TIFF's. */
export interface TiffHeader extends ImageHeader {
  readonly format: "tiff";
  readonly directory: TiffDirectory;
  readonly storedWidth: number;
  readonly storedHeight: number;
  /** 1 to 8 (TIFF 6.0, section 8). */
  readonly orientation: number;
  readonly photometric: number;
  readonly compression: number;
  /** Each sample was stored as its difference to the one to the left (TIFF 6.0, section 14). */
  readonly hasPredictor: boolean;
  /** Samples of 8 bits. */
  readonly samplesPerPixel: number;
  /** Each sample has segments of its own. */
  readonly planar: boolean;
}

const maxSamples = 6;
const associatedAlpha = 1;

/**
 * Reads the first directory and checks that this decoder takes what it describes.
 * @throws EmbedError `IMAGE_CORRUPT`, or `IMAGE_UNSUPPORTED` naming the variant
 */
export function readTiffHeader(bytes: Uint8Array): TiffHeader {
  const directory = readTiffDirectory(bytes);
  const storedWidth = directory.first(tiffTag.width, 0);
  const storedHeight = directory.first(tiffTag.height, 0);
  if (storedWidth === 0 || storedHeight === 0) {
    throw corruptImage(
      "tiff",
      `expected a width and a height of at least 1, got ${storedWidth} x ${storedHeight}`,
    );
  }
  const compression = directory.first(tiffTag.compression, tiffCompression.none);
  if (!(Object.values(tiffCompression) as number[]).includes(compression)) {
    throw unsupportedVariant("tiff", `compression ${compressionNames.get(compression) ?? compression}`);
  }
  // libtiff knows predictors only where something is compressed.
  const predictor = compression === tiffCompression.none ? 1 : directory.first(tiffTag.predictor, 1);
  if (predictor !== 1 && predictor !== 2) throw unsupportedVariant("tiff", `predictor ${predictor}`);
  if (directory.first(tiffTag.fillOrder, 1) !== 1) throw unsupportedVariant("tiff", "fill order 2");

  const orientation = readOrientation(directory);
  const turned = orientation >= 5;
  return {
    format: "tiff",
    width: turned ? storedHeight : storedWidth,
    height: turned ? storedWidth : storedHeight,
    directory,
    storedWidth,
    storedHeight,
    orientation,
    compression,
    hasPredictor: predictor === 2,
    ...readSamples(directory),
  };
}

/** Values that TIFF does not define count as none. */
function readOrientation(directory: TiffDirectory): number {
  const orientation = directory.first(tiffTag.orientation, 1);
  return orientation >= 1 && orientation <= 8 ? orientation : 1;
}

function readSamples(
  directory: TiffDirectory,
): Pick<TiffHeader, "photometric" | "samplesPerPixel" | "planar"> {
  const photometric = directory.first(tiffTag.photometric, tiffPhotometric.whiteIsZero);
  if (!(Object.values(tiffPhotometric) as number[]).includes(photometric)) {
    throw unsupportedVariant("tiff", `colour space ${photometricNames.get(photometric) ?? photometric}`);
  }
  const sampleFormat = directory.first(tiffTag.sampleFormat, 1);
  if (sampleFormat !== 1) {
    throw unsupportedVariant("tiff", `sample format ${sampleFormat}; unsigned integers (1) are`);
  }
  const samplesPerPixel = directory.first(tiffTag.samplesPerPixel, 1);
  const colours = photometric === tiffPhotometric.rgb ? 3 : 1;
  if (samplesPerPixel < colours || samplesPerPixel > maxSamples) {
    throw corruptImage(
      "tiff",
      `expected ${colours} to ${maxSamples} samples a pixel, got ${samplesPerPixel}`,
    );
  }
  const bits = directory.tags.get(tiffTag.bitsPerSample);
  for (let i = 0; i < Math.min(bits?.count ?? 1, samplesPerPixel); i++) {
    const sampleBits = bits?.at(i) ?? 1;
    if (sampleBits !== 8) throw unsupportedVariant("tiff", `${sampleBits} bits a sample; 8 are`);
  }
  if (samplesPerPixel > colours && directory.first(tiffTag.extraSamples, 0) === associatedAlpha) {
    throw unsupportedVariant("tiff", "colours multiplied by alpha");
  }
  const planar = directory.first(tiffTag.planarConfiguration, 1) === 2 && samplesPerPixel > 1;
  return { photometric, samplesPerPixel, planar };
}
