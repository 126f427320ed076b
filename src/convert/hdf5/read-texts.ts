import { invalidModel } from "../convert-error.ts";
import { type H5wasmModule, typeClass } from "./h5wasm-module.ts";

/** Of one attribute: names of layers or of weights. */
const maxTexts = 100_000;

/** Of one attribute: a model's configuration is about 1 MB for the largest of Keras's own networks. */
const maxTextBytes = 16 << 20;

/** The texts of an attribute, which HDF5 holds in places of one length or each in one of its own. */
export function readTexts(
  module: H5wasmModule,
  file: bigint,
  group: string,
  attribute: string,
): readonly string[] | undefined {
  if (!module.get_attribute_names(file, group).includes(attribute)) return undefined;
  const { type, size, vlen, shape } = module.get_attribute_metadata(file, group, attribute);
  const what = `attribute ${attribute} of ${group}`;
  // Keras writes an empty list as floats.
  const count = shape === null ? 0 : shape.reduce((a, b) => a * b, 1);
  if (count === 0) return [];
  if (type !== typeClass.string) throw invalidModel(`${what}: expected text, got class ${type} of HDF5`);
  const bytes = count * size;
  if (!(count <= maxTexts && bytes <= maxTextBytes)) {
    throw invalidModel(
      `${what}: expected at most ${maxTexts} texts and ${maxTextBytes} bytes, got ${count} texts of ${size} bytes`,
    );
  }
  const address = module._malloc(bytes);
  if (address === 0) throw new Error(`no memory for ${bytes} bytes of ${what}`);
  try {
    module.get_attribute_data(file, group, attribute, BigInt(address));
    const places = Array.from({ length: count }, (_, i) => address + i * size);
    if (!vlen) return places.map((place) => decodeText(module.HEAPU8.subarray(place, place + size)));
    const pointers = new Uint32Array(module.HEAPU8.buffer, address, count).slice();
    let left = maxTextBytes;
    const texts = Array.from(pointers, (pointer) => {
      // A text that was never written has no place.
      if (pointer === 0) return "";
      const place = module.HEAPU8.subarray(pointer, pointer + left + 1);
      const end = place.indexOf(0);
      if (end === -1) throw invalidModel(`${what}: expected at most ${maxTextBytes} bytes of text`);
      left -= end;
      return decodeText(place.subarray(0, end));
    });
    module.reclaim_vlen_memory(file, group, attribute, BigInt(address));
    return texts;
  } finally {
    module._free(address);
  }
}

/** UTF-8 up to the first zero, whatever character set the file claims: Keras marks UTF-8 as ASCII. */
function decodeText(place: Uint8Array): string {
  const end = place.indexOf(0);
  return new TextDecoder().decode(end === -1 ? place : place.subarray(0, end));
}
