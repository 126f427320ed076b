import { EmbedError } from "../../src/errors.ts";
import type { DecodeImage } from "../../src/image/pixels.ts";
import { preprocess } from "../../src/preprocess/preprocess.ts";
import { interpolations } from "../../src/preprocess/preprocess-spec.ts";

/** All that may become of a picture's bytes, beside pixels. */
const pictureReasons: readonly string[] = [
  "SOURCE_EMPTY",
  "IMAGE_UNSUPPORTED",
  "IMAGE_CORRUPT",
  "IMAGE_TOO_LARGE",
];

/** `decoded`, a reason, or what is wrong. */
export interface CaseOutcome {
  readonly name: string;
  readonly fault: string | undefined;
}

/**
 * Decodes a damaged picture and makes a small tensor of what comes out, with the interpolation that `index` picks.
 * @returns the outcome; `fault` says which promise was broken: an untyped error, a wrong reason, a wrong size
 */
export async function runPictureCase(
  decode: DecodeImage,
  bytes: Uint8Array,
  index: number,
): Promise<CaseOutcome> {
  try {
    const { header, pixels } = await decode(bytes);
    const { width, height, data } = pixels;
    if (width !== header.width || height !== header.height || data.length !== width * height * 3) {
      return fault("decoded", `${width} x ${height} of ${data.length} bytes for ${JSON.stringify(header)}`);
    }
    const interpolation = interpolations[index % interpolations.length]!;
    const tensor = preprocess(pixels, { width: 24, height: 24, interpolation, mode: "caffe" });
    const isRight = tensor.length === 24 * 24 * 3 && tensor.every((value) => Math.abs(value) < 256);
    return isRight ? { name: "decoded", fault: undefined } : fault("decoded", `a tensor of wrong values`);
  } catch (error) {
    if (!(error instanceof EmbedError)) return fault("untyped", String(error));
    return checkError(error);
  }
}

function checkError({ reason, message }: EmbedError): CaseOutcome {
  const isTold = pictureReasons.includes(reason) && message !== "";
  return isTold ? { name: reason, fault: undefined } : fault(reason, message);
}

function fault(name: string, text: string): CaseOutcome {
  return { name, fault: `${name}: ${text}` };
}
