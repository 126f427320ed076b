import type { Processed, ProcessorHost, ProcessResult } from "../embed/processor.ts";
import { settleBefore } from "../embed/settle-before.ts";
import { EmbedError } from "../errors.ts";
import { chargeCallKey } from "./charge-call.ts";
import type { OperatorKind } from "./operator-kind.ts";
import type { ServiceLimits } from "./served-model.ts";

/** A processor as `omnisearch.Operator` offers it. */
export interface ServedProcessor {
  readonly name: string;
  readonly host: ProcessorHost;
  readonly limits: ServiceLimits;
  /** Told what became of each picture, for metrics and the log. */
  readonly onResult?: (result: ProcessResult) => void;
}

/** Of one reply: the contract's messages have 100 MiB, and the rest is for what is around the pictures. */
export const defaultReplyMaxBytes = 96 * 2 ** 20;

/** What an entry of the reply takes beside its text, at least. */
const entryBytes = 16;

/** An operator of type `processor`: one metadata entry for each picture that it makes, in order, and no vectors. */
export function processorKind(
  { name, host, limits, onResult }: ServedProcessor,
  replyMaxBytes = defaultReplyMaxBytes,
): OperatorKind<Processed> {
  return {
    identity: {
      name,
      type: "processor",
      input: "image",
      output: "images",
      dimension: "-1",
      metricType: "-1",
    },
    maxImageBytes: limits.maxImageBytes,
    maxItems: limits.maxItems,
    async hold(signal) {
      await settleBefore(host.ready, signal);
      return () => undefined;
    },
    get concurrency() {
      return host.concurrency;
    },
    isReady: () => host.isReady(),
    notReady: "the processor is not ready yet",
    work: (bytes, options) => host.process(bytes, options),
    onResult,
    // Phantoscope hands `data` on as the next operator's `datas`, with the empty urls beside it.
    toReply(made) {
      const metadata = made.flatMap(({ images }) => images.map((data) => ({ url: "", data })));
      return { nums: BigInt(metadata.length), metadata };
    },
    describe: () => undefined,
    openAccount(values) {
      const charge = values.get(chargeCallKey);
      let total = 0;
      return ({ images }) => {
        const bytes = images.reduce((sum, { length }) => sum + length + entryBytes, 0);
        total += bytes;
        if (total > replyMaxBytes) {
          throw new EmbedError(
            "REQUEST_TOO_LARGE",
            `expected the pictures of one reply to take at most ${replyMaxBytes} bytes as base64, got more; send fewer pictures in one call`,
          );
        }
        charge(bytes);
      };
    },
  };
}
