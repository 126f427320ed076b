import type { FetchBytes } from "../embed/host.ts";
import { Operator } from "../gen/omnisearch/operator_pb.ts";
import { EmbeddingService } from "../gen/portico/v1/embedding_pb.ts";
import { createEmbedding } from "../service/embedding.ts";
import { encoderKind } from "../service/encoder-kind.ts";
import { addHealth } from "../service/health.ts";
import { createOperator } from "../service/operator.ts";
import { processorKind, type ServedProcessor } from "../service/processor-kind.ts";
import type { Readiness } from "../service/readiness.ts";
import { addReflection } from "../service/reflection.ts";
import type { ServedModel } from "../service/served-model.ts";
import { type BearerTokens, bearerGate, bearerPageGate } from "./access/bearer-tokens.ts";
import { clientContextValues } from "./access/client-caps-gate.ts";
import { type CorsOrigins, withCors } from "./access/cors.ts";
import { tellCertificate } from "./access/tell-certificate.ts";
import { readTlsFiles, type TlsFiles } from "./access/tls-files.ts";
import { watchTlsFiles } from "./access/tls-watch.ts";
import { type Grace, trackOpenCalls } from "./http/close-gracefully.ts";
import { createGuardedHandler } from "./http/guarded-handler.ts";
import { hostPort } from "./http/host-port.ts";
import type { HttpLimits } from "./http/http-limits.ts";
import { type HttpPages, textPage, withPages } from "./http/http-pages.ts";
import type { HttpLog } from "./http/http-types.ts";
import type { PagePath } from "./http/known-path.ts";
import type { ListenAddress } from "./http/listen-address.ts";
import { createOnePortServer } from "./http/one-port-server.ts";
import { allGates, type RequestGate } from "./http/request-gate.ts";
import type { Log } from "./observe/log.ts";
import type { Metrics } from "./observe/metrics.ts";
import { observeRequests, type RequestObserver } from "./observe/observe-requests.ts";
import { type PageOptions, withPage } from "./page/with-page.ts";
import { sharePending } from "./share-pending.ts";

/** What a server offers: models, or a processor. */
export type ServedOperators =
  /** `omnisearch.Operator` serves the first, `portico.v1.EmbeddingService` all of them by name. */
  | { readonly models: readonly [ServedModel, ...ServedModel[]] }
  /** `omnisearch.Operator` alone. */
  | { readonly processor: ServedProcessor };

export type StartServerOptions = ServerSettings & ServedOperators;

interface ServerSettings {
  /** Of the whole server. */
  readonly readiness: Readiness;
  /** Of `omnisearch.Operator`, which needs the first model alone. Default: `readiness`. */
  readonly operatorReadiness?: Readiness;
  readonly fetchBytes: FetchBytes;
  readonly listen: ListenAddress;
  /** `OP_ENDPOINT`, echoed in Identity; without it the address listened on. */
  readonly endpoint: string | undefined;
  readonly metrics: Metrics;
  /** Told of every request beside the metrics: the access log, traces. Default: none. */
  readonly observers?: readonly RequestObserver[];
  readonly log: Log;
  /** What a call must carry one of; without them anybody may call. */
  readonly tokens?: BearerTokens;
  /** Whose scripts in a browser may call; without them only those of no other origin. */
  readonly corsOrigins?: CorsOrigins;
  /** Asked in this order after a call's headers and its token, and before its body. Default: none. */
  readonly gates?: readonly RequestGate[];
  /** The page in a browser, at `/`; without it that path tells what this port speaks. */
  readonly page?: Pick<PageOptions, "models" | "forms" | "openSource">;
  /** With them the port speaks TLS, and follows the files; without them plain text. */
  readonly tls?: TlsFiles;
  /** What differs from the defaults. */
  readonly limits?: Partial<HttpLimits>;
}

