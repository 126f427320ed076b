import type { Log } from "./log.ts";
import type { RequestObserver } from "./observe-requests.ts";
import type { RequestRecord } from "./request-record.ts";

/**
 * Writes one line for each request, when it has ended: who, what, how it went, how much and how long. Never
 * what was sent: no picture, no URL of one, no path but those of our own pages, no query, no header but the
 * request's id.
 *
 * Probes come every few seconds for ever and say nothing, so that a healthy one's line is of level debug.
 */
export function createAccessLog(log: Log): RequestObserver {
  return {
    onEnd(record) {
      const level = isQuietProbe(record) ? "debug" : "info";
      if (log.isLevelEnabled(level)) log[level](toLine(record), "request");
    },
  };
}

function toLine(record: RequestRecord) {
  const { requestId, trace, httpVersion, peer, method, path, protocol, code, status } = record;
  const { items, bytesIn, bytesOut } = record;
  return {
    requestId,
    traceId: trace.traceId,
    method,
    path,
    protocol,
    code,
    status,
    ms: Math.round(record.ms * 1000) / 1000,
    items,
    bytesIn,
    bytesOut,
    peer,
    httpVersion,
  };
}

/** A page (liveness, readiness, metrics, the one for people) or a health check that found all well. */
function isQuietProbe({ method, protocol, code, status }: RequestRecord): boolean {
  if (method === undefined) return protocol === undefined && (status === 200 || status === 304);
  return method === "grpc.health.v1.Health/Check" && code === "OK";
}
