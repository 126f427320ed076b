import { type TiffHeader, tiffCompression } from "./header-tiff.ts";
import { corruptImage, unsupportedVariant } from "./image-errors.ts";
import { type TiffValues, tiffTag } from "./tiff-directory.ts";

/** Strips or tiles: how the picture is cut, row by row of segments, plane by plane. */
export interface TiffLayout {
  readonly tiled: boolean;
  /** Pixels a segment is wide; strips are as wide as the picture. */
  readonly width: number;
  /** Rows of a segment; the last ones may hold fewer of the picture. */
  readonly height: number;
  readonly across: number;
  readonly down: number;
  /** Where in the file each segment begins. */
  readonly offsets: TiffValues;
  /** Bytes of each segment; absent only where nothing is compressed. */
  readonly byteCounts: TiffValues | undefined;
}

/** Tiles reach past the picture's edges; what lies there may be this much beside four times the picture. */
const maxPaddingPixels = 1 << 22;

/** Each segment has a decoder's start to pay, so their number is bounded too; 65535 rows in as many strips pass. */
const maxSegments = 1 << 17;

/**
 * Reads the tags of strips (TIFF 6.0, section 3) or tiles (section 15).
 * @throws EmbedError `IMAGE_CORRUPT`, or `IMAGE_UNSUPPORTED` for far more or larger segments than the picture needs
 */
export function readTiffLayout(header: TiffHeader): TiffLayout {
  const { directory, storedWidth, storedHeight } = header;
  const { tags } = directory;
  const tiled = tags.has(tiffTag.tileOffsets);
  const what = tiled ? "tiles" : "strips";
  const width = tiled ? directory.first(tiffTag.tileWidth, 0) : storedWidth;
  const rows = tiled
    ? directory.first(tiffTag.tileHeight, 0)
    : directory.first(tiffTag.rowsPerStrip, storedHeight);
  if (width === 0 || rows === 0)
    throw corruptImage("tiff", `expected ${what} of at least 1 x 1, got ${width} x ${rows}`);
  const height = tiled ? rows : Math.min(rows, storedHeight);
  const across = Math.ceil(storedWidth / width);
  const down = Math.ceil(storedHeight / height);
  if (tiled && across * width * down * height > 4 * storedWidth * storedHeight + maxPaddingPixels) {
    throw unsupportedVariant(
      "tiff",
      `tiles of ${width} x ${height} for a picture of ${storedWidth} x ${storedHeight}`,
    );
  }

  const needed = across * down * (header.planar ? header.samplesPerPixel : 1);
  if (needed > maxSegments) throw unsupportedVariant("tiff", `${needed} ${what}; at most ${maxSegments} are`);
  const offsets = tags.get(tiled ? tiffTag.tileOffsets : tiffTag.stripOffsets);
  const byteCounts = tags.get(tiled ? tiffTag.tileByteCounts : tiffTag.stripByteCounts);
  if (!offsets || offsets.count < needed) {
    throw corruptImage("tiff", `expected the offsets of ${needed} ${what}, got ${offsets?.count ?? 0}`);
  }
  if (header.compression !== tiffCompression.none && (byteCounts?.count ?? 0) < needed) {
    throw corruptImage("tiff", `expected the lengths of ${needed} ${what}, got ${byteCounts?.count ?? 0}`);
  }
  return { tiled, width, height, across, down, offsets, byteCounts };
}
