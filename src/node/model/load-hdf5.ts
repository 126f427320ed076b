import { createHdf5Opener } from "../../convert/hdf5/h5wasm-file.ts";
import type { OpenHdf5 } from "../../convert/hdf5/hdf5-file.ts";
import { capWasmMemory } from "./cap-wasm-memory.ts";

/**
 * The most memory that h5wasm may have. It begins with 19 MB and reads weights in pieces of 4 MB, so that a sound file
 * of any size needs little more; a hostile one may want all there is.
 */
export const hdf5MaxMemoryBytes = 128 << 20;

let opener: Promise<OpenHdf5> | undefined;

/**
 * Loads h5wasm into this thread, which must have no other WebAssembly and must be ended after an error: what the
 * library, written in C, does after a hostile file is not known.
 */
export function loadHdf5(): Promise<OpenHdf5> {
  opener ??= load();
  return opener;
}

async function load(): Promise<OpenHdf5> {
  capWasmMemory(hdf5MaxMemoryBytes);
  // Where Emscripten gives up, it says so there; the error says it too.
  console.error = () => undefined;
  const { ready } = await import("h5wasm");
  return createHdf5Opener(await ready);
}
