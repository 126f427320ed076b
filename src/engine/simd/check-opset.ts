import { EmbedError } from "../../errors.ts";
import type { OperatorSetIdProto } from "../../gen/onnx/onnx_pb.ts";

/**
 * Before 13, Softmax flattened what lies behind its axis, and Clip and Pad took other inputs before 11. Behind 23 nobody has
 * looked yet for what an operator means.
 */
const known = { least: 13n, most: 23n };

/** @throws EmbedError `ENGINE_UNSUPPORTED` unless the model's operators mean what the planner takes them for */
export function checkOpset(imports: readonly OperatorSetIdProto[]): void {
  const opset = imports.find(({ domain }) => domain === "" || domain === "ai.onnx")?.version;
  if (opset === undefined || opset < known.least || opset > known.most) {
    throw new EmbedError(
      "ENGINE_UNSUPPORTED",
      `simd: expected opset ${known.least} to ${known.most} of ONNX, got ${opset ?? "none"}`,
    );
  }
}
