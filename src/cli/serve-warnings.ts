import { isUnspecified } from "../node/phantoscope/endpoint-address.ts";
import type { ServeOptions } from "./serve-options.ts";

/** What the log warns of at the start: settings that are allowed, and may not do what their user expects. */
export function serveWarnings(
  options: Pick<
    ServeOptions,
    "allowPrivate" | "engine" | "maxConnections" | "maxConnectionsPerClient" | "threads"
  >,
  opEndpoint?: string,
): readonly string[] {
  const { allowPrivate = false, maxConnections, maxConnectionsPerClient: perClient } = options;
  const warnings: string[] = [];
  const host = opEndpoint?.replace(/:\d+$/, "");
  if (host !== undefined && isUnspecified(host)) {
    warnings.push(
      `OP_ENDPOINT ${opEndpoint}: Identity tells callers to come to ${host}, which is an address for listening only; it should be the one that they use`,
    );
  }
  if (allowPrivate) {
    warnings.push(
      "--allow-private: callers can fetch from any private address; --allow-hosts would name the hosts",
    );
  }
  if (perClient !== undefined && perClient >= maxConnections) {
    warnings.push(
      `--max-connections-per-client ${perClient} limits nobody: one client may take all of --max-connections ${maxConnections}`,
    );
  }
  if (options.engine === "auto" && options.threads > 1) {
    warnings.push(
      `--threads ${options.threads} leaves out the engine simd, which has 1; --workers uses more processors`,
    );
  }
  return warnings;
}
