import { connect as connectHttp2 } from "node:http2";
import { connect as connectSocket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { createClient } from "@connectrpc/connect";
import { describe, expect, test } from "vitest";
import {
  bound,
  execute,
  expectNothingHeld,
  grpc,
  hold,
  http1Head,
  loaded,
  reached,
  useLoadedServer,
  weigh,
} from "../../../tools/loaded-server.ts";
import { sendRaw } from "../../../tools/raw-http.ts";
import { Operator } from "../../gen/omnisearch/operator_pb.ts";
import { EmbeddingService } from "../../gen/portico/v1/embedding_pb.ts";

useLoadedServer();

describe("what a call held is given back when it ends", () => {
  const body = JSON.stringify({ urls: ["waits"], datas: [weigh(0.5 * bound)] });
  const http1Call = http1Head(body.length) + body;

  test.each<[string, () => Promise<unknown>]>([
    ["answered", () => execute(grpc(), "answered", 0.5 * bound)],
    ["failed", () => execute(grpc(), "failed", 0.5 * bound).catch(() => undefined)],
    [
      "past its deadline",
      () =>
        createClient(Operator, grpc())
          .execute({ urls: ["waits"], datas: [weigh(0.5 * bound)] }, { timeoutMs: 300 })
          .catch(() => undefined),
    ],
    [
      "cancelled",
      async () => {
        const caller = new AbortController();
        const call = execute(grpc(), "waits", 0.5 * bound, caller.signal).catch(() => undefined);
        await reached(1);
        caller.abort();
        await call;
      },
    ],
    ["refused as malformed", () => sendRaw(loaded.server.port, [http1Head(50_000), weigh(50_000)])],
    [
      "refused as overload",
      async () => {
        await hold(0.5 * bound);
        await expect(execute(grpc(), "answered", 0.9 * bound)).rejects.toThrow("OVERLOADED");
        loaded.open.resolve();
        loaded.open = Promise.withResolvers();
      },
    ],
    ["left by a client of HTTP/1.1 that waits", () => sendRaw(loaded.server.port, [http1Call])],
    [
      "left by a client of HTTP/1.1 in the middle of its body",
      () => sendRaw(loaded.server.port, [http1Head(50_000), "{"]),
    ],
    [
      "left by a client of HTTP/1.1 that sent the next request already",
      () => sendRaw(loaded.server.port, [http1Call + http1Call]),
    ],
    [
      "left by a client of HTTP/2 in the middle of its body",
      async () => {
        const session = connectHttp2(loaded.server.url);
        const stream = session.request({
          ":method": "POST",
          ":path": "/omnisearch.Operator/Execute",
          "content-type": "application/grpc",
        });
        stream.write(Buffer.concat([Buffer.of(0, 0, 0, 200, 0), Buffer.alloc(40_000)]));
        await sleep(200);
        session.destroy();
      },
    ],
    [
      "left by a client of HTTP/1.1 whose connection is reset",
      async () => {
        const socket = connectSocket(loaded.server.port, "127.0.0.1");
        socket.write(http1Call);
        await reached(1);
        socket.resetAndDestroy();
      },
    ],
  ])("%s", async (_, call) => {
    await call();
    loaded.served = 0;
    await expectNothingHeld();
  });

  test("even a thousand times", async () => {
    const transport = grpc();
    for (let round = 0; round < 100; round++) {
      const calls = Array.from({ length: 10 }, () => execute(transport, "answered", 0.09 * bound));
      await Promise.all(calls);
    }
    await expectNothingHeld();
  });
});

describe("a stream", () => {
  const picture = (id: string) => ({
    id,
    image: { source: { case: "data" as const, value: Buffer.alloc(0.3 * bound) } },
  });
  async function idsOf(ids: readonly string[]): Promise<(string | undefined)[]> {
    async function* requests() {
      for (const id of ids) yield picture(id);
    }
    const got: (string | undefined)[] = [];
    for await (const { id } of createClient(EmbeddingService, grpc()).embedStream(requests())) got.push(id);
    return got;
  }

  test("of more messages than the bound holds goes through, since each is let go", async () => {
    await hold(0.6 * bound);
    const ids = Array.from({ length: 20 }, (_, index) => String(index));
    expect(await idsOf(ids)).toEqual(ids);
    await expect.poll(() => idsOf(["a"])).toEqual(["a"]);
  });

  test("is refused when the messages that its service keeps fill the bound", async () => {
    await hold(0.3 * bound);
    await expect(idsOf(["kept", "kept", "kept"])).rejects.toThrow("OVERLOADED");
    expect(await idsOf(["kept", "kept"])).toEqual(["kept", "kept"]);
    loaded.open.resolve();
    await expectNothingHeld();
  });
});
