import { Code, ConnectError, createClient, type Transport } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { afterEach, beforeEach, expect } from "vitest";
import { Operator } from "../src/gen/omnisearch/operator_pb.ts";
import { EmbeddingService } from "../src/gen/portico/v1/embedding_pb.ts";
import { keepMessageKey } from "../src/service/keep-message.ts";
import { startTestServer, type TestServer } from "./start-test-server.ts";

export interface LoadedServer {
  server: TestServer;
  /** Lets every call end that waits. */
  open: PromiseWithResolvers<void>;
  /** Calls whose whole request has reached the service. */
  served: number;
}

/** Filled before each test of a file that calls `useLoadedServer`. */
export const loaded = {} as LoadedServer;

/** `inflightMaxBytes` of the server. */
export const bound = 100_000;

/** The url of a call says how it ends; its data is only weight. */
const endings: Readonly<Record<string, (signal: AbortSignal) => Promise<void>>> = {
  answered: async () => undefined,
  failed: async () => {
    throw new ConnectError("it failed", Code.Internal);
  },
  waits: (signal) =>
    Promise.race([
      loaded.open.promise,
      new Promise<void>((_, reject) => signal.addEventListener("abort", reject)),
    ]),
};

/** To be called beside the tests of a file: each has a server of its own, with little room. */
export function useLoadedServer(): void {
  beforeEach(async () => {
    loaded.open = Promise.withResolvers();
    loaded.served = 0;
    loaded.server = await startTestServer(
      (router) => {
        router.service(Operator, {
          async execute({ urls }, { signal }) {
            loaded.served += 1;
            await endings[urls[0]!]!(signal);
            return {};
          },
          identity: () => ({ name: "small" }),
        });
        router.service(EmbeddingService, {
          async *embedStream(requests, { values }) {
            const letGo: (() => void)[] = [];
            for await (const { id } of requests) {
              const release = values.get(keepMessageKey)();
              if (id === "kept") letGo.push(release);
              else release();
              yield { id };
            }
          },
        });
      },
      { inflightMaxBytes: bound, discardTimeoutMs: 200 },
    );
  });
  afterEach(async () => {
    loaded.open.resolve();
    await loaded.server.server.close({ graceMs: 0 });
  });
}

export const weigh = (bytes: number) => "A".repeat(bytes);
export const execute = (transport: Transport, ending: string, bytes: number, signal?: AbortSignal) =>
  createClient(Operator, transport).execute(
    { urls: [ending], datas: [weigh(bytes)] },
    { ...(signal && { signal }) },
  );
export const grpc = () => createGrpcTransport({ baseUrl: loaded.server.url });

/** Resolves once so many calls are served. */
export async function reached(count: number): Promise<void> {
  await expect.poll(() => loaded.served, { timeout: 20_000 }).toBe(count);
}

/** A call that waits, and holds a bit more than `bytes`. */
export async function hold(bytes: number): Promise<Promise<unknown>> {
  const before = loaded.served;
  const call = execute(grpc(), "waits", bytes);
  call.catch(() => undefined);
  await reached(before + 1);
  return Promise.resolve([call]);
}

/** Nothing is left of earlier calls: two calls that fill the bound nearly fit beside each other. */
export async function expectNothingHeld(): Promise<void> {
  await hold(0.4 * bound);
  await expect
    .poll(() => execute(grpc(), "answered", 0.595 * bound).then(() => "served", String), { timeout: 20_000 })
    .toBe("served");
}

/** A call whose body has this length. */
export const http1Head = (bytes: number) =>
  `POST /omnisearch.Operator/Execute HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: ${bytes}\r\n\r\n`;
