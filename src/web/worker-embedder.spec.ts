import { describe, expect, test } from "vitest";
import type { Story, StoryEnd } from "../../tools/browser/page-story.ts";
import { useToldPage } from "../../tools/browser/use-told-page.ts";
import { requireTool } from "../../tools/require-tool.ts";

/** In Chromium, with a model so small that a picture takes a millisecond, and a worker that does as it is told. */

const chromium = requireTool("chromium");
const { play } = useToldPage(chromium);
const simd = { engine: "simd" } as const;
const notAPicture = expect.stringMatching(/^IMAGE_UNSUPPORTED /);
const threw = "worker-lost: ENGINE_FAILED the Web Worker was lost: Uncaught Error: told to throw";
const ended = "worker-lost: ENGINE_FAILED the Web Worker was lost: it ended";

describe.skipIf(!chromium)("a worker that is lost", () => {
  test.each<[string, Story, Partial<StoryEnd>]>([
    [
      "by an error is replaced, and its picture is tried again",
      { options: simd, verdicts: ["go", "throw"], steps: [[90, 0, 91], [92]] },
      {
        results: [["right", notAPicture, "right"], ["right"]],
        commands: ["start", 1, "start", 1, 1, 1, 1],
        events: ["ready: simd", threw, "ready: simd"],
      },
    ],
    [
      "needs the model again, which is there where bytes were given that have changed since",
      { options: simd, givesBytes: true, verdicts: ["go", "throw"], steps: [[90], [91]] },
      {
        results: [["right"], ["right"]],
        commands: ["start", 1, "start", 1, 1],
        events: ["ready: simd", threw, "ready: simd"],
      },
    ],
    [
      "without a word is replaced, and its picture is tried again",
      { options: simd, verdicts: ["go", "go", "end"], steps: [[90, 91, 92]] },
      {
        results: [["right", "right", "right"]],
        commands: ["start", 1, 1, "start", 1, 1],
        events: ["ready: simd", ended, "ready: simd"],
      },
    ],
    [
      "twice by one picture fails that picture alone",
      { options: simd, verdicts: ["go", "throw", "go", "end"], steps: [[90, 91, 0, 92]] },
      {
        results: [["ENGINE_FAILED the Web Worker was lost: it ended", "right", notAPicture, "right"]],
        commands: ["start", 1, "start", 1, "start", 1, 1, 1],
        events: ["ready: simd", threw, "ready: simd", ended, "ready: simd"],
      },
    ],
    [
      "by a picture that takes too long fails that picture, which is not tried again",
      { options: { ...simd, itemTimeoutMs: 300 }, verdicts: ["go", "hang"], steps: [[90, 91]] },
      {
        results: [
          [
            "IMAGE_TOO_SLOW expected a picture to take at most 300 ms (itemTimeoutMs); its Web Worker is being replaced",
            "right",
          ],
        ],
        commands: ["start", 1, "start", 1],
      },
    ],
    [
      "while it starts anew gets another chance",
      { options: simd, verdicts: ["go", "throw", "throw", "throw"], steps: [[90], [91]] },
      {
        results: [["right"], ["right"]],
        commands: ["start", 1, "start", "start", "start", 1, 1],
      },
    ],
    [
      "three times in a row while it starts anew fails what waits, and later pictures try again",
      { options: simd, verdicts: ["go", "throw", "throw", "throw", "throw"], steps: [[90, 91], [92]] },
      {
        results: [
          [
            "ENGINE_FAILED the Web Worker was lost: Uncaught Error: told to throw",
            "ENGINE_FAILED the Web Worker was lost: Uncaught Error: told to throw",
          ],
          ["right"],
        ],
        commands: ["start", 1, "start", "start", "start", "start", 1],
      },
    ],
    [
      "while it starts for the first time leaves its place to the next engine",
      { options: {}, verdicts: ["throw", "throw"], steps: [[90]] },
      {
        results: [["right"]],
        commands: ["start", "start", "start", 1],
        events: [
          "passed over ort-webgpu: ENGINE_FAILED the Web Worker was lost: Uncaught Error: told to throw",
          "passed over simd: ENGINE_FAILED the Web Worker was lost: Uncaught Error: told to throw",
          "ready: ort-wasm",
        ],
        engine: "ort-wasm",
      },
    ],
    [
      "while it starts for the first time, with an engine that was named, is an error",
      { options: simd, verdicts: ["throw"], steps: [] },
      {
        results: [["ENGINE_FAILED the Web Worker was lost: Uncaught Error: told to throw"]],
        commands: ["start"],
      },
    ],
  ])("%s", async (_, story, end) => {
    expect(await play(story)).toMatchObject(end);
  });
});
