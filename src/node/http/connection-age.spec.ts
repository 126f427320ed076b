import { once } from "node:events";
import { Agent, type IncomingMessage, request } from "node:http";
import { connect as connectHttp2, constants } from "node:http2";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { createContextValues } from "@connectrpc/connect";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { operatorOverGrpcJs } from "../../../tools/faults/operator-over-grpc-js.ts";
import { runGhz } from "../../../tools/load/run-ghz.ts";
import { requireGoTool } from "../../../tools/require-go-tool.ts";
import { startTestServer, type TestServer } from "../../../tools/start-test-server.ts";
import { Operator } from "../../gen/omnisearch/operator_pb.ts";
import { connectionAgeMs } from "./connection-age.ts";

/** What gRPC for Go calls its own connection once it has heard GOAWAY. */
const draining = "code = Unavailable desc = the connection is draining";

const ghz = requireGoTool("ghz");

test.each([
  [1_000, 0, 900],
  [1_000, 0.5, 1_000],
  [1_000, 1, 1_100],
  [2 ** 31 - 1, 1, 2 ** 31 - 1],
  [Number.POSITIVE_INFINITY, 0.5, Number.POSITIVE_INFINITY],
])("an age of %d with the random number %d is %d", (maxAgeMs, random, ageMs) => {
  expect(connectionAgeMs(maxAgeMs, random)).toBeCloseTo(ageMs, 6);
});

describe("a connection that is too old", () => {
  const limits = { connectionMaxAgeMs: 300, closeLingerMs: 100, goodbyeTimeoutMs: 1_000 };
  const afterAgeMs = 800;
  const callsForMs = 2_000;
  /** A call with it outlives its connection's age. */
  const slow = "slow";
  let running: TestServer;
  /** A port of the client's for each connection that a call came on. */
  let connections: Set<number | undefined>;

  beforeEach(async () => {
    connections = new Set();
    running = await startTestServer(
      (router) =>
        router.service(Operator, {
          healthy: () => ({ healthy: "healthy" }),
          identity: () => ({ name: "a" }),
          async execute({ urls }) {
            if (urls.includes(slow)) await sleep(afterAgeMs);
            return { nums: 7n };
          },
        }),
      limits,
      {
        contextValues({ socket }) {
          connections.add(socket.remotePort);
          return createContextValues();
        },
      },
    );
  });
  afterEach(() => running.server.close({ graceMs: 0 }));

  async function callHttp1(agent: Agent): Promise<{ response: IncomingMessage; body: string }> {
    const call = request(`${running.url}/omnisearch.Operator/Healthy`, {
      method: "POST",
      agent,
      headers: { "content-type": "application/json" },
    });
    call.end("{}");
    const [response] = (await once(call, "response")) as [IncomingMessage];
    return { response, body: await text(response) };
  }

  test("HTTP/1.1: the next answer says that the connection ends, and no call is lost", async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const saidClose: boolean[] = [];
    for (const startedAt = performance.now(); performance.now() - startedAt < callsForMs; ) {
      const { response, body } = await callHttp1(agent);
      expect(body).toBe('{"healthy":"healthy"}');
      saidClose.push(response.headers.connection === "close");
    }
    agent.destroy();
    const closed = saidClose.filter(Boolean).length;
    expect(closed).toBeGreaterThanOrEqual(2);
    // The last one may be young still.
    expect(connections.size - closed).toBeLessThanOrEqual(1);
    expect(saidClose.length).toBeGreaterThan(5 * closed);
  });

  test("HTTP/1.1: a lone call later is answered, with the word to go", async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    expect((await callHttp1(agent)).response.headers.connection).toBe("keep-alive");
    await sleep(afterAgeMs);
    expect((await callHttp1(agent)).response.headers.connection).toBe("close");
    expect(connections.size).toBe(1);
    agent.destroy();
  });

  test("HTTP/2: GOAWAY, a call under way ends, then the connection", async () => {
    const session = connectHttp2(running.url);
    const goaways: [code: number, lastStreamId: number][] = [];
    session.on("goaway", (code, lastStreamId) => goaways.push([code, lastStreamId]));
    const closed = once(session, "close");
    const stream = session.request({
      ":method": "POST",
      ":path": "/omnisearch.Operator/Execute",
      "content-type": "application/json",
    });
    stream.end(JSON.stringify({ urls: [slow] }));
    expect(await text(stream)).toBe('{"nums":"7"}');
    await closed;
    // More than once, and each time the last call that was taken.
    expect(new Set(goaways.map(String))).toEqual(new Set([`${constants.NGHTTP2_NO_ERROR},1`]));
    await expect.poll(() => running.server.connections()).toBe(0);
  });

  test("HTTP/2: one without a call is ended", async () => {
    const session = connectHttp2(running.url);
    await once(session, "close");
    await expect.poll(() => running.server.connections()).toBe(0);
  });

  test("gRPC: no call of grpc-js is lost", async () => {
    const clients = [0, 1, 2].map(() => operatorOverGrpcJs(`127.0.0.1:${running.port}`));
    const failures: unknown[] = [];
    let answered = 0;
    const until = performance.now() + callsForMs;
    await Promise.all(
      clients.flatMap((client) =>
        [0, 1, 2, 3].map(async (caller) => {
          while (performance.now() < until) {
            const call = caller === 0 ? client.execute({ urls: [slow] }) : client.identity({});
            await call.then(
              () => (answered += 1),
              (error) => failures.push(error),
            );
          }
        }),
      ),
    );
    for (const client of clients) client.close();
    expect(failures).toEqual([]);
    expect(answered).toBeGreaterThan(100);
    expect(connections.size).toBeGreaterThanOrEqual(3 * clients.length);
  });

  test.skipIf(!ghz)("gRPC: no call of a client in Go is lost", async () => {
    const calls = 2_000;
    const fast = Array.from({ length: 99 }, () => ({}));
    const report = await runGhz({
      ghz: ghz as string,
      url: running.url,
      folder: "output/connection-age",
      callers: 16,
      calls,
      callsPerSecond: 1_000,
      requests: [...fast, { urls: [slow] }],
    });
    expect(report.statusCodeDistribution.OK).toBe(calls);
    // It counts tries, and a try that finds its connection leaving, before a byte is sent, begins again elsewhere.
    expect(Object.keys(report.errorDistribution ?? {}).filter((text) => !text.endsWith(draining))).toEqual(
      [],
    );
    // ghz has 8 connections at a time.
    expect(connections.size).toBeGreaterThanOrEqual(16);
  });
});
