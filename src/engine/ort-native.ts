import type { Engine } from "./engine.ts";
import { createOrtEngine, type OrtRuntime } from "./ort-session.ts";

/**
 * onnxruntime-node on the CPU: machine code for this very processor, so the last digits of a vector may differ
 * from one machine to another.
 * @param threads of the runtime inside each worker, at least 1
 */
export function createOrtNativeEngine(ort: OrtRuntime, threads: number): Engine {
  const options = { executionProviders: ["cpu"], intraOpNumThreads: threads, interOpNumThreads: 1 };
  const engine = createOrtEngine(ort, { name: "ort-native", library: "onnxruntime-node", options });
  return {
    ...engine,
    async load(onnx) {
      // It takes no shared memory.
      if (!(onnx.buffer instanceof SharedArrayBuffer)) return engine.load(onnx);
      const copy = onnx.slice();
      try {
        return await engine.load(copy);
      } finally {
        // It has copied what it needs; a hundred megabytes would wait for the collector.
        copy.buffer.transfer(0);
      }
    },
  };
}
