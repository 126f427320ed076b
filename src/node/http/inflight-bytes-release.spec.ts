import { once } from "node:events";
import { IncomingMessage, ServerResponse } from "node:http";
import { Socket } from "node:net";
import { expect, test } from "vitest";
import { createInflightBytes } from "./inflight-bytes.ts";
import { releaseAtEnd } from "./inflight-bytes-release.ts";

/** As many requests of one connection of HTTP/1.1, none of which is answered. */
function pipelined(count: number) {
  const inflight = createInflightBytes(1_000, "requests at once");
  const socket = new Socket();
  const responses = Array.from({ length: count }, () => {
    const held = inflight.open();
    held.charge(10);
    const request = new IncomingMessage(socket);
    const response = new ServerResponse(request);
    releaseAtEnd(held, request, response);
    return response;
  });
  return { inflight, socket, responses };
}

test("each call when it is answered", () => {
  const { inflight, responses } = pipelined(3);
  responses[1]!.emit("close");
  expect(inflight.heldBytes()).toBe(20);
});

test("all calls when their connection closes, by one listener, though Node tells them nothing", async () => {
  const { inflight, socket } = pipelined(20);
  expect(socket.listenerCount("close")).toBe(1);
  socket.destroy();
  await once(socket, "close");
  expect(inflight.heldBytes()).toBe(0);
});

test("at once, if the connection has closed already", () => {
  const { inflight, socket } = pipelined(0);
  socket.destroy();
  const held = inflight.open();
  held.charge(10);
  const request = new IncomingMessage(socket);
  releaseAtEnd(held, request, new ServerResponse(request));
  expect(inflight.heldBytes()).toBe(0);
});
