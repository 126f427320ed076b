import type { OrtRuntime } from "../../engine/ort-session.ts";
import { type EnginePackage, requireEnginePackage } from "./engine-package.ts";
import { callNative, callNativeNow, type NativeCallState } from "./native-calls.ts";

/** Its own script would fetch CUDA libraries, which are not used. */
export const ortNativePackage = {
  engine: "ort-native",
  name: "onnxruntime-node",
  version: "1.30.0",
} as const satisfies EnginePackage;

/**
 * onnxruntime-node for one worker; its machine code is not interrupted by the end of the thread.
 * @throws EmbedError `CONFIG_INVALID` if it cannot be loaded: this machine has another processor or C library
 */
export function loadNativeRuntime(state: NativeCallState): OrtRuntime {
  const { InferenceSession, Tensor } = callNativeNow(state, () =>
    requireEnginePackage<OrtRuntime>(ortNativePackage),
  );
  return {
    Tensor,
    InferenceSession: {
      async create(model, options) {
        const session = await callNative(state, () => InferenceSession.create(model, options));
        return {
          inputMetadata: session.inputMetadata,
          outputMetadata: session.outputMetadata,
          run: (feeds) => callNative(state, () => session.run(feeds)),
          release: () => session.release(),
        };
      },
    },
  };
}
