import type { Pixels } from "./pixels.ts";

/**
 * Turns and mirrors a stored picture to how it is shown.
 * @param orientation 1 to 8 (TIFF 6.0, section 8); 1 gives the picture itself
 */
export function orientPixels(pixels: Pixels, orientation: number): Pixels {
  if (orientation === 1) return pixels;
  const { width, height, data } = pixels;
  const turned = orientation >= 5;
  const outWidth = turned ? height : width;
  const outHeight = turned ? width : height;
  // Which edges of the stored picture the shown one begins at.
  const fromRight = orientation === 2 || orientation === 3 || orientation === 7 || orientation === 8;
  const fromBottom = orientation === 3 || orientation === 4 || orientation === 6 || orientation === 7;
  const out = new Uint8Array(data.length);
  let to = 0;
  for (let y = 0; y < outHeight; y++) {
    for (let x = 0; x < outWidth; x++) {
      const alongX = turned ? y : x;
      const alongY = turned ? x : y;
      const sourceX = fromRight ? width - 1 - alongX : alongX;
      const sourceY = fromBottom ? height - 1 - alongY : alongY;
      const from = (sourceY * width + sourceX) * 3;
      out[to++] = data[from]!;
      out[to++] = data[from + 1]!;
      out[to++] = data[from + 2]!;
    }
  }
  return { width: outWidth, height: outHeight, data: out };
}
