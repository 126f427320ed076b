import { mkdirSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { main as asc } from "assemblyscript/asc";

const folder = fileURLToPath(new URL("../../src/engine/simd", import.meta.url));

/** What both builds are made with. Higher than -O2 nests the sums of a kernel, which then spill. */
const settings = [
  ...["-O2", "--noAssert", "--runtime", "stub", "--use", "abort="],
  ...[
    "--importMemory",
    "--sharedMemory",
    "--initialMemory",
    "1",
    "--maximumMemory",
    "65536",
    "--stackSize",
    "0",
  ],
  ...["--enable", "simd", "--enable", "relaxed-simd", "--enable", "threads"],
];

export const kernelBuilds = ["relaxed", "plain"] as const;

/** Compiles both builds of the kernels to `kernels-relaxed.wasm` and `kernels-plain.wasm` in `target`. */
export async function buildKernels(target = folder): Promise<void> {
  mkdirSync(target, { recursive: true });
  for (const build of kernelBuilds) {
    const { error, stderr } = await asc([
      ...[resolve(folder, "kernels/index.ts"), "--baseDir", dirname(folder)],
      ...["--outFile", resolve(target, `kernels-${build}.wasm`)],
      ...["--use", `RELAXED=${build === "relaxed" ? 1 : 0}`, ...settings],
    ]);
    if (error) throw new Error(`the ${build} kernels were not built: ${stderr.toString()}`, { cause: error });
  }
}

if (import.meta.main) await buildKernels();
