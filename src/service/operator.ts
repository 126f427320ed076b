import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import { decodeBase64 } from "../embed/decode-base64.ts";
import type { FetchBytes } from "../embed/host.ts";
import { EmbedError } from "../errors.ts";
import type { ExecuteRequest, Operator } from "../gen/omnisearch/operator_pb.ts";
import type { OperatorKind } from "./operator-kind.ts";
import { toConnectError } from "./to-connect-error.ts";
import { batchError, workBatch } from "./work-batch.ts";

export interface OperatorOptions<Made extends { readonly ok: true }> {
  /** What it is: an encoder or a processor. */
  readonly kind: OperatorKind<Made>;
  /** Echoed in Identity: host:port under which callers know this operator. */
  readonly endpoint: () => string;
  readonly fetchBytes: FetchBytes;
  /** Why it is not ready, if it is not: the server stops. */
  readonly isStopping: () => boolean;
}

/**
 * `omnisearch.Operator` for an encoder or a processor. A call of Execute gives what was made of each input, in order, or
 * fails naming every bad index.
 */
export function createOperator<Made extends { readonly ok: true }>(
  options: OperatorOptions<Made>,
): ServiceImpl<typeof Operator> {
  const { kind } = options;

  /** After a detector Phantoscope sends both lists, and `urls` is then a list of empty strings. */
  async function execute({ urls, datas }: ExecuteRequest, { signal, values }: HandlerContext) {
    const list = datas.length > 0 ? "datas" : "urls";
    const batch =
      list === "datas"
        ? datas.map((_, index) => async () => {
            const data = datas[index] as string;
            // Its text is let go as soon as it is bytes: a request may hold a hundred megabytes of it.
            datas[index] = "";
            return decodeBase64(data, kind.maxImageBytes);
          })
        : urls.map((url) => () => options.fetchBytes(url, { signal }));
    const onMade = kind.openAccount?.(values);
    const results = await workBatch(kind, batch, { list, signal, failsAsOne: true, onMade });
    const error = batchError(results, list);
    if (error) throw error;
    return kind.toReply(results.flatMap((result) => (result.ok ? [result as Made] : [])));
  }

  return {
    async execute(request, context) {
      try {
        const reply = await execute(request, context);
        kind.describe(context.responseHeader);
        return reply;
      } catch (error) {
        throw toConnectError(EmbedError.from(error));
      }
    },
    healthy() {
      if (kind.isReady()) return { healthy: "healthy" };
      throw toConnectError(
        options.isStopping()
          ? new EmbedError("SHUTTING_DOWN", "the server stops; call another one")
          : new EmbedError("NOT_READY", kind.notReady),
      );
    },
    identity(_request, context) {
      kind.describe(context.responseHeader);
      return { ...kind.identity, endpoint: options.endpoint() };
    },
  };
}
