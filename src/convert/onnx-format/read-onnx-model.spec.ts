import { readFileSync } from "node:fs";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import * as ort from "onnxruntime-web";
import { beforeAll, describe, expect, test } from "vitest";
import { createRandom } from "../../../tools/random.ts";
import { EmbedError } from "../../errors.ts";
import {
  AttributeProto_AttributeType,
  AttributeProtoSchema,
  type GraphProto,
  GraphProtoSchema,
  type ModelProto,
  ModelProtoSchema,
  NodeProtoSchema,
  SparseTensorProtoSchema,
  TensorProto_DataLocation,
  TensorProto_DataType,
} from "../../gen/onnx/onnx_pb.ts";
import { convertKeras } from "../convert-keras.ts";
import { readTfjsLayers } from "../keras-format/read-tfjs-layers.ts";
import { checkOnnxWire } from "./check-onnx-wire.ts";
import { readOnnxModel } from "./read-onnx-model.ts";

// A convolution with what real tf_keras gives for it, as ONNX in the forms in which other tools export it.

const folder = new URL("../../../fixtures/golden/convert/", import.meta.url);
const name = "zeropadding2d-conv2d";
const golden = JSON.parse(readFileSync(new URL(`${name}.json`, folder), "utf8"));
const modelJson = JSON.parse(readFileSync(new URL(golden.model, folder), "utf8"));
const keras = await readTfjsLayers(modelJson, async (path) => readFileSync(new URL(path, folder)));
const outputLayer = modelJson.modelTopology.model_config.config.output_layers[0][0] as string;
const converted = convertKeras(keras, { outputLayer, inputShape: golden.input.shape.slice(1) });

const floats = (base64: string) => new Float32Array(Uint8Array.from(Buffer.from(base64, "base64")).buffer);
const [, height, width, channels] = golden.output.shape as [number, number, number, number];

/** The value infos, by name, with sizes as given: a name for one that is open. */
function info(tensor: string, sizes: readonly (number | string)[], elemType = 1) {
  const dim = sizes.map((size) => ({
    value:
      typeof size === "number"
        ? { case: "dimValue" as const, value: BigInt(size) }
        : { case: "dimParam" as const, value: size },
  }));
  return {
    name: tensor,
    type: { value: { case: "tensorType" as const, value: { elemType, shape: { dim } } } },
  };
}

interface Form {
  readonly layout?: "NHWC" | "NCHW";
  readonly input?: readonly (number | string)[];
  readonly output?: readonly (number | string)[];
  readonly change?: (graph: GraphProto, model: ModelProto) => void;
}

/** The network between its own transpositions and flattening: pictures in, pictures out. */
function exported({ layout = "NCHW", input, output, change }: Form = {}): Uint8Array {
  const model = fromBinary(ModelProtoSchema, converted.onnx);
  const graph = model.graph!;
  const [head, ...rest] = graph.node;
  const conv = rest.find((node) => node.opType === "Conv")!;
  const back = rest.find((node) => node.opType === "Transpose")!;
  const isFirst = layout === "NCHW";
  graph.node = isFirst ? [conv] : [head!, conv, back];
  if (isFirst) conv.input[0] = "pixels";
  else head!.input[0] = "pixels";
  const inputSizes = isFirst ? ["N", 3, 8, 8] : ["N", 8, 8, 3];
  const outputSizes = isFirst ? ["N", channels, height, width] : ["N", height, width, channels];
  const infos = create(GraphProtoSchema, {
    input: [info("pixels", input ?? inputSizes)],
    output: [info((isFirst ? conv : back).output[0]!, output ?? outputSizes)],
  });
  graph.input = infos.input;
  graph.output = infos.output;
  change?.(graph, model);
  return toBinary(ModelProtoSchema, model);
}

