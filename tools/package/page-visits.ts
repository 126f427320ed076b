import { packageFile } from "../../src/node/package-file.ts";
import type { Visit } from "./visit-page.ts";

/** Where the package's side for pages lies on a host that serves an installed package. */
export const inPackage = "/node_modules/portico/dist/browser";

/** No kernels, as the engine finds out when it starts them. */
const foreignWasm = packageFile("node_modules/@jsquash/webp/codec/dec/webp_dec.wasm");

/** A page, and what must run in it: the engine, and threads of onnxruntime-web. */
export interface PageVisit extends Omit<Visit, "chromium" | "onnxFile"> {
  readonly runs: string;
  readonly ortThreads: number;
}

/**
 * Every way in which a page has the package.
 * @param installed folder of an installed package, whose page needs no bundler
 * @param bundled the same page bundled by Vite
 */
export function pageVisits(installed: string, bundled: string): readonly PageVisit[] {
  const viteBuilt = { root: bundled, page: "index.html" };
  const plain = { root: installed, page: "plain.html" };
  const ortWasm = { engine: "ort-wasm", runs: "ort-wasm", threads: 2 };
  return [
    { ...viteBuilt, engine: "auto", threads: 1, isIsolated: false, runs: "simd", ortThreads: 0 },
    // More threads than such a page can have.
    { ...viteBuilt, ...ortWasm, isIsolated: false, ortThreads: 1 },
    { ...viteBuilt, ...ortWasm, isIsolated: true, ortThreads: 2 },
    { ...plain, engine: "simd", threads: 1, isIsolated: true, runs: "simd", ortThreads: 0 },
    { ...plain, ...ortWasm, isIsolated: true, ortThreads: 2 },
    {
      ...{ ...plain, engine: "auto", threads: 1, isIsolated: false, runs: "ort-wasm", ortThreads: 1 },
      instead: {
        [`${inPackage}/kernels-plain.wasm`]: foreignWasm,
        [`${inPackage}/kernels-relaxed.wasm`]: foreignWasm,
      },
    },
  ];
}
