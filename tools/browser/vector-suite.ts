import type { Page } from "playwright-core";
import { measureDistance } from "../../src/conformance/compare-vectors.ts";
import type { Accuracy, VariantName } from "../../src/embed/model-manifest.ts";
import { engineTolerance } from "../../src/engine/engine-tolerances.ts";
import { findModelVariant } from "../../src/node/model/model-catalog.ts";
import { prepareModel } from "../../src/node/model/model-store.ts";
import { listVectorGoldens, readVectorGolden } from "../../src/node/model/vector-golden.ts";
import { packageFile } from "../../src/node/package-file.ts";
import type { WebEngineName } from "../../src/web/index.ts";
import { buildPackageForPages, openPackagePage, type PageGlobals, removeFolder } from "./package-page.ts";

/** The vectors of all fixtures, made in one page by the package as it is built, held against real Keras's. */

export interface VectorSuiteOptions {
  /** Full path of Chromium. */
  readonly chromium: string;
  readonly flags?: readonly string[];
  /** What `buildPackageForPages` wrote. Default: it is built for this run. */
  readonly folder?: string;
  /** Each has a worker of its own; they run side by side. */
  readonly engines: readonly WebEngineName[];
  /** Form of the model. Default: `fp32`. */
  readonly variant?: VariantName;
  /** Fixtures whose path holds this. Default: all. */
  readonly only?: string;
  /** Fixtures, by their paths, instead of `only`. */
  readonly images?: readonly string[];
  /** Pictures that are handed over at once. */
  readonly atOnce: number;
  /** Longest time for one picture. */
  readonly itemTimeoutMs: number;
  readonly onVector?: (verdict: VectorVerdict) => void;
}

export interface VectorVerdict {
  readonly engine: WebEngineName;
  readonly image: string;
  /** Infinity where the form of the model states a cosine alone. */
  readonly tolerance: number;
  /** NaN if there is no vector. */
  readonly maxAbs: number;
  readonly cosine: number;
  /** Why it failed; empty if it passed. */
  readonly problem: string;
  readonly inferMs: number;
}

export interface EngineVerdict {
  readonly engine: WebEngineName;
  readonly adapter: string | undefined;
  readonly isIsolated: boolean;
  readonly vectors: readonly VectorVerdict[];
}

/** What a page tells of one picture; `vector` is base64 of its bytes. */
type Told =
  | { readonly image: string; readonly vector: string; readonly inferMs: number }
  | { readonly image: string; readonly error: string };

type SuitePage = PageGlobals & { tell(engine: WebEngineName, told: Told): Promise<void> };

/** @throws Error if an engine cannot be opened, or no fixture is meant */
export async function runVectorSuite(options: VectorSuiteOptions): Promise<EngineVerdict[]> {
  const { only = "", engines, atOnce, itemTimeoutMs, onVector = () => undefined } = options;
  const { variant = "fp32" } = options;
  const images = options.images ?? (await listVectorGoldens()).filter((image) => image.includes(only));
  if (images.length === 0) throw new Error(`no fixture with a vector holds "${only}"`);
  const manifest = await findModelVariant("resnet50", variant);
  const folder = options.folder ?? (await buildPackageForPages());
  const files = {
    "/model.onnx": await prepareModel(manifest),
    ...Object.fromEntries(
      images.map((image) => [`/images/${image}`, packageFile(`fixtures/images/${image}`)]),
    ),
  };
  const { chromium, flags = [] } = options;
  const opened = await openPackagePage(folder, { chromium, flags, files });
  const verdicts = new Map(engines.map((engine) => [engine, [] as VectorVerdict[]]));
  try {
    await opened.page.exposeFunction("tell", async (engine: WebEngineName, told: Told) => {
      const verdict = await judge(engine, told, manifest.accuracy);
      verdicts.get(engine)?.push(verdict);
      onVector(verdict);
    });
    const run = async (engine: WebEngineName): Promise<EngineVerdict> => {
      const ran = await embedAll(opened.page, { engine, variant, images, atOnce, itemTimeoutMs });
      return { engine, ...ran, vectors: verdicts.get(engine) ?? [] };
    };
    return await Promise.all(engines.map(run));
  } finally {
    await opened.close();
    if (options.folder === undefined) await removeFolder(folder);
  }
}

