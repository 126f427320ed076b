import { decodeGifLzw } from "./gif-lzw.ts";
import { readGifHeader } from "./header-gif.ts";
import type { Pixels } from "./pixels.ts";
import { spreadPalette } from "./spread-palette.ts";

/** The row that follows `y` in an interlaced frame of GIF (GIF89a specification, appendix E). */
const interlacePasses = [
  { y0: 0, dy: 8 },
  { y0: 4, dy: 8 },
  { y0: 2, dy: 4 },
  { y0: 1, dy: 2 },
] as const;

/**
 * Decodes the first frame of a GIF on its canvas. Where the frame does not reach, the canvas has the colour of
 * the frame's transparent index, or of index 0, as Pillow fills it. A transparent pixel keeps its colour.
 * @returns (height, width, 3) uint8 RGB, as Pillow's `convert("RGB")`
 * @throws EmbedError `IMAGE_CORRUPT`
 */
export function decodeGif(bytes: Uint8Array): Pixels {
  const header = readGifHeader(bytes);
  const { width, height, frame } = header;
  const indices = new Uint8Array(frame.width * frame.height);
  decodeGifLzw(bytes, header.dataOffset, indices);

  const colours = spreadPalette(header.palette);
  const data = new Uint8Array(width * height * 3);
  if (frame.width < width || frame.height < height) {
    const fill = colours.subarray(3 * (header.transparentIndex ?? 0), 3 * (header.transparentIndex ?? 0) + 3);
    data.set(fill);
    // Each copy doubles what is filled.
    for (let filled = 3; filled < data.length; filled *= 2) data.copyWithin(filled, 0, filled);
  }
  const rows = header.interlaced ? interlacePasses : [{ y0: 0, dy: 1 }];
  let from = 0;
  for (const { y0, dy } of rows) {
    for (let y = y0; y < frame.height; y += dy) {
      let to = ((frame.y + y) * width + frame.x) * 3;
      for (let x = 0; x < frame.width; x++) {
        const colour = 3 * indices[from++]!;
        data[to++] = colours[colour]!;
        data[to++] = colours[colour + 1]!;
        data[to++] = colours[colour + 2]!;
      }
    }
  }
  return { width, height, data };
}
