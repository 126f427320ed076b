import { EmbedError } from "../errors.ts";
import { type ImageFormat, imageFormats } from "./pixels.ts";

/** How each format is written in messages. */
export const formatNames: Record<ImageFormat, string> = {
  jpeg: "JPEG",
  png: "PNG",
  webp: "WebP",
  gif: "GIF",
  bmp: "BMP",
  tiff: "TIFF",
};

/** `JPEG, PNG, WebP, GIF, BMP, TIFF` */
export const formatList: string = imageFormats.map((format) => formatNames[format]).join(", ");

/** `IMAGE_CORRUPT`; `detail` says what was expected and what was got. */
export function corruptImage(format: ImageFormat, detail: string, cause?: unknown): EmbedError {
  return new EmbedError("IMAGE_CORRUPT", `corrupt ${formatNames[format]}: ${detail}`, { cause });
}

/** `IMAGE_UNSUPPORTED` for a variant of a format that is otherwise taken; `variant` names it. */
export function unsupportedVariant(format: ImageFormat, variant: string): EmbedError {
  return new EmbedError(
    "IMAGE_UNSUPPORTED",
    `this kind of ${formatNames[format]} is not supported: ${variant}`,
  );
}
