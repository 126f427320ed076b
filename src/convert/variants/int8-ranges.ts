import { invalidModel } from "../convert-error.ts";
import { isObject, showJson } from "../keras-format/json.ts";

/**
 * Smallest and largest value, by the name of the tensor, of each that is held in eight bits; all others stay float32. What lies
 * beyond is cut off. `npm run calibrate` measures them.
 */
export type Int8Ranges = Readonly<Record<string, readonly [least: number, most: number]>>;

/**
 * Checks what a file `models/<name>/int8-ranges.json` says under `ranges`.
 * @throws EmbedError `CONVERT_INVALID`, naming the tensor
 */
export function parseInt8Ranges(json: unknown): Int8Ranges {
  if (!isObject(json) || Object.keys(json).length === 0) {
    throw invalidModel(`int8 ranges: expected an object that is not empty, got ${showJson(json)}`);
  }
  for (const [name, range] of Object.entries(json)) {
    if (!isRange(range)) {
      const expected = "expected [least, most] with least <= 0 < most, both float32 numbers";
      throw invalidModel(`int8 ranges, "${name}": ${expected}, got ${showJson(range)}`);
    }
  }
  return json as Int8Ranges;
}

/** Zero must be in it, since paddings are zeros; a float32 scale must come out above zero. */
function isRange(value: unknown): boolean {
  if (!Array.isArray(value) || value.length !== 2) return false;
  const [least, most] = value as readonly unknown[];
  if (typeof least !== "number" || typeof most !== "number") return false;
  return least <= 0 && most > 0 && least >= -limit && most <= limit && Math.fround((most - least) / 255) > 0;
}

/** Far above any activation, far below where float32 ends. */
const limit = 1e30;