/** Adds a transposition, an activation that changes nothing behind it, and a sum of that with nothing. */
function turnOutput(graph: GraphProto, perm: readonly number[]): void {
  const [from] = graph.node.at(-1)!.output;
  const tail = create(GraphProtoSchema, {
    node: [
      {
        opType: "Transpose",
        input: [from!],
        output: ["turned"],
        attribute: [{ name: "perm", type: AttributeProto_AttributeType.INTS, ints: perm.map(BigInt) }],
      },
      { opType: "Identity", input: ["turned"], output: ["same"] },
      { opType: "Add", input: ["zero", "same"], output: ["end"] },
    ],
    initializer: [{ name: "zero", dataType: TensorProto_DataType.FLOAT, floatData: [0] }],
  });
  graph.node.push(...tail.node);
  graph.initializer.push(...tail.initializer);
  graph.output[0]!.name = "end";
}

async function run(onnx: Uint8Array): Promise<{ dims: readonly number[]; values: Float32Array }> {
  const session = await ort.InferenceSession.create(onnx);
  const input = new ort.Tensor("float32", floats(golden.input.values), golden.input.shape);
  const output = (await session.run({ [session.inputNames[0]!]: input }))[session.outputNames[0]!]!;
  await session.release();
  return { dims: output.dims, values: output.data as Float32Array };
}

/** (height, width, channels) as Keras gives it, per channel. */
const byChannel = Array.from({ length: channels }, (_, channel) =>
  floats(golden.output.values).filter((_value, i) => i % channels === channel),
);
const pooled = {
  avg: byChannel.map((values) => values.reduce((a, b) => a + b, 0) / values.length),
  max: byChannel.map((values) => Math.max(...values)),
};

function expectClose(got: Float32Array, expected: readonly number[]) {
  expect(got.length).toBe(expected.length);
  const differences = expected.map((value, i) => Math.abs(value - got[i]!));
  expect(Math.max(...differences)).toBeLessThanOrEqual(golden.tolerance);
}

beforeAll(() => {
  ort.env.wasm.numThreads = 1;
});

describe("pictures in, a vector out, whatever the model's own form", () => {
  test.each(["NCHW", "NHWC"] as const)("%s, pooled", async (layout) => {
    for (const pooling of ["avg", "max"] as const) {
      const model = readOnnxModel(exported({ layout }), { pooling });
      expect({ ...model, onnx: undefined }).toEqual({
        onnx: undefined,
        pooling,
        output: expect.any(String),
        inputShape: [8, 8, 3],
        dimension: channels,
        layout,
        isBatchFree: true,
      });
      const { dims, values } = await run(model.onnx);
      expect(dims).toEqual([1, channels]);
      expectClose(values, pooled[pooling]);
    }
  });

  test("in by channels first, out by channels last, as tf2onnx exports it", async () => {
    const bytes = exported({
      output: ["N", height, width, channels],
      change: (graph) => turnOutput(graph, [0, 2, 3, 1]),
    });
    const model = readOnnxModel(bytes, { pooling: "avg" });
    expect([model.layout, model.dimension]).toEqual(["NCHW", channels]);
    expectClose((await run(model.onnx)).values, pooled.avg);
  });

  test("flattened as it is", async () => {
    const first = await run(readOnnxModel(exported(), { pooling: "none" }).onnx);
    expectClose(
      first.values,
      byChannel.flatMap((values) => [...values]),
    );
    const last = await run(readOnnxModel(exported({ layout: "NHWC" }), { pooling: "none" }).onnx);
    expectClose(last.values, [...floats(golden.output.values)]);
  });

  test("what is not said is a picture's mean, or a vector as it is", async () => {
    const model = readOnnxModel(exported(), {});
    expect(model.pooling).toBe("avg");
    expectClose((await run(model.onnx)).values, pooled.avg);
    expect(readOnnxModel(converted.onnx, {}).pooling).toBe("none");
  });

  test("a vector already", async () => {
    const model = readOnnxModel(converted.onnx, { pooling: "none" });
    expect(model.dimension).toBe(converted.dimension);
    expectClose((await run(model.onnx)).values, [...floats(golden.output.values)]);
  });

  test("open height and width", async () => {
    const bytes = exported({ input: ["N", 3, "h", "w"], output: ["N", channels, "y", "x"] });
    const model = readOnnxModel(bytes, { pooling: "avg", size: [8, 8] });
    expect(model.inputShape).toEqual([8, 8, 3]);
    expectClose((await run(model.onnx)).values, pooled.avg);
  });

  test("one picture at a time", async () => {
    const model = readOnnxModel(exported({ input: [1, 3, 8, 8], output: [1, channels, height, width] }), {
      pooling: "avg",
    });
    expect(model.isBatchFree).toBe(false);
    expectClose((await run(model.onnx)).values, pooled.avg);
  });

  test("weights that are inputs too, as old exporters list them", async () => {
    const bytes = exported({
      change: (graph) => {
        const listed = graph.initializer.map((tensor) => info(tensor.name, tensor.dims.map(Number)));
        graph.input = create(GraphProtoSchema, { input: [...listed, info("pixels", ["N", 3, 8, 8])] }).input;
      },
    });
    expectClose((await run(readOnnxModel(bytes, { pooling: "avg" }).onnx)).values, pooled.avg);
  });

  test("the same bytes each time", () => {
    const [one, two] = [
      readOnnxModel(exported(), { pooling: "avg" }),
      readOnnxModel(exported(), { pooling: "avg" }),
    ];
    expect(Buffer.compare(one.onnx, two.onnx)).toBe(0);
  });
});

