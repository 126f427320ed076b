import type { MessageInitShape } from "@bufbuild/protobuf";
import type { ContextValues } from "@connectrpc/connect";
import type { ExecuteReplySchema } from "../gen/omnisearch/operator_pb.ts";
import type { PictureWork } from "./work-batch.ts";

/** What Identity tells of an operator, beside its endpoint. */
export interface OperatorIdentity {
  readonly name: string;
  /** Phantoscope compares it literally. */
  readonly type: "encoder" | "processor";
  readonly input: string;
  readonly output: string;
  /** A whole number; `-1` where there are no vectors. */
  readonly dimension: string;
  /** `-1` where there are no vectors. */
  readonly metricType: string;
}

/**
 * What `omnisearch.Operator` serves. There are two kinds: an encoder makes a vector of a picture
 * (encoder-kind.ts), a processor makes pictures of it (processor-kind.ts).
 */
export interface OperatorKind<Made extends { readonly ok: true }> extends PictureWork<Made> {
  readonly identity: OperatorIdentity;
  /** Largest encoded picture, in bytes. */
  readonly maxImageBytes: number;
  isReady(): boolean;
  /** Says why it is not, as long as the server does not stop. */
  readonly notReady: string;
  /** What was made of each input, in order, as the reply of Execute. */
  toReply(made: readonly Made[]): MessageInitShape<typeof ExecuteReplySchema>;
  /** Headers of every reply that carries or describes what it makes. */
  describe(headers: Headers): void;
  /** Opens the account of one call's results, where these may be large: told of each, it throws what ends the call. */
  openAccount?(values: ContextValues): (made: Made) => void;
}
