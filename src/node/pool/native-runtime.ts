import type { OrtRuntime } from "../../engine/ort-session.ts";
import { type EnginePackage, requireEnginePackage } from "./engine-package.ts";
import { callNativeNow, type NativeCallState } from "./native-calls.ts";
import { guardSessions } from "./native-session.ts";

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
  return { Tensor, InferenceSession: guardSessions(state, InferenceSession) };
}
