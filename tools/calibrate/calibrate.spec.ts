import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { writeOnnx } from "../../src/convert/write-onnx.ts";
import { packageFile } from "../../src/node/package-file.ts";
import { floats, type ShortNode, smallGraph } from "../simd/small-graphs.ts";
import { calibrate } from "./calibrate.ts";
import { measureRanges } from "./measure-ranges.ts";

test("the committed ranges are what the script gives", async () => {
  expect(await calibrate("resnet50")).toBe(
    await readFile(packageFile("models/resnet50/int8-ranges.json"), "utf8"),
  );
});

describe("of a small network", () => {
  const nodes: readonly ShortNode[] = [
    ["Conv", ["picture", "first"], "start"],
    ["Relu", "start", "begun"],
    ["Conv", ["begun", "same"], "left"],
    ["Conv", ["begun", "other"], "right"],
    ["Add", ["left", "right"], "sum"],
    ["Relu", "sum", "rectified"],
    ["Conv", ["rectified", "same"], "next"],
    ["Relu", "next", "pooled"],
    ["GlobalAveragePool", "pooled", "means"],
    ["Flatten", "means", "last"],
  ];
  const onnx = writeOnnx(
    smallGraph(nodes, 8, { first: floats(8, 3, 1, 1), same: floats(8, 8, 1, 1), other: floats(8, 8, 1, 1) }),
  );
  const tensors = [1, 2].map((scale) => Float32Array.from({ length: 60 }, (_, i) => scale * Math.cos(i)));

  test("what comes before the second convolution and what the last pool takes stays out", async () => {
    const ranges = await measureRanges(onnx, tensors, [4, 5]);
    expect(Object.keys(ranges)).toEqual(["left", "right", "rectified"]);
  });

  test("a range holds every picture; a summand is cut off below zero at half of its largest value", async () => {
    const [small, both] = [
      await measureRanges(onnx, tensors.slice(0, 1), [4, 5]),
      await measureRanges(onnx, tensors, [4, 5]),
    ];
    expect(small.rectified![0]).toBe(0);
    for (const name of Object.keys(both)) {
      expect(both[name]![1] / small[name]![1]).toBeCloseTo(2, 2);
      expect(both[name]![0]).toBeGreaterThanOrEqual(-both[name]![1] / 2 - 1e-3);
    }
  });
});

test("an unknown model", async () => {
  await expect(calibrate("vgg99")).rejects.toMatchObject({ reason: "MODEL_UNKNOWN" });
});
