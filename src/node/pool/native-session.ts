import type { OrtRuntime } from "../../engine/ort-session.ts";
import { callNative, type NativeCallState } from "./native-calls.ts";

type Sessions = OrtRuntime["InferenceSession"];

/** Sessions whose machine code is not interrupted by the end of the thread. */
export function guardSessions(state: NativeCallState, sessions: Sessions): Sessions {
  return {
    async create(model, options) {
      const session = await callNative(state, () => sessions.create(model, options));
      return {
        inputMetadata: session.inputMetadata,
        outputMetadata: session.outputMetadata,
        run: (feeds) => callNative(state, () => session.run(feeds)),
        release: () => callNative(state, () => session.release()),
      };
    },
  };
}