function failure(bytes: Uint8Array, options: Partial<Parameters<typeof readOnnxModel>[1]> = {}): string {
  try {
    readOnnxModel(bytes, { pooling: "avg", ...options });
  } catch (error) {
    expect(error).toBeInstanceOf(EmbedError);
    expect((error as EmbedError).reason).toBe("CONVERT_INVALID");
    return (error as EmbedError).message;
  }
  throw new Error("the model was taken");
}

const changed = (change: Form["change"]) => exported({ change: change! });

describe("a model of another form is refused", () => {
  test.each<[string, Uint8Array, Parameters<typeof failure>[1], string]>([
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
    expect(failure(bytes, options)).toBe(message);
  });
});

describe("a broken or hostile model is refused", () => {
  const kernel = "conv/kernel";
  const tensor = (graph: GraphProto) => graph.initializer.find((one) => one.name === kernel)!;
  test.each<[string, Uint8Array, string]>([
    ["nothing", new Uint8Array(0), "expected an ONNX model with a graph, got none"],
    ["no protobuf", new TextEncoder().encode("GIF89a"), "expected an ONNX model, got 6 bytes that are none"],
    ["cut short", exported().slice(0, 300), "the ONNX model ends within a field; it may be cut short"],
    [
      "a claim of two gibibytes",
      changed((graph) => {
        tensor(graph).dims = [2n ** 29n];
      }),
      `tensor "${kernel}": expected 536870912 values for (536870912,), got 108`,
    ],
    [
      "a negative shape",
      changed((graph) => {
        tensor(graph).dims = [-108n];
      }),
      `tensor "${kernel}": expected -108 values for (-108,), got 108`,
    ],
    [
      "a tensor in another file",
      changed((graph) => {
        tensor(graph).dataLocation = TensorProto_DataLocation.EXTERNAL;
        tensor(graph).rawData = new Uint8Array(0);
      }),
      `tensor "${kernel}" lies in another file; save the model as one, without external data`,
    ],
    [
      "a tensor of texts",
      changed((graph) => {
        tensor(graph).dataType = TensorProto_DataType.STRING;
      }),
      `tensor "${kernel}": expected numbers, got type 8 of ONNX`,
    ],
    [
      "a tensor twice",
      changed((graph) => {
        graph.initializer.push(tensor(graph));
      }),
      `two tensors are named "${kernel}"`,
    ],
    [
      "sparse tensors",
      changed((graph) => {
        graph.sparseInitializer.push(create(SparseTensorProtoSchema));
      }),
      "expected no sparse tensors",
    ],
    [
      "functions",
      changed((_graph, model) => {
        model.functions = create(ModelProtoSchema, { functions: [{ name: "f" }] }).functions;
      }),
      "expected no functions of the model's own",
    ],
    [
      "a circle",
      changed((graph) => {
        graph.node = [
          create(NodeProtoSchema, { opType: "Add", input: ["b", "pixels"], output: ["a"] }),
          create(NodeProtoSchema, { opType: "Relu", input: ["a"], output: ["b"] }),
        ];
      }),
      'node "a" (Add) takes "b", which nothing before it gives',
    ],
    [
      "one output of two nodes",
      changed((graph) => {
        graph.node.push(
          create(NodeProtoSchema, { opType: "Relu", input: ["pixels"], output: ["conv/Conv"] }),
        );
      }),
      'node "conv/Conv" (Relu) gives "conv/Conv", which is given already',
    ],
    [
      "a graph within a node",
      changed((graph) => {
        graph.node[0]!.attribute.push(create(AttributeProtoSchema, { name: "body", g: {} }));
      }),
      'node "conv/Conv" (Conv) holds a graph of its own; expected a network without branches or loops',
    ],
  ])("%s", (_what, bytes, message) => {
    expect(failure(bytes)).toBe(message);
  });

  test("2000 damaged models: each is taken or has its typed error", { timeout: 60_000 }, () => {
    const whole = exported();
    const outcomes = { taken: 0, refused: 0 };
    for (let index = 0; index < 2000; index++) {
      const random = createRandom(7, index);
      const bytes = random.chance(15) ? whole.slice(0, random.below(whole.length)) : whole.slice();
      for (let i = random.pick([1, 1, 2, 8]); i > 0 && bytes.length > 0; i--) {
        bytes[random.below(bytes.length)] = random.below(256);
      }
      try {
        readOnnxModel(bytes, { pooling: "avg" });
        outcomes.taken++;
      } catch (error) {
        if (!(error instanceof EmbedError) || error.reason !== "CONVERT_INVALID") throw error;
        outcomes.refused++;
      }
    }
    // The damage gets past the first look.
    expect(Math.min(outcomes.taken, outcomes.refused)).toBeGreaterThan(200);
  });

  test("a bomb of empty fields is refused before it is parsed", () => {
    // Each is an empty node, in two bytes.
    const nodes = new Uint8Array(5_000_000).map((_, i) => (i % 2 === 0 ? 0x0a : 0));
    const length = [
      nodes.length & 0x7f,
      (nodes.length >> 7) & 0x7f,
      (nodes.length >> 14) & 0x7f,
      nodes.length >> 21,
    ];
    const head = Uint8Array.of(0x3a, ...length.map((byte, i) => (i < 3 ? byte | 0x80 : byte)));
    expect(failure(new Uint8Array([...head, ...nodes]))).toBe(
      "expected an ONNX model of at most 2000000 fields and listed values",
    );
  });

  test("a list of numbers counts as many as it may hold", () => {
    const field = (tag: number, bytes: Uint8Array) => {
      const { length } = bytes;
      const head = [tag, (length & 0x7f) | 0x80, ((length >> 7) & 0x7f) | 0x80, (length >> 14) & 0x7f];
      return Buffer.concat([Uint8Array.from(head), bytes]);
    };
    // model.graph.initializer.int64_data, a byte each.
    const model = (count: number) => field(0x3a, field(0x2a, field(0x3a, new Uint8Array(count))));
    expect(() => checkOnnxWire(model(1_999_000))).not.toThrow();
    expect(() => checkOnnxWire(model(2_000_000))).toThrow("at most 2000000 fields and listed values");
  });

  test("a field of another kind than ONNX has it", () => {
    // model.graph as a number.
    expect(failure(Uint8Array.of(0x38, 0x01))).toBe(
      "the ONNX model has a field graph of another kind than ONNX's",
    );
  });

  test("messages within messages without end", () => {
    let bytes = new Uint8Array(0);
    // graph.node.attribute.g.node and so on; each level adds a few bytes.
    for (let level = 0; level < 12; level++) {
      for (const tag of [0x32, 0x2a, 0x0a]) bytes = wrap(tag, bytes);
    }
    expect(() => checkOnnxWire(wrap(0x3a, bytes))).toThrow("the ONNX model is nested more than 20 deep");
  });
});

function wrap(tag: number, bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const { length } = bytes;
  return Uint8Array.of(tag, (length & 0x7f) | 0x80, length >> 7, ...bytes);
}
