import { describe, expect, test } from "vitest";
import type { PageGlobals } from "../../tools/browser/package-page.ts";
import type { Story, StoryEnd } from "../../tools/browser/page-story.ts";
import { useToldPage } from "../../tools/browser/use-told-page.ts";
import { greyPicture } from "../../tools/gpu/mean-model.ts";
import { requireTool } from "../../tools/require-tool.ts";
import { compareVectors } from "../embed/compare-vectors.ts";

/**
 * The engine `ort-webgpu` in Chromium, on a GPU made of software, with a model so small that a picture takes a millisecond,
 * and a worker that loses its GPU when it is told to.
 */

const chromium = requireTool("chromium");
const { play, openPlain } = useToldPage(chromium);
const notAPicture = expect.stringMatching(/^IMAGE_UNSUPPORTED /);
const onSoftware = { engine: "ort-webgpu" } as const;
const adapter = "google swiftshader";
const deviceLost = "ENGINE_FAILED ort-webgpu lost its GPU device (Device was destroyed.)";
const replaced = `device-replaced: ${deviceLost}; another one is in use now`;
const tones = (count: number) => Array.from({ length: count }, (_, index) => 60 + index);
const right = (count: number) => Array<string>(count).fill("right");

describe.skipIf(!chromium)("ort-webgpu on a software GPU", () => {
  test.each<[string, Story, Partial<StoryEnd>]>([
    [
      "takes up to 32 waiting pictures in one run; bad ones fail alone, in their place",
      { options: onSoftware, verdicts: [], steps: [[90], [0, ...tones(20), 0, ...tones(20), 0]] },
      {
        results: [["right"], [notAPicture, ...right(20), notAPicture, ...right(20), notAPicture]],
        // Of the second step the first one comes alone: nothing else waits yet.
        commands: ["start", 1, 1, 32, 10],
        events: ["ready: ort-webgpu"],
        ...{ engine: "ort-webgpu", adapter: `${adapter}, software` },
      },
    ],
    [
      "is passed over by auto",
      { options: {}, verdicts: [], steps: [[90]] },
      {
        results: [["right"]],
        events: [
          `passed over ort-webgpu: CONFIG_INVALID expected a GPU, got the software adapter ${adapter}, which is used with engine ort-webgpu only`,
          "ready: simd",
        ],
        ...{ engine: "simd", adapter: undefined },
      },
    ],
    [
      "goes on with another device when it loses one, and nobody sees it",
      { options: onSoftware, verdicts: ["go", "lose-device"], steps: [[90, 91], [92]] },
      {
        results: [["right", "right"], ["right"]],
        commands: ["start", 1, 1, 1],
        events: ["ready: ort-webgpu", replaced],
      },
    ],
    [
      "leaves its place to the next engine when it loses a second device, and its pictures with it",
      {
        options: {},
        verdicts: ["as-real-gpu", "lose-device", "lose-device"],
        steps: [[90, 91, 0, 92], [93]],
      },
      {
        results: [["right", "right", notAPicture, "right"], ["right"]],
        commands: ["start", 1, 3, "start", 1, 1, 1],
        events: [
          "ready: ort-webgpu",
          replaced,
          `worker-lost: ${deviceLost} for the second time`,
          `passed over ort-webgpu: ${deviceLost} for the second time`,
          "ready: simd",
        ],
        ...{ engine: "simd", adapter: undefined },
      },
    ],
    [
      "leaves its place to the next engine where there is no other device",
      { options: {}, verdicts: ["as-real-gpu", "lose-gpu"], steps: [[90, 91]] },
      {
        results: [["right", "right"]],
        commands: ["start", 1, "start", 1, 1],
        events: [
          "ready: ort-webgpu",
          `worker-lost: ${deviceLost} and got no other one`,
          `passed over ort-webgpu: ${deviceLost} and got no other one`,
          "ready: simd",
        ],
      },
    ],
    [
      "is started again where it was named",
      { options: onSoftware, verdicts: ["go", "lose-device", "lose-device"], steps: [[90], [91]] },
      {
        results: [["right"], ["right"]],
        commands: ["start", 1, 1, "start", 1],
        events: [
          "ready: ort-webgpu",
          replaced,
          `worker-lost: ${deviceLost} for the second time`,
          "ready: ort-webgpu",
        ],
      },
    ],
    [
      "tries pictures again one by one when a run of several takes too long",
      {
        options: { ...onSoftware, itemTimeoutMs: 1_000 },
        verdicts: ["go", "go", "hang", "go", "hang"],
        steps: [[90, 91, 92], [93]],
      },
      {
        results: [["right", expect.stringMatching(/^IMAGE_TOO_SLOW /), "right"], ["right"]],
        commands: ["start", 1, 2, "start", 1, "start", 1, 1],
      },
    ],
  ])("%s", async (_, story, end) => {
    expect(await play(story)).toMatchObject(end);
  });
});

describe.skipIf(!chromium)("a GPU process that crashes", () => {
  test("costs ort-webgpu its device, and nobody a picture", async () => {
    const page = await openPlain();
    try {
      const crash = async () => {
        const session = await page.browser.newBrowserCDPSession();
        await session.send("Browser.crashGpuProcess");
        await session.detach();
      };
      await page.page.exposeFunction("crashGpuProcess", crash);
      const { bytes, vector } = greyPicture(90);
      const seen = await page.page.evaluate(embedAcrossCrash, [...bytes]);
      expect(seen.events).toEqual(["engine-ready", "device-replaced"]);
      for (const one of seen.vectors) {
        expect(compareVectors(Float32Array.from(one), vector).maxAbsError).toBeLessThanOrEqual(1e-6);
      }
    } finally {
      await page.close();
    }
  });
});

/** Runs in the page: a picture, then twenty and more while the GPU process crashes. */
async function embedAcrossCrash(
  bytes: readonly number[],
): Promise<{ readonly vectors: readonly number[][]; readonly events: readonly string[] }> {
  const { portico, crashGpuProcess } = globalThis as unknown as PageGlobals & {
    crashGpuProcess(): Promise<void>;
  };
  const events: string[] = [];
  const embedder = await portico.createEmbedder({
    ...{ onnx: "/model.onnx", engine: "ort-webgpu" },
    onProgress: ({ kind }) => void (kind !== "downloading" && kind !== "cached" && events.push(kind)),
  });
  const embed = async () => [...(await embedder.embed(Uint8Array.from(bytes))).vector];
  const vectors = [await embed()];
  const crashed = crashGpuProcess();
  while (vectors.length < 21 || !events.includes("device-replaced")) vectors.push(await embed());
  await crashed;
  await embedder.dispose();
  return { vectors, events };
}
