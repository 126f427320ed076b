import { lazyFetchImage } from "../node/fetch/lazy-fetch-image.ts";
import { resolveListenAddress } from "../node/http/listen-address.ts";
import { createLog, type Log } from "../node/observe/log.ts";
import type { Metrics } from "../node/observe/metrics.ts";
import type { StartServerOptions } from "../node/start-server.ts";
import { toAccess } from "./access-options.ts";
import { toConnectionGates, toConnectionLimits } from "./connection-options.ts";
import { toFetchPolicy } from "./fetch-options.ts";
import { toLoadLimits } from "./load-options.ts";
import { toObservability } from "./observability-options.ts";
import type { ServeOptions } from "./serve-options.ts";
import { serveWarnings } from "./serve-warnings.ts";
import { toTlsFiles } from "./tls-options.ts";

type SharedOption =
  | "metrics"
  | "fetchBytes"
  | "listen"
  | "endpoint"
  | "observers"
  | "tokens"
  | "corsOrigins"
  | "tls"
  | "gates"
  | "limits"
  | "log";

interface SharedSettings {
  /** That part of what `startServer` is given. */
  readonly shared: Pick<StartServerOptions, SharedOption>;
  /** To be called when the server is ready: loads what the first URL would otherwise wait for. */
  readonly loadForUrls: () => void;
}

/** What a server is started with, whatever it serves. */
export interface ServeSettings {
  readonly log: Log;
  readonly toServer: (metrics: Metrics) => SharedSettings;
  /** Sends what it still has to tell. */
  readonly closeObservability: () => Promise<unknown>;
}

/**
 * Reads the options and `OP_ENDPOINT`, and warns of what may not do what its user expects.
 * @throws EmbedError `CONFIG_INVALID` for options that cannot be
 */
export async function readServeSettings(options: ServeOptions): Promise<ServeSettings> {
  const log = createLog(options.logLevel);
  const endpoint = process.env.OP_ENDPOINT;
  const listen = resolveListenAddress(options.listen, endpoint);
  const tls = toTlsFiles(options);
  const fetchPolicy = toFetchPolicy(options);
  const access = await toAccess(options, log);
  const observability = await toObservability(options, log);
  const surroundings = { opEndpoint: endpoint, isFirstProcess: process.pid === 1 };
  for (const warning of serveWarnings(options, surroundings)) log.warn(warning);
  return {
    log,
    toServer(metrics) {
      const fetchImage = lazyFetchImage(fetchPolicy, {
        onRefused: (refusal) => log.warn(refusal, "a URL was refused"),
        onFetched: metrics.onFetched,
      });
      const shared = {
        metrics,
        fetchBytes: fetchImage.fetchBytes,
        listen,
        endpoint,
        observers: observability.observers,
        ...access,
        ...(tls && { tls }),
        gates: toConnectionGates(options),
        limits: { ...toLoadLimits(options), ...toConnectionLimits(options) },
        log,
      };
      const loadForUrls = () => {
        // Should it fail, the first call with a URL says so.
        if (options.urls !== "off") fetchImage.load().catch(() => undefined);
      };
      return { shared, loadForUrls };
    },
    closeObservability: () => observability.close(),
  };
}
