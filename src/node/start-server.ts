import type { FetchBytes } from "../embed/host.ts";
import { Operator } from "../gen/omnisearch/operator_pb.ts";
import { EmbeddingService } from "../gen/portico/v1/embedding_pb.ts";
import { createEmbedding } from "../service/embedding.ts";
import { addHealth } from "../service/health.ts";
import { createOperator } from "../service/operator.ts";
import type { Readiness } from "../service/readiness.ts";
import { addReflection } from "../service/reflection.ts";
import type { ServedModel } from "../service/served-model.ts";
import { createGuardedHandler } from "./guarded-handler.ts";
import { type HttpPages, textPage, withPages } from "./http-pages.ts";
import type { HttpLog } from "./http-types.ts";
import type { ListenAddress } from "./listen-address.ts";
import type { Log } from "./log.ts";
import type { Metrics } from "./metrics.ts";
import { createOnePortServer } from "./one-port-server.ts";

export interface StartServerOptions {
  /** `omnisearch.Operator` serves the first, `portico.v1.EmbeddingService` all of them by name. */
  readonly models: readonly [ServedModel, ...ServedModel[]];
  readonly readiness: Readiness;
  readonly fetchBytes: FetchBytes;
  readonly listen: ListenAddress;
  /** `OP_ENDPOINT`, echoed in Identity; without it the address listened on. */
  readonly endpoint: string | undefined;
  readonly metrics: Metrics;
  readonly log: Log;
}

export interface RunningServer {
  /** HOST:PORT as Identity tells it. */
  readonly endpoint: string;
  /** `http://HOST:PORT` for a client on this machine. */
  readonly localUrl: string;
  /** Takes no new calls, lets those in flight end for `graceMs` at most. */
  close(options: { readonly graceMs: number }): Promise<void>;
}

/**
 * Opens the port and answers from then on; calls that need the model wait until the embedder is ready.
 * @throws EmbedError `CONFIG_INVALID` if the address cannot be listened on
 */
export async function startServer(options: StartServerOptions): Promise<RunningServer> {
  const { log } = options;
  const httpLog: HttpLog = (level, message, fields) => log[level](fields ?? {}, message);
  const closing = new AbortController();
  let endpoint = options.endpoint ?? "";
  const server = createOnePortServer({
    log: httpLog,
    handler: withPages(
      serverPages(options),
      createGuardedHandler({
        log: httpLog,
        interceptors: [options.metrics.interceptor],
        routes(router) {
          const { models, fetchBytes } = options;
          router.service(
            Operator,
            createOperator({ model: models[0], endpoint: () => endpoint, fetchBytes }),
          );
          router.service(
            EmbeddingService,
            createEmbedding({ models, fetchBytes, now: () => performance.now() }),
          );
          addHealth(
            router,
            options.readiness,
            [Operator.typeName, EmbeddingService.typeName],
            closing.signal,
          );
          addReflection(router);
        },
      }),
    ),
  });
  const { host, port } = await server.listen(options.listen);
  endpoint ||= hostPort(host, port);
  const isAnyHost = host === "::" || host === "0.0.0.0";
  return {
    endpoint,
    localUrl: `http://${hostPort(isAnyHost ? "127.0.0.1" : host, port)}`,
    async close(grace) {
      closing.abort();
      await server.close(grace);
    },
  };
}

/** For probes and for Prometheus. */
function serverPages({ readiness, metrics }: StartServerOptions): HttpPages {
  return {
    "/livez": () => textPage(200, "alive"),
    "/readyz": () => (readiness.current() ? textPage(200, "ready") : textPage(503, "not ready")),
    "/metrics": async () => ({ status: 200, contentType: metrics.contentType, text: await metrics.text() }),
  };
}

function hostPort(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
