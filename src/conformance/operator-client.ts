import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import type { Any } from "@bufbuild/protobuf/wkt";
import type { Code } from "../gen/portico/conformance/v1/suite_pb.ts";

/** One unary call. `method` need not exist: the path is sent as it stands. */
export interface UnaryCall<I extends DescMessage, O extends DescMessage> {
  readonly service: string;
  readonly method: string;
  readonly input: I;
  readonly output: O;
  readonly request: MessageShape<I>;
  /** Milliseconds until the call is given up; sent to the server too. */
  readonly timeoutMs: number;
}

/** The server answered. */
export interface RpcReply<O extends DescMessage> {
  readonly kind: "reply";
  readonly reply: MessageShape<O>;
}

/** The server refused, in the way that the protocol asks for. */
export interface RpcError {
  readonly kind: "error";
  readonly code: Code;
  readonly message: string;
  readonly details: readonly Any[];
}

/** No answer, or one that breaks the protocol; `message` says which. */
export interface RpcBroken {
  readonly kind: "broken";
  readonly message: string;
}

export type RpcOutcome<O extends DescMessage> = RpcReply<O> | RpcError | RpcBroken;

/** A client of one transport. It never rejects: what goes wrong is an outcome. */
export interface OperatorClient {
  call<I extends DescMessage, O extends DescMessage>(call: UnaryCall<I, O>): Promise<RpcOutcome<O>>;
  close(): Promise<void>;
}

/** The text of anything thrown, with its causes: `fetch` hides the reason in `cause`. */
export function textOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message}: ${textOf(error.cause)}`;
}

export function broken(message: string): RpcBroken {
  return { kind: "broken", message };
}
