import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { Code, ConnectError } from "@connectrpc/connect";
import { afterAll, beforeAll, beforeEach, expect } from "vitest";
import { Health } from "../src/gen/grpc/health/v1/health_pb.ts";
import { Operator } from "../src/gen/omnisearch/operator_pb.ts";
import { EmbeddingService } from "../src/gen/portico/v1/embedding_pb.ts";
import { createGuardedHandler } from "../src/node/http/guarded-handler.ts";
import { createOnePortServer, type OnePortServer } from "../src/node/http/one-port-server.ts";
import { observeRequests } from "../src/node/observe/observe-requests.ts";
import { currentRequest, type RequestRecord } from "../src/node/observe/request-record.ts";

export interface ObservedServer {
  server: OnePortServer;
  port: number;
  baseUrl: string;
  /** Records of requests that have ended in this test. */
  ended: RequestRecord[];
  /** How many requests are open. */
  open: number;
  /** What a stream waits for. */
  nextStep: Promise<void>;
}

/** Filled by `useObservedServer`. */
export const observed = { ended: [], open: 0 } as unknown as ObservedServer;

/** `urls` tell what becomes of a call. */
async function execute({ urls }: { readonly urls: readonly string[] }) {
  const [wish = "", size = "1"] = urls;
  if (wish === "inner") throw new Error("an inner secret");
  if (wish === "many") throw new ConnectError("x".repeat(5_000), Code.FailedPrecondition);
  if (wish === "slow") await sleep(10_000, undefined, { ref: false });
  if (wish === "refuse") throw new ConnectError("no", Code.InvalidArgument);
  const record = currentRequest();
  if (record) record.items += 1;
  return { vectors: [{ element: Array.from({ length: Number(size) }, () => 1) }] };
}

/** To be called beside the tests of a file: the server runs as long as they do. */
export function useObservedServer(): void {
  beforeAll(async () => {
    const handler = createGuardedHandler({
      log: () => undefined,
      limits: { smallRequestMaxBytes: 100, requestMaxBytesByRpc: {} },
      requestGate({ requestHeader }) {
        if (requestHeader.get("x-refuse")) throw new ConnectError("no entry", Code.PermissionDenied);
      },
      routes(router) {
        router.service(Operator, { execute, identity: () => ({ name: "n" }) });
        router.service(Health, {
          async *watch({ service }, { signal }) {
            yield { status: 1 };
            if (service === "break") throw new ConnectError("x".repeat(5_000), Code.DataLoss);
            await Promise.race([observed.nextStep, once(signal, "abort")]);
            yield { status: 2 };
          },
        });
        router.service(EmbeddingService, {
          async *embedStream(requests) {
            for await (const { id } of requests) yield { id };
          },
        });
      },
    });
    const observer = {
      onStart() {
        observed.open += 1;
      },
      onEnd(record: RequestRecord) {
        observed.open -= 1;
        observed.ended.push(record);
      },
    };
    observed.server = createOnePortServer({
      handler: observeRequests(handler, [observer]),
      log: () => undefined,
    });
    ({ port: observed.port } = await observed.server.listen({ host: "127.0.0.1", port: 0 }));
    observed.baseUrl = `http://127.0.0.1:${observed.port}`;
  });
  afterAll(() => observed.server.close({ graceMs: 0 }));
  beforeEach(() => {
    observed.ended = [];
  });
}

/** The one request that has observed.ended, once none is observed.open. */
export async function theRecord(): Promise<RequestRecord> {
  await expect.poll(() => [observed.ended.length, observed.open]).toEqual([1, 0]);
  return observed.ended[0] as RequestRecord;
}
