import { create } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import {
  changed,
  channels,
  converted,
  exported,
  height,
  info,
  refusalOf,
  turnOutput,
  width,
} from "../../../tools/exported-onnx.ts";
import { GraphProtoSchema, NodeProtoSchema } from "../../gen/onnx/onnx_pb.ts";

describe("a model of another form is refused", () => {
  test.each<[string, Uint8Array, Parameters<typeof refusalOf>[1], string]>([
    [
      "no picture",
      exported({ input: ["N", 8] }),
      {},
      'input "pixels" (?, 8): expected float32 pictures, (N, 3, height, width) or (N, height, width, 3)',
    ],
    [
      "whole numbers",
      changed((graph) => {
        graph.input = create(GraphProtoSchema, { input: [info("pixels", ["N", 3, 8, 8], 2)] }).input;
      }),
      {},
      'input "pixels" (undefined): expected float32 pictures, (N, 3, height, width) or (N, height, width, 3)',
    ],
    [
      "one channel",
      exported({ input: ["N", 1, 8, 8] }),
      {},
      'input "pixels" (?, 1, 8, 8): expected pictures of 3 channels, either before or behind height and width',
    ],
    [
      "a width of 3",
      exported({ input: ["N", 3, 8, 3] }),
      {},
      'input "pixels" (?, 3, 8, 3): expected pictures of 3 channels, either before or behind height and width',
    ],
    [
      "eight at a time",
      exported({ input: [8, 3, 8, 8] }),
      {},
      'input "pixels" (8, 3, 8, 8): expected any number of pictures, or one at a time, got 8',
    ],
    [
      "another size",
      exported(),
      { size: [9, 8] },
      'input "pixels" (?, 3, 8, 8): does not take pictures of 9 x 8',
    ],
    [
      "an open size",
      exported({ input: ["N", 3, "h", 8] }),
      {},
      'input "pixels" (?, 3, ?, 8): leaves height or width open; say the size',
    ],
    [
      "pooled already",
      converted.onnx,
      {},
      'output "output/Flatten" (?, 80): is pooled already; expected pooling none',
    ],
    [
      "an output without sizes",
      changed((graph) => {
        graph.output = create(GraphProtoSchema, { output: [{ name: graph.output[0]!.name }] }).output;
      }),
      {},
      'output "conv/Conv" (undefined): expected float32 of known sizes, (N, dimension) or a picture with channels',
    ],
    [
      "open channels",
      exported({ output: ["N", "c", height, width] }),
      {},
      `output "conv/Conv" (?, ?, ${height}, ${width}): leaves the number of channels open`,
    ],
    [
      "turned so that nobody knows its channels",
      changed((graph) => turnOutput(graph, [0, 1, 3, 2])),
      {},
      `output "end" (?, ${channels}, ${height}, ${width}): its nodes do not say which size is that of the channels; export the model with its pooling`,
    ],
    [
      "made by a node that is not known here",
      changed((graph) => {
        graph.node.push(
          create(NodeProtoSchema, { opType: "Reshape", input: ["conv/Conv"], output: ["end"] }),
        );
        graph.output[0]!.name = "end";
      }),
      {},
      `output "end" (?, ${channels}, ${height}, ${width}): its nodes do not say which size is that of the channels; export the model with its pooling`,
    ],
    [
      "an open picture, not pooled",
      exported({ output: ["N", channels, "y", width] }),
      { pooling: "none" },
      `output "conv/Conv" (?, ${channels}, ?, ${width}): leaves a size open; it can be pooled, not flattened`,
    ],
    [
      "two inputs",
      changed((graph) => {
        graph.input = create(GraphProtoSchema, { input: [info("a", [1]), info("pixels", [1])] }).input;
      }),
      {},
      "expected a model with one input, got 2 (a, pixels)",
    ],
    [
      "two outputs",
      changed((graph) => {
        graph.output = [...graph.output, ...graph.output];
      }),
      {},
      "expected a model with one output, got 2 (conv/Conv, conv/Conv)",
    ],
    [
      "an output that is an input",
      changed((graph) => {
        graph.output = graph.input;
      }),
      {},
      'output "pixels" (?, 3, 8, 8): no node gives it',
    ],
    [
      "a tensor of our name",
      changed((graph) => {
        graph.node[0]!.output = ["portico_input"];
      }),
      {},
      "expected no tensor of the name portico_input",
    ],
  ])("%s", (_what, bytes, options, message) => {
    expect(refusalOf(bytes, options)).toBe(message);
  });
});
