import { inkToLight } from "./cmyk-to-rgb.ts";
import { corruptImage, unsupportedVariant } from "./image-errors.ts";
import { type JpegComponent, type JpegFrame, readJpegCoefficients } from "./jpeg-coefficients.ts";
import { invertDct } from "./jpeg-idct.ts";
import { type SamplePlane, upsampleRow } from "./jpeg-upsample.ts";
import type { Pixels } from "./pixels.ts";

/**
 * Decodes a Huffman-coded JPEG with the integer arithmetic of libjpeg-turbo, which is Pillow's. It takes what the
 * WASM build of mozjpeg does not give exactly: four components (mozjpeg makes no RGB of them) and chroma halved
 * downwards only (mozjpeg rounds otherwise); and it is several times slower.
 * @returns (height, width, 3) uint8 RGB, as Pillow's `convert("RGB")`
 * @throws EmbedError `IMAGE_CORRUPT` or `IMAGE_UNSUPPORTED`
 */
export function decodeJpegAsLibjpeg(bytes: Uint8Array): Pixels {
  const frame = readJpegCoefficients(bytes);
  const { width, height } = frame;
  const planes = frame.components.map((component) => createPlane(component, frame));
  const rows = planes.map(({ plane, across }) => new Uint8Array(plane.width * across));
  const isYcc = hasYcc(frame);
  const data = new Uint8Array(width * height * 3);
  for (let y = 0, to = 0; y < height; y++) {
    for (const [i, { plane, across, down }] of planes.entries())
      upsampleRow(plane, across, down, y, rows[i]!);
    const [first, second, third, black] = rows as [
      Uint8Array,
      Uint8Array,
      Uint8Array,
      Uint8Array | undefined,
    ];
    if (isYcc) turnToRgb(first, second, third);
    for (let x = 0; x < width; x++, to += 3) {
      data[to] = first[x]!;
      data[to + 1] = second[x]!;
      data[to + 2] = third[x]!;
    }
    if (black) inkRow(data.subarray(to - 3 * width, to), black, isYcc);
  }
  return { width, height, data };
}

/** libjpeg's guess at the colour space (`jdapimin.c`). */
function hasYcc({ components, hasJfif, adobeTransform }: JpegFrame): boolean {
  if (components.length === 4) return adobeTransform !== undefined && adobeTransform !== 0;
  if (hasJfif) return true;
  if (adobeTransform !== undefined) return adobeTransform !== 0;
  return String.fromCharCode(...components.map(({ id }) => id)) !== "RGB";
}

/**
 * Turns a row of three inks into RGB, in place. Adobe stores inks and black inverted, and Pillow takes every JPEG
 * of four components to be Adobe's; what comes from YCCK has been inverted by the conversion.
 */
function inkRow(row: Uint8Array, black: Uint8Array, isYcc: boolean): void {
  const inverted = isYcc ? 0 : 255;
  for (let i = 0; i < row.length; i++) row[i] = inkToLight(row[i]! ^ inverted, black[Math.trunc(i / 3)]!);
}

function createPlane(component: JpegComponent, frame: JpegFrame) {
  const across = frame.maxHorizontal / component.horizontal;
  const down = frame.maxVertical / component.vertical;
  if (!Number.isInteger(across) || !Number.isInteger(down)) {
    throw unsupportedVariant("jpeg", "sampling factors that do not divide each other");
  }
  const { quantisation, blocksAcross, coefficients } = component;
  if (!quantisation)
    throw corruptImage("jpeg", `component ${component.id} has no scan or no quantisation table`);
  const stride = blocksAcross * 8;
  const data = new Uint8ClampedArray(coefficients.length);
  for (let block = 0; block * 64 < coefficients.length; block++) {
    const y = Math.trunc(block / blocksAcross) * 8;
    const x = (block % blocksAcross) * 8;
    invertDct(coefficients, block * 64, quantisation, data, y * stride + x, stride);
  }
  const plane: SamplePlane = { width: component.width, height: component.height, stride, data };
  return { plane, across, down };
}

/** YCbCr to RGB, in place: libjpeg's `ycc_rgb_convert` (`jdcolor.c`), 16 fractional bits. */
function turnToRgb(luma: Uint8Array, blueness: Uint8Array, redness: Uint8Array): void {
  const half = 1 << 15;
  for (let x = 0; x < luma.length; x++) {
    const y = luma[x]!;
    const cb = blueness[x]! - 128;
    const cr = redness[x]! - 128;
    luma[x] = clamp(y + ((91881 * cr + half) >> 16));
    blueness[x] = clamp(y + ((-22554 * cb - 46802 * cr + half) >> 16));
    redness[x] = clamp(y + ((116130 * cb + half) >> 16));
  }
}

function clamp(value: number): number {
  return Math.max(0, Math.min(255, value));
}
