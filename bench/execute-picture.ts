import { ExecuteRequestSchema, Operator } from "../src/gen/omnisearch/operator_pb.ts";
import { createUnaryCall, frameOf } from "./unary-call.ts";

/** Calls Execute over gRPC with one picture and checks that a vector came. */
export type ExecutePicture = (base64: string) => Promise<void>;

/** Requests by their picture: benchmarks send the same few again and again. */
const frames = new Map<string, Buffer>();

/**
 * A caller of an operator at HOST:PORT. It has a connection of its own.
 * @throws Error if the reply is not one vector of 2048 elements, or of the call
 */
export function createExecute(address: string): ExecutePicture {
  const execute = createUnaryCall(address, Operator.method.execute);
  return async (base64) => {
    const frame = frames.get(base64) ?? frameOf(ExecuteRequestSchema, { datas: [base64] });
    frames.set(base64, frame);
    const { vectors } = await execute(frame);
    const length = vectors[0]?.element.length;
    if (vectors.length !== 1 || length !== 2048)
      throw new Error(`expected one vector of 2048, got ${vectors.length} of ${length}`);
  };
}
