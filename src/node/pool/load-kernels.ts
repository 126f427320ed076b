import { readFile } from "node:fs/promises";
import { hasRelaxedSimd } from "../../engine/simd/relaxed-simd.ts";
import { packageFile } from "../package-file.ts";

/** Compiles the build of the SIMD kernels that suits this host; the module is shared with every worker. */
export async function loadKernels(isRelaxed = hasRelaxedSimd()): Promise<WebAssembly.Module> {
  const build = isRelaxed ? "relaxed" : "plain";
  return WebAssembly.compile(await readFile(packageFile(`src/engine/simd/kernels-${build}.wasm`)));
}
