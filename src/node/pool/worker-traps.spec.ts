import { readFile } from "node:fs/promises";
import { afterEach, beforeAll, expect, test } from "vitest";
import { trapKernels } from "../../../tools/faults/trap-kernels.ts";
import { flatPng } from "../../../tools/load/flat-png.ts";
import { openTinyModel, readTinyPictures } from "../../../tools/load/tiny-model.ts";
import { compareVectors } from "../../embed/compare-vectors.ts";
import type { EmbedResult } from "../../embed/embedder.ts";
import type { SelfCheck } from "../../embed/self-check.ts";
import { packageFile } from "../package-file.ts";
import { defaultQueueLimits } from "./job-queue.ts";
import { createWorkerPool, type PoolEvent, type WorkerPool } from "./worker-pool.ts";
import type { WorkerSetup } from "./worker-protocol.ts";

/** Black, as the network gets it: 0 less the mean blue of the training pictures. */
const blackBlue = Math.fround(-103.939);
/** The kernels that read a picture, and where they are told its place. */
const readers = { packRows: 1, transformInput2: 2, transformInput4: 2 };

/** The real kernels, but that they trap on a black picture. */
let setup: WorkerSetup;
let pictures: SelfCheck[];
beforeAll(async () => {
  const kernels = await readFile(packageFile("src/engine/simd/kernels-plain.wasm"));
  setup = {
    ...(await openTinyModel()).setup,
    engine: "simd",
    kernels: await WebAssembly.compile(trapKernels(kernels, readers, blackBlue)),
  };
  pictures = await readTinyPictures();
});

let pool: WorkerPool | undefined;
let events: PoolEvent[] = [];
afterEach(() => pool?.dispose());

const lost = () => events.flatMap((event) => (event.kind === "worker-lost" ? [event.error.reason] : []));

function outcomeOf(result: EmbedResult, picture: SelfCheck | undefined): string {
  if (!result.ok) return `${result.error.reason}: ${result.error.message}`;
  if (!picture) return "a vector";
  const { maxAbsError } = compareVectors(result.vector, picture.vector);
  return maxAbsError <= picture.tolerance ? "right" : `off by ${maxAbsError}`;
}

test.each([1, 2])(
  "a trap of a kernel fails its own picture, after a second try, with %i threads",
  async (threads) => {
    events = [];
    pool = createWorkerPool({
      workers: 2,
      gangThreads: threads,
      queue: defaultQueueLimits,
      loadSetup: async () => setup,
      onEvent: (event) => events.push(event),
    });
    const embed = async (picture: SelfCheck | undefined) =>
      outcomeOf(await pool!.embed(picture?.bytes ?? flatPng(8, 8, 0)), picture);
    await pool.ready;

    const good = Array.from({ length: 20 }, (_, index) => pictures[index % pictures.length]!);
    const all = await Promise.all([...good, undefined, ...good].map(embed));
    expect(all.filter((outcome) => outcome !== "right")).toEqual([
      expect.stringMatching(/^ENGINE_FAILED: simd: node ".+" could not be run$/),
    ]);
    // The picture took down a worker at each of its two tries; others have their places.
    expect(lost()).toEqual(["ENGINE_FAILED", "ENGINE_FAILED"]);
    await expect.poll(() => pool?.state().workers, { timeout: 30_000 }).toBe(2);
    expect(await embed(good[0])).toBe("right");
  },
);
