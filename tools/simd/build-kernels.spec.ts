import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { buildKernels, kernelBuilds } from "./build-kernels.ts";

test("the kernels in the repository are what npm run build:kernels writes", async () => {
  const folder = mkdtempSync(join(tmpdir(), "kernels-"));
  await buildKernels(folder);
  for (const build of kernelBuilds) {
    const name = `kernels-${build}.wasm`;
    const kept = readFileSync(new URL(`../../src/engine/simd/${name}`, import.meta.url));
    expect(readFileSync(join(folder, name)).equals(kept), name).toBe(true);
  }
  rmSync(folder, { recursive: true });
});
