import { readFile } from "node:fs/promises";
import { hasRelaxedSimd } from "../../engine/simd/relaxed-simd.ts";
import { packageFile, packageFileError } from "../package-file.ts";

/**
 * Compiles the build of the SIMD kernels that suits this host; the module is shared with every worker.
 * @throws EmbedError `CONFIG_INVALID` if it is missing or damaged
 */
export async function loadKernels(isRelaxed = hasRelaxedSimd()): Promise<WebAssembly.Module> {
  const build = isRelaxed ? "relaxed" : "plain";
  const file = packageFile(`src/engine/simd/kernels-${build}.wasm`);
  try {
    return await WebAssembly.compile(await readFile(file));
  } catch (cause) {
    throw packageFileError(file, cause);
  }
}
