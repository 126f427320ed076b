import type { WebEngineName } from "../../web-engines.ts";

/** The ways to a vector, in the order in which the page shows them: a server, then the engines of the browser. */
export const wayNames = ["server", "simd", "ort-wasm", "ort-webgpu"] as const;

export type WayName = (typeof wayNames)[number];

/** Each engine that a browser has is a way of its own. */
export type BrowserWayName = Exclude<WayName, "server"> & WebEngineName;

/** What a user reads, the same wherever a way is named. */
export const wayTitles: Readonly<Record<WayName, string>> = {
  server: "Server",
  simd: "Browser, SIMD kernels",
  "ort-wasm": "Browser, ONNX Runtime",
  "ort-webgpu": "Browser, WebGPU",
};

/** What computes there, in one line. */
export const wayDescriptions: Readonly<Record<WayName, string>> = {
  server: "Pictures are sent to the server, which gives the vectors.",
  simd: "Portico's own kernels, one thread.",
  "ort-wasm": "ONNX Runtime, up to four threads.",
  "ort-webgpu": "ONNX Runtime on the GPU of this machine.",
};
