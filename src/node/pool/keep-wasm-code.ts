import { setFlagsFromString } from "node:v8";

/**
 * Makes V8 keep the machine code of WebAssembly functions that nothing calls any more, in this process; to be
 * called before the first thread that uses WebAssembly starts.
 *
 * V8 13.6 (Node 24, up to 24.21 at least) may free such code twice when one thread ends or drops an instance
 * while another one begins to use the same import often: the whole process then ends by SIGSEGV, or by SIGTRAP
 * at a failed check of V8 (nodejs/node#66366; mended in V8 by commit 9b8ca54d5a). Threads come and go here
 * whenever a picture takes too long, so a server must not depend on luck. What stays is bounded: the first,
 * quickly compiled code of each module, a few megabytes; a module that nobody has any more is freed as before.
 */
export function keepWasmCode(): void {
  setFlagsFromString("--no-wasm-code-gc");
}
