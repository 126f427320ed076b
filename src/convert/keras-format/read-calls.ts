import { invalidModel } from "../convert-error.ts";
import { isCount, showJson } from "./json.ts";
import type { LayerCall, TensorSource } from "./keras-model.ts";

/**
 * Reads `inbound_nodes` as Keras 2 writes it: a list of calls, each a list of
 * `[layer, call, tensor, keyword arguments]`.
 * @throws EmbedError `CONVERT_INVALID`
 */
export function readCalls(layer: string, inboundNodes: unknown): readonly LayerCall[] {
  if (!Array.isArray(inboundNodes)) throw malformed(layer, inboundNodes);
  return inboundNodes.map((call: unknown) => {
    if (!Array.isArray(call)) throw malformed(layer, call);
    return call.map((source) => readSource(layer, source));
  });
}

function readSource(layer: string, source: unknown): TensorSource {
  if (!Array.isArray(source)) throw malformed(layer, source);
  const [from, call, tensor] = source as unknown[];
  if (typeof from !== "string" || !isCount(call) || !isCount(tensor)) throw malformed(layer, source);
  if (tensor !== 0) {
    throw invalidModel(
      `layer "${layer}" takes output ${tensor} of "${from}"; expected layers with one output`,
    );
  }
  return { layer: from, call };
}

function malformed(layer: string, got: unknown): Error {
  return invalidModel(
    `inbound_nodes of layer "${layer}": expected calls of [layer, call, tensor, arguments], got ${showJson(got)}`,
  );
}
