/** The formats that are decoded, in the order in which `sniffFormat` looks for them. */
export const imageFormats = ["jpeg", "png", "webp", "gif", "bmp", "tiff"] as const;

export type ImageFormat = (typeof imageFormats)[number];

/** A decoded picture. `data` is (height, width, 3) uint8 RGB, as Pillow's `convert("RGB")` gives it. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

/** What the header of an encoded picture claims; nothing behind it has been looked at. */
export interface ImageHeader {
  readonly format: ImageFormat;
  /** Pixels, at least 1. */
  readonly width: number;
  /** Pixels, at least 1. */
  readonly height: number;
}

/** The header of a whole file. */
export interface FileHeader extends ImageHeader {
  /** Frames or pages, 1 to `mostCountedFrames`; the first one is decoded, whatever the others are. */
  readonly frames: number;
}

/** Limits that hold before any decoder sees the bytes. */
export interface ImageLimits {
  /** Largest width x height that is decoded. */
  readonly maxPixels: number;
}

/** 50 megapixels: a 16-bit RGBA picture of that size stays under 400 MB. */
export const defaultImageLimits: ImageLimits = { maxPixels: 50_000_000 };

/** Encoded bytes to pixels; throws `IMAGE_UNSUPPORTED`, `IMAGE_CORRUPT` or `IMAGE_TOO_LARGE`. */
export type DecodeImage = (bytes: Uint8Array) => Promise<DecodedImage>;

export interface DecodedImage {
  readonly header: FileHeader;
  readonly pixels: Pixels;
}
