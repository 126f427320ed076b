import { expectReport, photoFile, type Report } from "./expect-reports.ts";
import { inChromium } from "./in-chromium.ts";
import { startPageHost } from "./page-host.ts";

/** A page fetches and hashes the model a few times on a busy machine. */
export const pageTimeoutMs = 180_000;

export interface Visit {
  readonly chromium: string;
  /** The converted model. */
  readonly onnxFile: string;
  readonly root: string;
  readonly page: string;
  readonly engine: string;
  readonly threads: number;
  readonly isIsolated: boolean;
  /** What the host gives instead of its own files. */
  readonly instead?: Readonly<Record<string, string>>;
}

/** How often page.js opens an embedder that starts. */
const openings = 4;

/** Each thread of onnxruntime-web fetches its module. */
const isOrtModule = (path: string) => /\/ort\.wasm\.bundle\.min[^/]*\.mjs$/.test(path);

/** Opens a page with page.js. @returns what it reported, and how many threads onnxruntime-web had */
export async function visit(one: Visit): Promise<{ readonly report: Report; readonly ortModules: number }> {
  const { chromium, root, page, engine, threads, isIsolated } = one;
  const host = await startPageHost({
    folder: root,
    files: { "/model.onnx": one.onnxFile, "/photo.jpg": photoFile, ...one.instead },
    isIsolated,
    hasInlineScripts: page === "plain.html",
  });
  try {
    const url = `${host.url}/${page}?engine=${engine}&threads=${threads}`;
    const report = JSON.parse(await inChromium(chromium, url, host.report(), pageTimeoutMs)) as Report;
    return { report, ortModules: host.paths.filter(isOrtModule).length };
  } finally {
    await host.close();
  }
}

/** @throws Error unless the page saw what it must */
export async function checkVisit(one: Visit, expected: object, ortThreads: number): Promise<void> {
  const { report, ortModules } = await visit(one);
  if (report.error !== undefined) throw new Error(report.error);
  if (ortModules !== openings * ortThreads) {
    throw new Error(`expected ${openings} x ${ortThreads} threads with onnxruntime-web, got ${ortModules}`);
  }
  // `auto` begins with a GPU, which Chromium is told not to have.
  const started = [...(one.engine === "auto" ? ["engine-passed-over"] : []), "engine-ready"];
  expectReport(report, {
    isolated: one.isIsolated,
    reasons: {
      badPicture: "IMAGE_UNSUPPORTED",
      aborted: "CANCELLED",
      noModel: "MODEL_UNKNOWN",
      noEngine: "CONFIG_INVALID",
      noFile: "CONFIG_INVALID",
      otherFile: "MODEL_CORRUPT",
      stopped: "CANCELLED",
      disposed: "SHUTTING_DOWN",
      afterDispose: "SHUTTING_DOWN",
      unreachable: "MODEL_UNREACHABLE",
      shorter: "MODEL_CORRUPT",
    },
    firstEvents: ["downloading", ...started],
    secondEvents: ["cached", ...started],
    brokenEvents: ["downloading", ...started],
    unkeptEvents: ["not-kept", "downloading", ...started],
    ...expected,
  });
}
