import { type Command, Option } from "commander";
import { defaultHttpLimits, type HttpLimits } from "../node/http-limits.ts";
import { positiveInteger } from "./common-options.ts";

/** Options of how much work a server holds at once, beside its queue. */
export interface LoadOptions {
  readonly maxInflightBytes: number;
}

export function addLoadOptions(command: Command): Command {
  const { inflightMaxBytes } = defaultHttpLimits;
  return command.addOption(
    new Option(
      "--max-inflight-bytes <n>",
      "bytes of all requests with pictures that are held at once; one alone may be larger",
    )
      .argParser(positiveInteger)
      .default(inflightMaxBytes, `${inflightMaxBytes / 2 ** 20} MiB`),
  );
}

export function toLoadLimits(options: LoadOptions): Pick<HttpLimits, "inflightMaxBytes"> {
  return { inflightMaxBytes: options.maxInflightBytes };
}
