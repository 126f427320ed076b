import type { Pixels } from "../image/pixels.ts";

/**
 * Pillow's NEAREST: source positions are walked, each the last one plus the scale in doubles (`ImagingScaleAffine`
 * in its Geometry.c). `floor((i + 0.5) * scale)` gives other pixels, one in nine at 1024 px.
 * @returns (height, width, 3) uint8 RGB
 */
export function resizeNearest(pixels: Pixels, width: number, height: number): Pixels {
  const columns = walkPositions(pixels.width, width);
  const rows = walkPositions(pixels.height, height);
  const data = new Uint8Array(width * height * 3);
  let to = 0;
  for (const row of rows) {
    const start = row * pixels.width;
    for (let x = 0; x < width; x++) {
      const from = (start + columns[x]!) * 3;
      data[to++] = pixels.data[from]!;
      data[to++] = pixels.data[from + 1]!;
      data[to++] = pixels.data[from + 2]!;
    }
  }
  return { width, height, data };
}

function walkPositions(sourceSize: number, size: number): Int32Array {
  const scale = sourceSize / size;
  const positions = new Int32Array(size);
  let position = scale * 0.5;
  for (let i = 0; i < size; i++) {
    positions[i] = Math.trunc(position);
    position += scale;
  }
  return positions;
}
