import type { Run } from "../results.ts";
import { scriptMaxBytes, type WaySizes } from "../sizes.ts";
import { markdownTable } from "./markdown.ts";

const titles: Readonly<Record<WaySizes["way"], string>> = {
  server: "the server",
  simd: "this browser, `simd`",
  "ort-wasm": "this browser, `ort-wasm`",
  "ort-webgpu": "this browser, `ort-webgpu`",
};

/** docs/sizes.md, from what a run counted. */
export function sizesPage({ report, machine, date, command }: Run<"sizes">): string {
  const rows = report.ways.map((sizes) => {
    const { way, variant, isComputed, requests, page, script, wasm, facts, model } = sizes;
    const without = page + script + wasm + facts;
    const parts = [page, script, wasm, facts, without, without + model].map(kilobytes);
    return [
      `${titles[way]}${isComputed ? " (computed)" : ""}`,
      way === "server" ? "" : variant,
      ...parts,
      String(requests),
    ];
  });
  return `# Sizes

What a browser fetches from an empty profile until the first JPEG has its vector, over the wire, in kB (1000 bytes). Written by
\`${command}\`, which counts in a real Chromium what the built server sends; ${machine.system}, Node ${machine.node}, ${date}.

${markdownTable(
  [
    "way",
    "model",
    { figures: "page, style" },
    { figures: "script" },
    { figures: "wasm" },
    { figures: "manifest, self-check" },
    { figures: "without the model" },
    { figures: "with it" },
    { figures: "requests" },
  ],
  rows,
)}

- The script, wasm and model apart, must stay below ${scriptMaxBytes / 1000} kB for every way; \`npm run sizes\` and a step of \`npm test\` fail
  above it, and so does a spec for all ways together (tools/build-page.spec.ts).
- Files are compressed with brotli. Over plain http from another machine browsers take gzip only, and no engine of theirs runs.
- WebP, PNG, GIF, BMP and TIFF decoders are fetched with the first such picture, the runtime of an engine with its first use.
- \`fp16\` and \`int8\` are smaller forms of the model, each a vector space of its own ([variants.md](variants.md)); the page offers
  those that are prepared.
- The model is kept by the Cache API and the page by its service worker: a second visit fetches nothing but what has changed.
- The service worker fetches the small files once more, when the page is there, mostly from the HTTP cache; that is not counted.
- \`ort-webgpu\` is computed: \`ort-wasm\` with the other runtime's files. Without a GPU its first picture takes minutes.
`;
}

const kilobytes = (bytes: number): string =>
  Math.round(bytes / 1000)
    .toLocaleString("en")
    .replaceAll(",", " ");
