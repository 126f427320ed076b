import { expect, test } from "vitest";
import type { Picture } from "../state/page-state.ts";
import { picturesJson, vectorJson } from "./pictures-json.ts";

const vector = Float32Array.of(0.1, 2 ** -30);
const timings = { decodeMs: 1, preprocessMs: 2, inferMs: 3 };

test("what is downloaded has every vector exactly, and says why there is none", () => {
  const error = { reason: "IMAGE_CORRUPT", message: "cut" } as const;
  const pictures: readonly Picture[] = [
    {
      ...{ id: 1, name: "a.jpg", bytes: 10 },
      preview: {
        ...{ kind: "ready", format: "jpeg", width: 3, height: 2 },
        seen: { width: 1, height: 1, data: new Uint8Array(3) },
      },
      outcomes: {
        simd: { kind: "done", engine: "simd", vectorSpace: "space", vector, timings, totalMs: 6 },
        server: { kind: "failed", error },
      },
    },
    { id: 2, name: "b.jpg", bytes: 20, preview: { kind: "unreadable", error }, outcomes: {} },
  ];
  expect(JSON.parse(picturesJson(pictures))).toEqual({
    pictures: [
      {
        ...{ name: "a.jpg", bytes: 10, format: "jpeg", width: 3, height: 2 },
        vectors: [
          { way: "simd", engine: "simd", vectorSpace: "space", timings, totalMs: 6, vector: [...vector] },
        ],
      },
      { name: "b.jpg", bytes: 20, error, vectors: [] },
    ],
  });
});

test("a vector as text comes back bit by bit", () => {
  expect(Float32Array.from(JSON.parse(vectorJson(vector)))).toEqual(vector);
});
