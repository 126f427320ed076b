/** One component's samples; `stride` is at least `width`. */
export interface SamplePlane {
  readonly width: number;
  readonly height: number;
  readonly stride: number;
  readonly data: Uint8ClampedArray;
}

/**
 * Row `y` of a component at full size, as libjpeg's "fancy" upsampling makes it (`jdsample.c`): triangles for
 * factors of two, plain repetition for others and for planes of two columns or fewer.
 * @param plane the component as it was coded, padding cut off
 * @param across how many times wider the picture is, 1 to 4
 * @param down how many times higher
 * @param row room for `plane.width * across` samples
 */
export function upsampleRow(
  plane: SamplePlane,
  across: number,
  down: number,
  y: number,
  row: Uint8Array,
): void {
  const own = Math.trunc(y / down);
  const smoothRow = across === 2 && plane.width > 2;
  if (down === 2 && (smoothRow || across === 1)) {
    // The upper of two rows leans to the row above, the lower one to the row below; edges repeat.
    const isUpper = y % 2 === 0;
    const near = isUpper ? Math.max(0, own - 1) : Math.min(plane.height - 1, own + 1);
    blendRows(plane, own, near, smoothRow, isUpper, row);
    return;
  }
  const start = own * plane.stride;
  if (smoothRow && down === 1) {
    widenRow(plane.data, start, plane.width, row);
    return;
  }
  for (let x = 0; x < row.length; x++) row[x] = plane.data[start + Math.trunc(x / across)]!;
}

/** h2v1: 3/4 of the nearer sample and 1/4 of the next, rounding by turns. */
function widenRow(data: Uint8ClampedArray, start: number, width: number, row: Uint8Array): void {
  for (let x = 0; x < width; x++) {
    const own = data[start + x]!;
    row[2 * x] = x === 0 ? own : (3 * own + data[start + x - 1]! + 1) >> 2;
    row[2 * x + 1] = x === width - 1 ? own : (3 * own + data[start + x + 1]! + 2) >> 2;
  }
}

/** h2v2, or h1v2 without `smoothRow`. */
function blendRows(
  { data, stride, width }: SamplePlane,
  own: number,
  near: number,
  smoothRow: boolean,
  isUpper: boolean,
  row: Uint8Array,
): void {
  const sum = (x: number) => 3 * data[own * stride + x]! + data[near * stride + x]!;
  if (!smoothRow) {
    const rounding = isUpper ? 1 : 2;
    for (let x = 0; x < width; x++) row[x] = (sum(x) + rounding) >> 2;
    return;
  }
  for (let x = 0; x < width; x++) {
    const here = sum(x);
    row[2 * x] = x === 0 ? (4 * here + 8) >> 4 : (3 * here + sum(x - 1) + 8) >> 4;
    row[2 * x + 1] = x === width - 1 ? (4 * here + 7) >> 4 : (3 * here + sum(x + 1) + 7) >> 4;
  }
}
