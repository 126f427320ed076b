import type { ServeOptions } from "./serve-options.ts";

/** What the log warns of at the start: options that are allowed, and may not do what their user expects. */
export function serveWarnings(
  options: Pick<
    ServeOptions,
    "allowPrivate" | "engine" | "maxConnections" | "maxConnectionsPerClient" | "threads"
  >,
): readonly string[] {
  const { allowPrivate = false, maxConnections, maxConnectionsPerClient: perClient } = options;
  const warnings: string[] = [];
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
