import { readFileSync } from "node:fs";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { convertKeras } from "../src/convert/convert-keras.ts";
import { readTfjsLayers } from "../src/convert/keras-format/read-tfjs-layers.ts";
import { readOnnxModel } from "../src/convert/onnx-format/read-onnx-model.ts";
import { EmbedError } from "../src/errors.ts";
import {
  AttributeProto_AttributeType,
  type GraphProto,
  GraphProtoSchema,
  type ModelProto,
  ModelProtoSchema,
  TensorProto_DataType,
} from "../src/gen/onnx/onnx_pb.ts";

/** A convolution with what real tf_keras gives for it, as ONNX in the forms in which other tools export it. */

const folder = new URL("../fixtures/golden/convert/", import.meta.url);
const name = "zeropadding2d-conv2d";
/** What real tf_keras takes and gives. */
export const golden = JSON.parse(readFileSync(new URL(`${name}.json`, folder), "utf8"));
const modelJson = JSON.parse(readFileSync(new URL(golden.model, folder), "utf8"));
const keras = await readTfjsLayers(modelJson, async (path) => readFileSync(new URL(path, folder)));
const outputLayer = modelJson.modelTopology.model_config.config.output_layers[0][0] as string;
/** As this project converts it: a vector out. */
export const converted = convertKeras(keras, { outputLayer, inputShape: golden.input.shape.slice(1) });

export const floats = (base64: string) =>
  new Float32Array(Uint8Array.from(Buffer.from(base64, "base64")).buffer);
export const [, height, width, channels] = golden.output.shape as [number, number, number, number];

/** The value infos, by name, with sizes as given: a name for one that is open. */
export function info(tensor: string, sizes: readonly (number | string)[], elemType = 1) {
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

/** How a model is exported; by channels first with sizes of its own, unless they are given. */
export interface Form {
  readonly layout?: "NHWC" | "NCHW";
  readonly input?: readonly (number | string)[];
  readonly output?: readonly (number | string)[];
  readonly change?: (graph: GraphProto, model: ModelProto) => void;
}

/** The network between its own transpositions and flattening: pictures in, pictures out. */
export function exported({ layout = "NCHW", input, output, change }: Form = {}): Uint8Array {
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
export function turnOutput(graph: GraphProto, perm: readonly number[]): void {
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

/** What the reader says of a model that it refuses; throws if it is taken. */
export function refusalOf(
  bytes: Uint8Array,
  options: Partial<Parameters<typeof readOnnxModel>[1]> = {},
): string {
  try {
    readOnnxModel(bytes, { pooling: "avg", ...options });
  } catch (error) {
    if (!(error instanceof EmbedError) || error.reason !== "CONVERT_INVALID") throw error;
    return error.message;
  }
  throw new Error("the model was taken");
}

/** The network by channels first, with something about it changed. */
export const changed = (change: Form["change"]) => exported({ change: change! });
