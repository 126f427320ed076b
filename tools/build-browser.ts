import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { build } from "rolldown";

/**
 * Writes dist/browser, the package's side for pages: two modules that import nothing, and the files that they fetch,
 * beside them. So a page may take it from any host as it is (a worker knows no import map), and bundlers bring
 * the files along, since each is named as `new URL("./FILE", import.meta.url)`. Left as it is written, not minified:
 * that is the bundler's work.
 */
export async function buildBrowser(): Promise<void> {
  for (const [name, input] of Object.entries({
    index: "src/web/index.ts",
    "embed-worker": "src/web/embed-worker.ts",
  })) {
    await build({
      input,
      platform: "browser",
      logLevel: "warn",
      output: { file: `dist/browser/${name}.js`, format: "esm", codeSplitting: false },
    });
  }
  for (const file of [
    "node_modules/@jsquash/jpeg/codec/dec/mozjpeg_dec.wasm",
    "node_modules/@jsquash/webp/codec/dec/webp_dec.wasm",
    "node_modules/onnxruntime-web/dist/ort-wasm-simd-threaded.wasm",
    "src/engine/simd/kernels-plain.wasm",
    "src/engine/simd/kernels-relaxed.wasm",
  ]) {
    copyFileSync(file, `dist/browser/${file.split("/").at(-1)}`);
  }
  const ort = readFileSync("node_modules/onnxruntime-web/dist/ort.wasm.bundle.min.mjs", "utf8");
  // Its map stays behind: development servers would complain that it is missing.
  writeFileSync("dist/browser/ort.wasm.bundle.min.mjs", ort.replace(/^\/\/# sourceMappingURL=.*$/m, ""));
  writeFileSync("dist/browser/LICENSES.txt", licences());
  writeFileSync("dist/browser/resnet50.json", modelFacts("resnet50", "jpeg/crop-256x256.jpg"));
}

/** What the bundles and the files beside them hold of others, with the texts that come with it. */
function licences(): string {
  const packages: Readonly<Record<string, readonly string[]>> = {
    "@bufbuild/protobuf": [],
    "@jsquash/jpeg": ["LICENSE", "codec/LICENSE.codec.md"],
    "@jsquash/webp": ["LICENSE", "codec/LICENSE.codec.md"],
    "onnxruntime-web": [],
  };
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
