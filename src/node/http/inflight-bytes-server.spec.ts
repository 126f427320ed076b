import { connect as connectHttp2 } from "node:http2";
import { connect as connectSocket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { compressionBrotli, compressionGzip } from "@connectrpc/connect-node";
import { describe, expect, test } from "vitest";
import { everyTransport } from "../../../tools/every-transport.ts";
import {
  bound,
  execute,
  grpc,
  hold,
  http1Head,
  loaded,
  useLoadedServer,
  weigh,
} from "../../../tools/loaded-server.ts";
import { sendRaw } from "../../../tools/raw-http.ts";
import { Operator } from "../../gen/omnisearch/operator_pb.ts";

useLoadedServer();

const compressions = [
  ["as it is", undefined],
  ["gzip", compressionGzip],
  ["br", compressionBrotli],
] as const;
const ways = everyTransport.flatMap(([protocol, make, httpVersion]) =>
  [true, false].flatMap((useBinaryFormat) =>
    compressions.map(([compression, sendCompression]) => ({
      way: `${protocol}, HTTP/${httpVersion}, ${useBinaryFormat ? "proto" : "JSON"}, ${compression}`,
      transport: () =>
        make({
          baseUrl: loaded.server.url,
          httpVersion: httpVersion as "2",
          useBinaryFormat,
          compressMinBytes: 0,
          ...(sendCompression && { sendCompression }),
        }),
    })),
  ),
);

describe("beyond the bound a call is refused at once, and told when to come back", () => {
  // What is compressed has a hundredth of the bytes on the way: they count unpacked.
  test.each(ways)("$way", async ({ transport }) => {
    await hold(0.6 * bound);
    const error = await execute(transport(), "answered", 0.6 * bound).then(
      () => undefined,
      (cause: unknown) => ConnectError.from(cause),
    );
    expect(error?.code).toBe(Code.ResourceExhausted);
    expect(error?.rawMessage).toMatch(
      /^OVERLOADED: expected at most 100000 bytes of requests at once \(--max-inflight-bytes\), got 1[12]\d{4}; try again later$/,
    );
    expect(error?.metadata.get("retry-after")).toBe("1");
    expect(error?.metadata.get("grpc-retry-pushback-ms")).toBe("1000");
    expect(loaded.served).toBe(1);
    // There is room for a smaller one, and for questions always.
    await execute(transport(), "answered", 0.3 * bound);
    loaded.open.resolve();
    await expect
      .poll(() => execute(transport(), "answered", 0.6 * bound).then(() => "served", String))
      .toBe("served");
  });
});

test("one call alone may be larger than the bound; questions are answered meanwhile", async () => {
  await hold(3 * bound);
  await expect(execute(grpc(), "answered", 10)).rejects.toThrow("OVERLOADED");
  expect(await createClient(Operator, grpc()).identity({})).toMatchObject({ name: "small" });
});

test("before the body is read, where its length is announced: HTTP/2", async () => {
  await hold(0.6 * bound);
  const session = connectHttp2(loaded.server.url);
  const stream = session.request({
    ":method": "POST",
    ":path": "/omnisearch.Operator/Execute",
    "content-type": "application/json",
    "content-length": 0.6 * bound,
  });
  const status = await new Promise((resolve) => stream.on("response", (head) => resolve(head[":status"])));
  expect(status).toBe(429);
  session.destroy();
});

test("before the body is read, where its length is announced: HTTP/1.1", async () => {
  await hold(0.6 * bound);
  const { text, closed } = await sendRaw(loaded.server.port, [http1Head(0.6 * bound)], 5_000);
  expect(text).toMatch(/^HTTP\/1.1 429 [\s\S]*retry-after: 1\r\n/i);
  expect(text).toContain("OVERLOADED");
  expect(closed).toBe(true);
});

test("an announcement alone holds nothing", async () => {
  const sockets = Array.from({ length: 5 }, () => connectSocket(loaded.server.port, "127.0.0.1"));
  for (const socket of sockets) socket.write(http1Head(0.9 * bound));
  await sleep(200);
  await execute(grpc(), "answered", 0.9 * bound);
  for (const socket of sockets) socket.destroy();
});

test("a body of chunks counts as it comes", async () => {
  await hold(0.6 * bound);
  const head = http1Head(0).replace("content-length: 0", "transfer-encoding: chunked");
  const chunk = `2710\r\n${weigh(10_000)}\r\n`;
  const { text } = await sendRaw(loaded.server.port, [head, ...Array(6).fill(chunk)], 5_000);
  expect(text).toMatch(/^HTTP\/1.1 429 [\s\S]*OVERLOADED/);
});