export interface RunningServer {
  /** HOST:PORT as Identity tells it. */
  readonly endpoint: string;
  /** `http://HOST:PORT`, with TLS `https://HOST:PORT`, for a client on this machine. */
  readonly localUrl: string;
  /**
   * Takes no new calls, lets those in flight end for `graceMs` at most; the others get `SHUTTING_DOWN`.
   * @returns how many were cut off
   */
  close(grace: Grace): Promise<number>;
}

/**
 * Opens the port and answers from then on; calls that need the model wait until the embedder is ready.
 * @throws EmbedError `CONFIG_INVALID` if the address cannot be listened on, or the files of `tls` cannot be used
 */
export async function startServer(options: StartServerOptions): Promise<RunningServer> {
  const { log, tokens, corsOrigins, limits = {} } = options;
  const httpLog: HttpLog = (level, message, fields) => log[level](fields ?? {}, message);
  const closing = new AbortController();
  const openCalls = trackOpenCalls();
  let endpoint = options.endpoint ?? "";
  const calls = createGuardedHandler({
    log: httpLog,
    cutOff: openCalls.cutOff,
    limits,
    contextValues: clientContextValues,
    requestGate: allGates(...(tokens ? [bearerGate(tokens)] : []), ...(options.gates ?? [])),
    routes(router) {
      const { fetchBytes, readiness, operatorReadiness = readiness } = options;
      const services: Record<string, Readiness> = { [Operator.typeName]: operatorReadiness };
      const operatorOptions = { endpoint: () => endpoint, fetchBytes, isStopping: readiness.isEnded };
      if ("models" in options) {
        const { models } = options;
        router.service(Operator, createOperator({ ...operatorOptions, kind: encoderKind(models[0]) }));
        const now = () => performance.now();
        router.service(EmbeddingService, createEmbedding({ models, fetchBytes, now }));
        services[EmbeddingService.typeName] = readiness;
      } else {
        const kind = processorKind(options.processor);
        router.service(Operator, createOperator({ ...operatorOptions, kind }));
      }
      addHealth(router, readiness, services, closing.signal);
      addReflection(router);
    },
  });
  const gate = tokens && bearerPageGate(tokens);
  const page = options.page ? withPage({ ...options.page, modelGate: gate, log: httpLog }, calls) : calls;
  const pages = withPages(serverPages(options), page, { log: httpLog, gate });
  const material = options.tls && (await readTlsFiles(options.tls));
  const server = createOnePortServer({
    log: httpLog,
    limits,
    ...(material && { tls: material }),
    handler: observeRequests(withCors(corsOrigins, pages), [
      openCalls.observer,
      options.metrics.observer,
      ...(options.observers ?? []),
    ]),
  });
  const { host, port } = await server.listen(options.listen);
  if (options.tls && material) {
    tellCertificate(httpLog, "the TLS certificate was read", options.tls.certFile, material.leaf);
  }
  const watch =
    options.tls &&
    material &&
    watchTlsFiles({ files: options.tls, material, onChange: server.replaceTls, log: httpLog });
  endpoint ||= hostPort(host, port);
  const isAnyHost = host === "::" || host === "0.0.0.0";
  return {
    endpoint,
    localUrl: `${material ? "https" : "http"}://${hostPort(isAnyHost ? "127.0.0.1" : host, port)}`,
    async close(grace) {
      closing.abort();
      watch?.stop();
      return openCalls.close(server, grace);
    },
  };
}

/** For probes and for Prometheus. */
function serverPages({ readiness, metrics }: StartServerOptions): HttpPages {
  // It takes a millisecond and more: those who ask by the thousand get the same.
  const metricsText = sharePending(() => metrics.text());
  const pages: Record<PagePath, HttpPages[string]> = {
    "/livez": () => textPage(200, "alive"),
    "/readyz": () => (readiness.current() ? textPage(200, "ready") : textPage(503, "not ready")),
    "/metrics": async () => ({ status: 200, contentType: metrics.contentType, text: await metricsText() }),
  };
  return pages;
}
