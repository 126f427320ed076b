import { type Command, Option } from "commander";
import { defaultHttpLimits, type HttpLimits } from "../node/http/http-limits.ts";
import { defaultQueueLimits, type QueueLimits } from "../node/pool/job-queue.ts";
import { positiveInteger } from "./common-options.ts";

/** Options of how much work a server holds at once. */
export interface LoadOptions {
  readonly maxQueuedItems: number;
  readonly maxQueuedBytes: number;
  readonly maxInflightBytes: number;
}

export function addLoadOptions(command: Command): Command {
  const { inflightMaxBytes } = defaultHttpLimits;
  return command
    .option(
      "--max-queued-items <n>",
      "pictures that may wait for a worker",
      positiveInteger,
      defaultQueueLimits.maxItems,
    )
    .addOption(
      new Option("--max-queued-bytes <n>", "bytes of all waiting pictures together")
        .argParser(positiveInteger)
        .default(defaultQueueLimits.maxBytes, `${defaultQueueLimits.maxBytes / 2 ** 20} MiB`),
    )
    .addOption(
      new Option(
        "--max-inflight-bytes <n>",
        "bytes of all requests with pictures that are held at once; one alone may be larger",
      )
        .argParser(positiveInteger)
        .default(inflightMaxBytes, `${inflightMaxBytes / 2 ** 20} MiB`),
    );
}

export function toQueueLimits(options: LoadOptions): QueueLimits {
  return { maxItems: options.maxQueuedItems, maxBytes: options.maxQueuedBytes };
}

export function toLoadLimits(options: LoadOptions): Pick<HttpLimits, "inflightMaxBytes"> {
  return { inflightMaxBytes: options.maxInflightBytes };
}
