import {
  type GraphProto,
  type ModelProto,
  type TensorProto,
  TensorProto_DataLocation,
  TensorProto_DataType,
} from "../../gen/onnx/onnx_pb.ts";
import { formatShape, invalidModel } from "../convert-error.ts";

/** Bytes of one value in `raw_data`. Texts have no place in a network that takes pictures. */
const bytesByType: ReadonlyMap<number, number> = new Map([
  [TensorProto_DataType.FLOAT, 4],
  [TensorProto_DataType.FLOAT16, 2],
  [TensorProto_DataType.BFLOAT16, 2],
  [TensorProto_DataType.DOUBLE, 8],
  [TensorProto_DataType.UINT8, 1],
  [TensorProto_DataType.INT8, 1],
  [TensorProto_DataType.UINT16, 2],
  [TensorProto_DataType.INT16, 2],
  [TensorProto_DataType.INT32, 4],
  [TensorProto_DataType.INT64, 8],
  [TensorProto_DataType.UINT32, 4],
  [TensorProto_DataType.UINT64, 8],
  [TensorProto_DataType.BOOL, 1],
]);

/**
 * Checks that a model is whole and sound as far as it can be seen without running it: every tensor is there and as
 * long as its shape says, every node takes what stands before it, which also rules out circles, and nothing lies in
 * other files or in graphs of its own.
 * @throws EmbedError `CONVERT_INVALID`
 */
export function checkOnnxGraph(model: ModelProto): GraphProto {
  const { graph } = model;
  if (!graph || graph.node.length === 0) throw invalidModel("expected an ONNX model with a graph, got none");
  if (model.functions.length > 0) throw invalidModel("expected no functions of the model's own");
  if (graph.sparseInitializer.length > 0) throw invalidModel("expected no sparse tensors");
  const known = new Set<string>();
  for (const tensor of graph.initializer) {
    checkTensor(tensor);
    if (known.has(tensor.name)) throw invalidModel(`two tensors are named "${tensor.name}"`);
    known.add(tensor.name);
  }
  // Up to IR version 3 each initializer is an input as well.
  for (const { name } of graph.input) known.add(name);
  for (const node of graph.node) {
    const name = `node "${node.name || node.output[0] || node.opType}" (${node.opType})`;
    const missing = node.input.find((input) => input !== "" && !known.has(input));
    if (missing !== undefined)
      throw invalidModel(`${name} takes "${missing}", which nothing before it gives`);
    for (const attribute of node.attribute) {
      if (attribute.g || attribute.graphs.length > 0) {
        throw invalidModel(`${name} holds a graph of its own; expected a network without branches or loops`);
      }
      for (const tensor of [attribute.t, ...attribute.tensors]) if (tensor) checkTensor(tensor);
    }
    for (const output of node.output) {
      if (output === "") continue;
      if (known.has(output)) throw invalidModel(`${name} gives "${output}", which is given already`);
      known.add(output);
    }
  }
  return graph;
}

function checkTensor(tensor: TensorProto): void {
  const what = `tensor "${tensor.name}"`;
  if (tensor.dataLocation === TensorProto_DataLocation.EXTERNAL || tensor.externalData.length > 0) {
    throw invalidModel(`${what} lies in another file; save the model as one, without external data`);
  }
  const size = bytesByType.get(tensor.dataType);
  if (size === undefined)
    throw invalidModel(`${what}: expected numbers, got type ${tensor.dataType} of ONNX`);
  const shape = tensor.dims.map(Number);
  const expected = shape.reduce((a, b) => a * b, 1);
  const listed = [tensor.floatData, tensor.int32Data, tensor.int64Data, tensor.doubleData, tensor.uint64Data];
  const got =
    tensor.rawData.length > 0
      ? tensor.rawData.length / size
      : listed.reduce((sum, values) => sum + values.length, 0);
  if (shape.some((length) => length < 0) || got !== expected) {
    throw invalidModel(`${what}: expected ${expected} values for ${formatShape(shape)}, got ${got}`);
  }
}
