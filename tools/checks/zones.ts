/** The zones and the import order of docs/architecture.md, as data. */

/** Folders (or files) of src and what each may import of ours. No entry, no import: there are no back edges. */
export const allowedImports: Readonly<Record<string, readonly string[]>> = {
  errors: [],
  gen: [],
  image: ["errors"],
  preprocess: ["errors", "image"],
  engine: ["errors", "gen"],
  embed: ["errors", "image", "preprocess", "engine"],
  service: ["errors", "gen", "embed"],
  convert: ["errors", "gen", "image"],
  client: ["errors", "gen"],
  node: ["errors", "gen", "image", "preprocess", "engine", "embed", "service", "convert"],
  web: ["errors", "gen", "image", "preprocess", "engine", "embed", "service", "convert", "client"],
  conformance: ["errors", "gen"],
  cli: [
    "errors",
    "gen",
    "image",
    "preprocess",
    "engine",
    "embed",
    "service",
    "convert",
    "node",
    "conformance",
  ],
};

/** The portable core: runs unchanged in Node, in a browser and in a worker. */
export const coreFolders = [
  "errors",
  "gen",
  "image",
  "preprocess",
  "engine",
  "embed",
  "service",
  "convert",
  "client",
];

/**
 * Libraries that the core may import, each with its reason. All of them run unchanged in a browser; their
 * wasm comes in as a compiled module.
 */
export const coreLibraries: Readonly<Record<string, string>> = {
  "@bufbuild/protobuf": "messages of the contract and of ONNX",
  "@connectrpc/connect": "routes and errors; the transport is the host's",
  "@connectrpc/connect-web": "the transport of the client: it needs fetch alone",
  "@jsquash/jpeg": "mozjpeg as wasm: bit-exact with Pillow",
  "@jsquash/webp": "libwebp as wasm: bit-exact with Pillow",
  "onnxruntime-web": "types only; the runtime is injected",
};
