import { createRequire } from "node:module";
import type { OrtRuntime } from "../../engine/ort-session.ts";
import { EmbedError } from "../../errors.ts";
import { callNative, callNativeNow, type NativeCallState } from "./native-calls.ts";

/** An optional peer: only who wants `ort-native` installs it. The version that was tested. */
export const ortNativePackage = { name: "onnxruntime-node", version: "1.30.0" } as const;

/** Not `import`: the package is loaded at once or not at all, and a thread may be ended at any moment. */
const require = createRequire(import.meta.url);

/** Its own script would fetch CUDA libraries, which are not used. */
const mend = `npm install --ignore-scripts ${ortNativePackage.name}@${ortNativePackage.version}`;

/** `package.json` of onnxruntime-node where it is installed; loads nothing. */
export function findOrtNative(): string | undefined {
  try {
    return require.resolve(`${ortNativePackage.name}/package.json`);
  } catch {
    // Not there, whatever the reason.
    return undefined;
  }
}

/** What is to be done before `ort-native` can be tried; undefined if its package is installed. */
export function ortNativeLacks(): string | undefined {
  if (findOrtNative() !== undefined) return undefined;
  return `--engine ort-native needs a package that is not installed; install it with: ${mend}`;
}

/**
 * onnxruntime-node for one worker; its machine code is not interrupted by the end of the thread.
 * @throws EmbedError `CONFIG_INVALID` if it cannot be loaded: this machine has another processor or C library
 */
export function loadNativeRuntime(state: NativeCallState): OrtRuntime {
  const { InferenceSession, Tensor } = callNativeNow(state, requirePackage);
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

function requirePackage(): OrtRuntime {
  try {
    return require(ortNativePackage.name) as OrtRuntime;
  } catch (cause) {
    const why = (cause as Error).message.split("\n")[0];
    throw new EmbedError("CONFIG_INVALID", `--engine ort-native cannot load its package: ${why}`, { cause });
  }
}
