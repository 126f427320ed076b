import type { InferenceSession, Tensor, TensorConstructor } from "onnxruntime-web";
import { EmbedError } from "../errors.ts";
import type { Engine, EngineName, EngineSession } from "./engine.ts";

/** The part of an ONNX Runtime for JavaScript that an engine uses; the host brings the build that fits it. */
export interface OrtRuntime {
  readonly InferenceSession: {
    create(model: Uint8Array, options: InferenceSession.SessionOptions): Promise<OrtSession>;
  };
  readonly Tensor: TensorConstructor;
}

export interface OrtSession extends Pick<InferenceSession, "inputMetadata" | "outputMetadata" | "release"> {
  run(feeds: InferenceSession.FeedsType): Promise<InferenceSession.ReturnType>;
}

/** In what the engines over ONNX Runtime differ. */
export interface OrtFlavour {
  readonly name: EngineName;
  /** The npm package, for messages. */
  readonly library: string;
  readonly options: InferenceSession.SessionOptions;
}

/**
 * ONNX Runtime's `Pad_Fusion` (pad_fusion.cc) lets a max pool do the padding with zeros before it, but a max pool pads
 * with minus infinity: where a whole window is below zero the result is wrong, as in ResNet50V2. The converter folds
 * what may be folded.
 */
const padsAsWritten: InferenceSession.SessionOptions = {
  extra: { optimization: { disable_specified_optimizers: "Pad_Fusion" } },
};

/** An engine over any build of ONNX Runtime. */
export function createOrtEngine(ort: OrtRuntime, flavour: OrtFlavour): Engine {
  return {
    name: flavour.name,
    load: (onnx) => loadSession(ort, flavour, onnx),
  };
}

async function loadSession(
  ort: OrtRuntime,
  { name, library, options }: OrtFlavour,
  onnx: Uint8Array,
): Promise<EngineSession> {
  let session: OrtSession;
  try {
    session = await ort.InferenceSession.create(onnx, { ...padsAsWritten, ...options });
  } catch (cause) {
    throw new EmbedError("MODEL_CORRUPT", `${library} cannot load this model of ${onnx.length} bytes`, {
      cause,
    });
  }
  const input = tensorShape(name, session, "input", 4);
  const output = tensorShape(name, session, "output", 2);
  const [height, width, channels] = input.shape.slice(1) as [number, number, number];
  const dimension = output.shape[1] as number;
  // As many tools export a model: for one picture at a time.
  const takesOne = input.shape[0] === 1;

  return {
    inputShape: [height, width, channels],
    dimension,
    async run(tensor, batch) {
      if (batch === 1 || !takesOne) return runOnce(tensor, batch);
      const features = new Float32Array(batch * dimension);
      const length = tensor.length / batch;
      for (let i = 0; i < batch; i++) {
        features.set(await runOnce(tensor.subarray(i * length, (i + 1) * length), 1), i * dimension);
      }
      return features;
    },
    dispose: () => session.release(),
  };

  async function runOnce(tensor: Float32Array, batch: number): Promise<Float32Array> {
    let reply: InferenceSession.OnnxValueMapType;
    try {
      const feed = new ort.Tensor("float32", tensor, [batch, height, width, channels]);
      reply = await session.run({ [input.name]: feed });
    } catch (cause) {
      throw new EmbedError("ENGINE_FAILED", `${name} could not run a batch of ${batch}`, { cause });
    }
    const features = reply[output.name] as Tensor;
    // The runtime may hand out a view of memory that its next run writes to.
    const copy = Float32Array.from(features.data as Float32Array);
    features.dispose();
    return copy;
  }
}

/**
 * Name and shape of the model's only input or output.
 * @throws EmbedError `ENGINE_UNSUPPORTED` unless there is exactly one, float32, of this rank, with only the batch left open
 */
function tensorShape(engine: EngineName, session: OrtSession, side: "input" | "output", rank: number) {
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
      `${engine} expects one float32 ${side} of rank ${rank} with a fixed shape behind the batch, got ${found.join(", ") || "none"}`,
    );
  }
  return { name: only.name, shape: only.shape };
}
