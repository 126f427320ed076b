import { once } from "node:events";
import { constants } from "node:http2";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  http1Head,
  http2Head,
  hugeReply,
  type ImpatientServer,
  kinds,
  limits,
  postJson,
  startImpatientServer,
} from "../../../tools/impatient-server.ts";
import { http2Frame, http2Hello } from "../../../tools/raw-http.ts";

describe.each(kinds)("over %s", (kind) => {
  let server: ImpatientServer;
  beforeEach(async () => {
    server = await startImpatientServer(kind);
  });
  afterEach(() => server.close());

  describe("a client that does not read its reply", () => {
    const warned = "warn: a client did not read its reply and was cut off";

    test("HTTP/1.1", async () => {
      const socket = await server.openUnread(1);
      socket.write(`${http1Head("/omnisearch.Operator/Identity", 2)}{}`);
      await server.expectGone();
      expect(server.logged).toEqual([warned]);
      await server.expectAlive();
    });

    test("HTTP/2, a closed window: the stream goes, the session and its other calls stay", async () => {
      const session = server.openHttp2({ settings: { initialWindowSize: 100 } });
      const call = (method: string) => {
        const stream = postJson(session, `/omnisearch.Operator/${method}`);
        stream.on("error", () => undefined).end("{}");
        return stream;
      };
      // Its short reply comes when the time for the ping's answer is over as well.
      const late = text(call("Execute"));
      const stuck = call("Identity");
      await once(stuck, "close");
      expect(stuck.rstCode).toBe(constants.NGHTTP2_CANCEL);
      expect(server.logged).toEqual([warned]);
      expect(await late).toBe('{"nums":"7"}');
      session.destroy();
      await server.expectGone();
    });

    test("HTTP/2, a connection that is not read: the session goes", async () => {
      const socket = await server.openUnread(2);
      const largest = Buffer.from("7fff0000", "hex");
      socket.write(
        Buffer.concat([
          http2Hello.subarray(0, 24),
          // SETTINGS_INITIAL_WINDOW_SIZE, and as much for the whole session.
          http2Frame(4, 0, 0, Buffer.concat([Buffer.from([0, 4]), largest])),
          http2Frame(8, 0, 0, largest),
          http2Head("/omnisearch.Operator/Identity"),
          http2Frame(0, 1, 1, Buffer.from("{}")),
        ]),
      );
      await server.expectGone();
      expect(server.logged).toEqual([warned]);
      await server.expectAlive();
    });
  });

  test("a reply that waits for the one before it, on a connection with two requests at once, is left alone", async () => {
    const { socket, got } = await server.open(1);
    const request = (method: string) => `${http1Head(`/omnisearch.Operator/${method}`, 2)}{}`;
    socket.write(request("Execute") + request("Healthy"));
    await expect.poll(got).toContain('{"healthy":"healthy"}');
    expect(got().indexOf('{"nums":"7"}')).toBeLessThan(got().indexOf('{"healthy":"healthy"}'));
    expect(server.logged).toEqual([]);
  });

  test("a reply that takes long to make, and a client that reads slowly, are left alone", async () => {
    const session = server.openHttp2({ settings: { initialWindowSize: 2 ** 20 } });
    const call = (method: string) => {
      const stream = postJson(session, `/omnisearch.Operator/${method}`);
      stream.end("{}");
      return stream;
    };
    const lateText = text(call("Execute"));
    const slow = call("Identity");
    let bytes = 0;
    for await (const chunk of slow) {
      bytes += chunk.length;
      // Three times the stall time in all, and never so long at once.
      if (bytes % (2 * 2 ** 20) < chunk.length) await sleep(limits.replyStallTimeoutMs / 4);
    }
    expect(bytes).toBeGreaterThan(hugeReply.length);
    expect(await lateText).toBe('{"nums":"7"}');
    expect(server.logged).toEqual([]);
    session.destroy();
  });
});
