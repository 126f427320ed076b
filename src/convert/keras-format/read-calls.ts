import { invalidModel } from "../convert-error.ts";
import { isCount, isObject, showJson } from "./json.ts";
import type { CallNumbers, LayerCall, TensorSource } from "./keras-model.ts";

/**
 * Reads `inbound_nodes`, a list of calls. Keras 2 writes a call as a list of
 * `[layer, call, tensor, keyword arguments]`, for an operation of TensorFlow as one of them alone, whose keyword
 * arguments may be `[layer, call, tensor]` too; Keras 3 as
 * `{"args", "kwargs"}` with tensors as objects of class `__keras_tensor__`, which hold `[layer, call, tensor]` as
 * `keras_history`. Numbers among the arguments are `readNumbers`'s.
 * @throws EmbedError `CONVERT_INVALID`
 */
export function readCalls(layer: string, inboundNodes: unknown): readonly LayerCall[] {
  if (!Array.isArray(inboundNodes)) throw malformed(layer, inboundNodes);
  return inboundNodes.map((call: unknown) => {
    if (isObject(call) && Array.isArray(call.args)) return readKeras3Call(layer, call.args, call.kwargs);
    if (!Array.isArray(call)) throw malformed(layer, call);
    if (typeof call[0] === "string") return readOperation(layer, call);
    return call.map((source) => readSource(layer, source));
  });
}

/** The numbers among the arguments of each call; undefined if there are none. */
export function readNumbers(inboundNodes: readonly unknown[]): readonly CallNumbers[] | undefined {
  const numbers = inboundNodes.map((call) => {
    const given =
      isObject(call) && Array.isArray(call.args)
        ? Object.entries(call.args)
        : Array.isArray(call) && typeof call[0] === "string" && isObject(call[3])
          ? Object.entries(call[3])
          : [];
    return Object.fromEntries(
      given.filter((entry): entry is [string, number] => typeof entry[1] === "number"),
    );
  });
  return numbers.some((call) => Object.keys(call).length > 0) ? numbers : undefined;
}

/**
 * `[layer, call, tensor]`, as in `input_layers`, `output_layers` and `keras_history`.
 * @param layer whose input it is, for messages
 * @throws EmbedError `CONVERT_INVALID`
 */
export function readSource(layer: string, source: unknown): TensorSource {
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

/** `x + y` in tf.keras: `["x", 0, 0, {"y": ["y", 0, 0], "name": null}]`. */
function readOperation(layer: string, call: readonly unknown[]): LayerCall {
  const given = isObject(call[3]) ? Object.values(call[3]) : [];
  const tensors = given.filter((one) => Array.isArray(one) && typeof one[0] === "string");
  return [call, ...tensors].map((source) => readSource(layer, source));
}

function readKeras3Call(layer: string, args: readonly unknown[], kwargs: unknown): LayerCall {
  // A layer that takes several tensors gets them as one list, an operation as arguments of its own.
  const tensors = args.flatMap((arg) => (Array.isArray(arg) ? (arg as readonly unknown[]) : [arg]));
  if (JSON.stringify(kwargs ?? {}).includes("__keras_tensor__")) {
    throw invalidModel(`layer "${layer}" takes a tensor as a keyword argument; expected positional ones`);
  }
  return tensors.flatMap((tensor) => {
    if (typeof tensor === "number") return [];
    if (!isObject(tensor) || tensor.class_name !== "__keras_tensor__" || !isObject(tensor.config)) {
      throw malformed(layer, tensor);
    }
    return readSource(layer, tensor.config.keras_history);
  });
}

function malformed(layer: string, got: unknown): Error {
  return invalidModel(
    `inbound_nodes of layer "${layer}": expected calls of [layer, call, tensor, arguments], got ${showJson(got)}`,
  );
}
