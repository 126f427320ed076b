import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { build } from "rolldown";

/**
 * Writes the package's side for pages: modules that import nothing, and the files that they fetch, beside them. So a page
 * may take it from any host as it is (a worker knows no import map), and bundlers bring the files along, since each is
 * named as `new URL("./FILE", import.meta.url)`. Left as it is written, not minified: that is the bundler's work. The decoders
 * of all formats but JPEG are a module of their own for the same reason, and no chunk that both share: bundlers write
 * workers as one script each, and Vite refuses to split one.
 * @param folder such as dist/browser
 */
export async function buildBrowser(folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  for (const name of ["index", "embed-worker", "other-decoders"]) {
    await build({
      input: `src/web/${name}.ts`,
      platform: "browser",
      logLevel: "warn",
      output: { file: join(folder, `${name}.js`), format: "esm", codeSplitting: false },
    });
  }
  for (const [name, content] of Object.entries(browserFiles())) writeFileSync(join(folder, name), content);
  writeFileSync(join(folder, "LICENSES.txt"), licences(bundledPackages));
}

/** What the bundles fetch from beside them, by file name. */
export function browserFiles(): Readonly<Record<string, Uint8Array | string>> {
  const copies = [
    "node_modules/@jsquash/jpeg/codec/dec/mozjpeg_dec.wasm",
    "node_modules/@jsquash/webp/codec/dec/webp_dec.wasm",
    "node_modules/onnxruntime-web/dist/ort-wasm-simd-threaded.wasm",
    "node_modules/onnxruntime-web/dist/ort-wasm-simd-threaded.asyncify.wasm",
    "src/engine/simd/kernels-plain.wasm",
    "src/engine/simd/kernels-relaxed.wasm",
  ];
  return {
    ...Object.fromEntries(copies.map((file) => [basename(file), readFileSync(file)])),
    ...Object.fromEntries(
      ["ort.wasm.bundle.min.mjs", "ort.webgpu.bundle.min.mjs"].map((file) => [file, ortModule(file)]),
    ),
    "resnet50.json": modelFacts("resnet50", "jpeg/crop-256x256.jpg"),
  };
}

/** Without its map, which stays behind: development servers would complain that it is missing. */
function ortModule(file: string): string {
  const text = readFileSync(`node_modules/onnxruntime-web/dist/${file}`, "utf8");
  return text.replace(/^\/\/# sourceMappingURL=.*$/m, "");
}

/** Packages of others in the bundles and the files beside them, and the files with the texts that come with each. */
export const bundledPackages: Readonly<Record<string, readonly string[]>> = {
  "@bufbuild/protobuf": [],
  "@jsquash/jpeg": ["LICENSE", "codec/LICENSE.codec.md"],
  "@jsquash/webp": ["LICENSE", "codec/LICENSE.codec.md"],
  "onnxruntime-web": [],
};

/** What a bundle holds of others, with the texts that come with it. */
export function licences(packages: Readonly<Record<string, readonly string[]>>): string {
  const parts = Object.entries(packages).map(([name, files]) => {
    const folder = `node_modules/${name}`;
    const { version, license } = JSON.parse(readFileSync(`${folder}/package.json`, "utf8")) as {
      readonly version: string;
      readonly license: string;
    };
    const texts = files.map((file) => readFileSync(`${folder}/${file}`, "utf8").trim());
    return [`${name} ${version}: ${license}`, ...texts].join("\n\n");
  });
  return `${parts.join("\n\n----\n\n")}\n`;
}

/** Manifest and self-check of a model, as src/web/package-assets.ts reads them: one small file, without a photograph. */
function modelFacts(model: string, picture: string): string {
  const manifest: unknown = JSON.parse(readFileSync(`models/${model}/manifest.json`, "utf8"));
  const golden = JSON.parse(readFileSync(`fixtures/golden/embedding/${picture}.json`, "utf8")) as {
    readonly vector: string;
    readonly tolerance: number;
  };
  const { vector, tolerance } = golden;
  const bytes = readFileSync(`fixtures/images/${picture}`, "base64");
  return JSON.stringify({ manifest, selfCheck: { name: picture, bytes, vector, tolerance } });
}