interface EmbedAllOptions {
  readonly engine: WebEngineName;
  readonly variant: VariantName;
  readonly images: readonly string[];
  readonly atOnce: number;
  readonly itemTimeoutMs: number;
}

const embedAll = (page: Page, options: EmbedAllOptions) =>
  page.evaluate(async ({ engine, variant, images, atOnce, itemTimeoutMs }) => {
    const { portico, tell } = globalThis as unknown as SuitePage;
    const fixed = { onnx: "/model.onnx", threads: 1 };
    const embedder = await portico.createEmbedder({ ...fixed, engine, variant, itemTimeoutMs });
    const toBase64 = (vector: Float32Array) =>
      btoa(Array.from(new Uint8Array(vector.buffer), (byte) => String.fromCharCode(byte)).join(""));
    const embedOne = async (image: string): Promise<Told> => {
      try {
        const bytes = await (await fetch(`/images/${image}`)).arrayBuffer();
        const { vector, timings } = await embedder.embed(bytes);
        return { image, vector: toBase64(vector), inferMs: timings.inferMs };
      } catch (error) {
        return { image, error: String(error) };
      }
    };
    for (let start = 0; start < images.length; start += atOnce) {
      const group = images.slice(start, start + atOnce);
      await Promise.all(group.map(async (image) => tell(engine, await embedOne(image))));
    }
    const { adapter } = embedder;
    await embedder.dispose();
    return { adapter, isIsolated: crossOriginIsolated };
  }, options);

/** @param accuracy of a form of the model, which holds instead of the engine's tolerance */
async function judge(
  engine: WebEngineName,
  told: Told,
  accuracy: Accuracy | undefined,
): Promise<VectorVerdict> {
  const { image } = told;
  const golden = await readVectorGolden(image);
  const tolerance = accuracy
    ? (accuracy.maxAbsError ?? Number.POSITIVE_INFINITY)
    : engineTolerance(engine, golden.tolerance);
  const minCosine = image.startsWith("photo/") ? accuracy?.photoMinCosine : accuracy?.minCosine;
  const named = { engine, image, tolerance };
  if ("error" in told) {
    return { ...named, maxAbs: Number.NaN, cosine: Number.NaN, problem: told.error, inferMs: Number.NaN };
  }
  const bytes = Buffer.from(told.vector, "base64");
  const vector = Array.from({ length: bytes.length / 4 }, (_, index) => bytes.readFloatLE(index * 4));
  const { inferMs } = told;
  if (vector.length !== golden.vector.length) {
    const problem = `expected ${golden.vector.length} elements, got ${vector.length}`;
    return { ...named, maxAbs: Number.NaN, cosine: Number.NaN, problem, inferMs };
  }
  const { maxAbs, cosine } = measureDistance(vector, golden.vector);
  // Negated, so that NaN is a failure.
  const isNear = maxAbs <= tolerance;
  const isAligned = minCosine === undefined || cosine >= minCosine;
  const problem = !isNear
    ? `expected it within ${tolerance}, got ${maxAbs.toExponential(2)}`
    : isAligned
      ? ""
      : `expected a cosine of at least ${minCosine}, got ${cosine}`;
  return { ...named, maxAbs, cosine, problem, inferMs };
}

/** One line: how many, and the farthest. */
export function summarise({ engine, adapter, vectors }: EngineVerdict): string {
  const passed = vectors.filter(({ problem }) => problem === "");
  const on = adapter === undefined ? "" : ` on ${adapter}`;
  const farthest = passed.toSorted((one, other) => other.maxAbs - one.maxAbs)[0];
  const most = farthest ? `, the farthest ${farthest.maxAbs.toExponential(1)} (${farthest.image})` : "";
  // Four nearly white fixtures have a tolerance of their own (docs/parity.md).
  const strict = Math.min(...vectors.map(({ tolerance }) => tolerance));
  const strictest = Math.max(
    ...passed.filter(({ tolerance }) => tolerance === strict).map(({ maxAbs }) => maxAbs),
  );
  const leastCosine = Math.min(...passed.map(({ cosine }) => cosine));
  const ofStrict = Number.isFinite(strict)
    ? `; of those held to ${strict} ${strictest.toExponential(1)}`
    : "";
  return `${engine}${on}: ${passed.length} of ${vectors.length} vectors within their tolerance${most}${ofStrict}; least cosine ${leastCosine}`;
}
