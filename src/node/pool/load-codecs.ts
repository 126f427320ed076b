import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import type { ImageCodecs } from "../../image/decode-image.ts";

/** Compiles the wasm codecs once; compiled modules are shared with every worker. */
export async function loadCodecs(): Promise<ImageCodecs> {
  const [jpeg, webp] = await Promise.all([
    compile("@jsquash/jpeg/codec/dec/mozjpeg_dec.wasm"),
    compile("@jsquash/webp/codec/dec/webp_dec.wasm"),
  ]);
  return { jpeg, webp };
}

async function compile(specifier: string): Promise<WebAssembly.Module> {
  return WebAssembly.compile(await readFile(fileURLToPath(import.meta.resolve(specifier))));
}
