import type { InferenceSession, Tensor, TensorConstructor } from "onnxruntime-web";
import { EmbedError } from "../errors.ts";
import type { Engine, EngineSession } from "./engine.ts";

/** The part of onnxruntime-web that this engine uses; the host imports the build that fits it. */
export interface OrtRuntime {
  readonly InferenceSession: {
    create(model: Uint8Array, options: InferenceSession.SessionOptions): Promise<InferenceSession>;
  };
  readonly Tensor: TensorConstructor;
}

/**
 * onnxruntime-web on the CPU: WebAssembly with plain SIMD, which gives bit-identical vectors on every
 * machine. The number of threads is the runtime's own global setting (`env.wasm.numThreads`), made by
 * the host before the first model is loaded.
 */
export function createOrtWasmEngine(ort: OrtRuntime): Engine {
  return {
    name: "ort-wasm",
    load: (onnx) => loadSession(ort, onnx),
  };
}

async function loadSession(ort: OrtRuntime, onnx: Uint8Array): Promise<EngineSession> {
  let session: InferenceSession;
  try {
    session = await ort.InferenceSession.create(onnx, { executionProviders: ["wasm"] });
  } catch (cause) {
    throw new EmbedError("MODEL_CORRUPT", `onnxruntime-web cannot load this model of ${onnx.length} bytes`, {
      cause,
    });
  }
  const input = tensorShape(session, "input", 4);
  const output = tensorShape(session, "output", 2);
  const [height, width, channels] = input.shape.slice(1) as [number, number, number];
  const dimension = output.shape[1] as number;

  return {
    inputShape: [height, width, channels],
    dimension,
    async run(tensor, batch) {
      let reply: InferenceSession.OnnxValueMapType;
      try {
        const feed = new ort.Tensor("float32", tensor, [batch, height, width, channels]);
        reply = await session.run({ [input.name]: feed });
      } catch (cause) {
        throw new EmbedError("ENGINE_FAILED", `ort-wasm could not run a batch of ${batch}`, { cause });
      }
      const features = reply[output.name] as Tensor;
      // The runtime may hand out a view of memory that its next run writes to.
      const copy = Float32Array.from(features.data as Float32Array);
      features.dispose();
      return copy;
    },
    dispose: () => session.release(),
  };
}

/**
 * Name and shape of the model's only input or output.
 * @throws EmbedError `ENGINE_UNSUPPORTED` unless there is exactly one, float32, of this rank, with only the batch left open
 */
function tensorShape(session: InferenceSession, side: "input" | "output", rank: number) {
  const metadata = side === "input" ? session.inputMetadata : session.outputMetadata;
  const only = metadata[0];
  if (
    metadata.length !== 1 ||
    !only?.isTensor ||
    only.type !== "float32" ||
    only.shape.length !== rank ||
    only.shape.slice(1).some((size) => typeof size !== "number")
  ) {
    const found = metadata.map((value) =>
      value.isTensor ? `${value.name}: ${value.type}[${value.shape}]` : value.name,
    );
    throw new EmbedError(
      "ENGINE_UNSUPPORTED",
      `ort-wasm expects one float32 ${side} of rank ${rank} with a fixed shape behind the batch, got ${found.join(", ") || "none"}`,
    );
  }
  return { name: only.name, shape: only.shape };
}
