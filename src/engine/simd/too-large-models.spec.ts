import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { floats, type ShortNode, smallGraph } from "../../../tools/simd/small-graphs.ts";
import { type Constant, type Graph, int, ints } from "../../convert/graph.ts";
import { writeOnnx } from "../../convert/write-onnx.ts";
import { createSimdEngine } from "./simd-engine.ts";

const engine = createSimdEngine(
  new WebAssembly.Module(readFileSync(new URL("kernels-plain.wasm", import.meta.url))),
);

describe("a model that is too large for memory is refused before anything is allocated", () => {
  const wide = (shape: Graph["input"]["shape"], conv: ShortNode, w: Constant): Graph => ({
    ...smallGraph(
      [conv, ["GlobalAveragePool", "big", "pooled"], ["Flatten", "pooled", "last"]],
      w.shape[0]!,
      { w },
    ),
    input: { name: "input", shape },
  });
  const eight = floats(8, 3, 1, 1);
  test.each<[string, Graph, RegExp]>([
    [
      "a picture of ten thousand million pixels",
      wide([100_000, 100_000, 3], ["Conv", ["picture", "w"], "big"], eight),
      /^simd: expected weights of \d{4} bytes, and 48\d{10} for each thread, to fit into memory$/,
    ],
    [
      "pads beyond any size",
      wide([4, 5, 3], ["Conv", ["picture", "w"], "big", { pads: ints([2 ** 40, 0, 0, 0]) }], eight),
      /^simd: expected weights of \d{4} bytes, and 1759\d{11} for each thread, to fit into memory$/,
    ],
    [
      "half a MiB of weights in groups, which are 16 GiB in full",
      wide(
        [1, 1, 65_536],
        ["Conv", ["picture", "w"], "big", { group: int(32_768) }],
        floats(65_536, 2, 1, 1),
      ),
      /^simd: expected weights of 1718\d{7} bytes, and \d{7} for each thread, to fit into memory$/,
    ],
  ])("%s", async (_, graph, message) => {
    const onnx = writeOnnx(graph);
    const before = process.memoryUsage().arrayBuffers;
    await expect(engine.load(onnx)).rejects.toMatchObject({
      reason: "ENGINE_UNSUPPORTED",
      message: expect.stringMatching(message),
    });
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(8 * 2 ** 20);
  });
});
