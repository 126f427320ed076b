import { invalidModel } from "../convert-error.ts";

/** The largest number that binary16 holds; from 65520 on, rounding would give infinity. */
const largestFloat16 = 65504;

const word = new Float32Array(1);
const bits = new Uint32Array(word.buffer);

/**
 * The bits of the IEEE 754 binary16 numbers nearest to `values`, of two equally near ones the even (clause 4.3.1,
 * roundTiesToEven); numbers below 2^-14 become subnormal ones or a zero of their sign.
 * @param name of the tensor, for the message
 * @throws EmbedError `CONVERT_INVALID` if a value is not finite or too large to be held
 */
export function toFloat16(values: Float32Array, name: string): Uint16Array {
  const result = new Uint16Array(values.length);
  for (let index = 0; index < values.length; index++) {
    word[0] = values[index]!;
    const half = halfBits(bits[0]!);
    if ((half & 0x7c00) === 0x7c00) {
      throw invalidModel(
        `"${name}": expected values that float16 holds, at most ${largestFloat16}, got ${values[index]} at ${index}`,
      );
    }
    result[index] = half;
  }
  return result;
}

/** binary32 -> binary16; what is too large or not finite gets the largest exponent. */
function halfBits(float: number): number {
  const sign = (float >>> 16) & 0x8000;
  const magnitude = float & 0x7fffffff;
  // 2^16 and all above it, infinities and NaN.
  if (magnitude >= 0x47800000) return sign | 0x7c00;
  // From 2^-14 on the exponent is moved from a bias of 127 to one of 15, and 13 bits of the fraction go. A carry runs into
  // the exponent, as it should.
  if (magnitude >= 0x38800000) return sign | roundShift(magnitude - (112 << 23), 13);
  // A subnormal number counts in units of 2^-24. Its fraction gets the leading bit that binary32 leaves out.
  const exponent = magnitude >>> 23;
  const shift = 126 - exponent;
  // Below half a unit, binary32's own subnormal numbers included.
  if (shift > 24) return sign;
  return sign | roundShift((magnitude & 0x7fffff) | 0x800000, shift);
}

/** value / 2^shift to the nearest whole number, of two equally near ones the even; `shift` is 1 to 24. */
function roundShift(value: number, shift: number): number {
  const whole = value >>> shift;
  const rest = value & ((1 << shift) - 1);
  const half = 1 << (shift - 1);
  return rest > half || (rest === half && (whole & 1) === 1) ? whole + 1 : whole;
}
