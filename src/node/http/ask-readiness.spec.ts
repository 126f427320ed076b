import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { afterEach, expect, test } from "vitest";
import { freePort } from "../../../tools/loopback-port.ts";
import { askReadiness } from "./ask-readiness.ts";

let server: Server | undefined;
const sockets: Socket[] = [];
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
  server?.close();
});

/** A server that answers every connection with this text and ends it, or says nothing. */
async function answering(text: string | undefined): Promise<number> {
  server = createServer((socket) => {
    sockets.push(socket.on("error", () => undefined));
    if (text !== undefined) socket.end(text);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

test.each<[string, string, boolean, string]>([
  ["200", "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nready\n", true, "ready"],
  ["503", "HTTP/1.1 503 Service Unavailable\r\n\r\nnot ready\n", false, "503 not ready"],
  ["another page", "HTTP/1.1 404 Not Found\r\n\r\n", false, "404 "],
  ["another protocol", "220 mail.example\r\n", false, "closed without an answer of HTTP"],
  ["too much", "x".repeat(100_000), false, "closed without an answer of HTTP"],
])("%s", async (_, answer, isReady, text) => {
  const port = await answering(answer);
  expect(await askReadiness({ host: "127.0.0.1", port, tls: false }, 30_000)).toEqual({
    isReady,
    isClosedToStrangers: false,
    text: `http://127.0.0.1:${port}/readyz: ${text}`,
  });
});

test("nobody there", async () => {
  const port = await freePort();
  expect(await askReadiness({ host: "127.0.0.1", port, tls: false }, 30_000)).toEqual({
    isReady: false,
    isClosedToStrangers: false,
    text: `http://127.0.0.1:${port}/readyz: ECONNREFUSED`,
  });
});

test("an IPv6 address stands in brackets", async () => {
  const port = await freePort();
  const { isReady, text } = await askReadiness({ host: "::1", port, tls: false }, 30_000);
  // Why nobody is there depends on whether this machine has IPv6.
  expect([isReady, text.replace(/: E[A-Z]+$/, "")]).toEqual([false, `http://[::1]:${port}/readyz`]);
});

test("a server that hangs", async () => {
  const port = await answering(undefined);
  expect(await askReadiness({ host: "127.0.0.1", port, tls: false }, 100)).toEqual({
    isReady: false,
    isClosedToStrangers: false,
    text: `http://127.0.0.1:${port}/readyz: no answer within 100 ms`,
  });
});
