import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import type { ImageCodecs } from "../../image/decode-image.ts";
import { packageFileError } from "../package-file.ts";

/**
 * Compiles the wasm codecs once; compiled modules are shared with every worker.
 * @throws EmbedError `CONFIG_INVALID` if one is missing or damaged
 */
export async function loadCodecs(): Promise<ImageCodecs> {
  const [jpeg, webp] = await Promise.all([
    compile("@jsquash/jpeg/codec/dec/mozjpeg_dec.wasm"),
    compile("@jsquash/webp/codec/dec/webp_dec.wasm"),
  ]);
  return { jpeg, webp };
}

async function compile(specifier: string): Promise<WebAssembly.Module> {
  try {
    return await WebAssembly.compile(await readFile(fileURLToPath(import.meta.resolve(specifier))));
  } catch (cause) {
    throw packageFileError(specifier, cause);
  }
}
