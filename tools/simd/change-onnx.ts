import { fromBinary, toBinary } from "@bufbuild/protobuf";
import type { Graph } from "../../src/convert/graph.ts";
import { writeOnnx } from "../../src/convert/write-onnx.ts";
import { type GraphProto, type ModelProto, ModelProtoSchema } from "../../src/gen/onnx/onnx_pb.ts";

/** A graph as ONNX, with what our own writer never writes put in by `change`. */
export function changeOnnx(
  graph: Graph,
  change: (graph: GraphProto, model: ModelProto) => unknown,
): Uint8Array<ArrayBuffer> {
  const model = fromBinary(ModelProtoSchema, writeOnnx(graph));
  change(model.graph!, model);
  return toBinary(ModelProtoSchema, model);
}
