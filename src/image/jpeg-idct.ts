/** Fractional bits of the constants, and those kept between the passes. */
const constBits = 13;
const passBits = 2;

/**
 * libjpeg's accurate integer inverse DCT (`jidctint.c`, after Loeffler, Ligtenberg and Moschytz), which Pillow
 * uses: other exact-looking ones differ by a level here and there.
 * @param coefficients 64 quantised values at `offset`, natural order
 * @param quantisation 64 steps, natural order
 * @param out receives 8 x 8 samples, 0..255, at `outOffset`, rows `stride` apart
 */
export function invertDct(
  coefficients: Int16Array,
  offset: number,
  quantisation: Uint16Array,
  out: Uint8ClampedArray,
  outOffset: number,
  stride: number,
): void {
  let last = 63;
  while (last > 0 && coefficients[offset + last] === 0) last--;
  if (last === 0) {
    // All samples are the mean: what both passes come to without the other coefficients.
    const mean = ((coefficients[offset]! * quantisation[0]! + 4) >> 3) + 128;
    for (let row = outOffset; row < outOffset + 8 * stride; row += stride) out.fill(mean, row, row + 8);
    return;
  }
  for (let i = 0; i < 64; i++) work[i] = coefficients[offset + i]! * quantisation[i]!;
  for (let column = 0; column < 8; column++) transform(column, 8, constBits - passBits);
  for (let row = 0; row < 8; row++) {
    transform(row * 8, 1, constBits + passBits + 3);
    for (let i = 0; i < 8; i++) out[outOffset + row * stride + i] = work[row * 8 + i]! + 128;
  }
}

const work = new Int32Array(64);

/** One pass over 8 values of `work`, `step` apart from `first` on, with rounding down by `shift` bits. */
function transform(first: number, step: number, shift: number): void {
  const in0 = work[first]!;
  const in1 = work[first + step]!;
  const in2 = work[first + 2 * step]!;
  const in3 = work[first + 3 * step]!;
  const in4 = work[first + 4 * step]!;
  const in5 = work[first + 5 * step]!;
  const in6 = work[first + 6 * step]!;
  const in7 = work[first + 7 * step]!;

  // The constants are the transform's, times 2 ** 13. The comments give them.
  const evenTurn = (in2 + in6) * 4433; // 0.541196100
  const even2 = evenTurn - in6 * 15137; // 1.847759065
  const even3 = evenTurn + in2 * 6270; // 0.765366865
  const even0 = (in0 + in4) << constBits;
  const even1 = (in0 - in4) << constBits;
  const half = 1 << (shift - 1);
  const e0 = even0 + even3 + half;
  const e3 = even0 - even3 + half;
  const e1 = even1 + even2 + half;
  const e2 = even1 - even2 + half;

  const turn = (in7 + in3 + in5 + in1) * 9633; // 1.175875602
  const z1 = (in7 + in1) * -7373; // 0.899976223
  const z2 = (in5 + in3) * -20995; // 2.562915447
  const z3 = (in7 + in3) * -16069 + turn; // 1.961570560
  const z4 = (in5 + in1) * -3196 + turn; // 0.390180644
  const o0 = in7 * 2446 + z1 + z3; // 0.298631336
  const o1 = in5 * 16819 + z2 + z4; // 2.053119869
  const o2 = in3 * 25172 + z2 + z3; // 3.072711026
  const o3 = in1 * 12299 + z1 + z4; // 1.501321110

  work[first] = (e0 + o3) >> shift;
  work[first + 7 * step] = (e0 - o3) >> shift;
  work[first + step] = (e1 + o2) >> shift;
  work[first + 6 * step] = (e1 - o2) >> shift;
  work[first + 2 * step] = (e2 + o1) >> shift;
  work[first + 5 * step] = (e2 - o1) >> shift;
  work[first + 3 * step] = (e3 + o0) >> shift;
  work[first + 4 * step] = (e3 - o0) >> shift;
}
