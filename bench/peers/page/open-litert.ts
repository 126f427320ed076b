import { fetchBytes, type PageEngine, packageVersion } from "./page-engine.ts";

/** The part of @litertjs/core that is used. */
interface LiteRt {
  loadLiteRt(folder: string, options: { readonly threads: boolean }): Promise<unknown>;
  loadAndCompile(model: Uint8Array, options: object): Promise<{ run(input: Tensor): Promise<Tensor[]> }>;
  readonly Tensor: new (data: Float32Array, shape: readonly number[]) => Tensor;
}

interface Tensor {
  toTypedArray(): Float32Array;
  delete(): void;
}

/** In a variable, since only who runs this has the package. */
const name = "@litertjs/core";

/** LiteRT.js on the CPU: XNNPACK in WebAssembly. */
export async function openLiteRt(threads: number): Promise<PageEngine> {
  const { loadLiteRt, loadAndCompile, Tensor } = (await import(name)) as LiteRt;
  await loadLiteRt(`/modules/${name}/wasm/`, { threads: true });
  const model = await loadAndCompile(await fetchBytes("/files/resnet50.tflite"), {
    accelerator: "wasm",
    cpuOptions: { numThreads: threads },
  });
  return {
    version: await packageVersion(name),
    async run(tensor) {
      const input = new Tensor(tensor, [1, 224, 224, 3]);
      const [output] = await model.run(input);
      const features = Float32Array.from(output!.toTypedArray());
      input.delete();
      output!.delete();
      return features;
    },
  };
}
