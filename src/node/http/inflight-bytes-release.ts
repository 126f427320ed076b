import type { Socket } from "node:net";
import type { HttpRequest, HttpResponse } from "./http-types.ts";
import type { HeldBytes } from "./inflight-bytes.ts";

/** Calls of a connection of HTTP/1.1 that are not answered in full yet. */
const callsBySocket = new WeakMap<Socket, Set<HeldBytes>>();

/** Gives back what a call holds once it was answered in full or its client has gone, whatever comes first. */
export function releaseAtEnd(held: HeldBytes, request: HttpRequest, response: HttpResponse): void {
  if ("stream" in request) {
    // Its close may have been told already, and would not be told again.
    if (request.stream.closed) held.release();
    else request.stream.once("close", held.release);
    return;
  }
  const { socket } = request;
  if (socket.destroyed) {
    held.release();
    return;
  }
  const calls = callsOf(socket);
  calls.add(held);
  response.once("close", () => {
    calls.delete(held);
    held.release();
  });
}

/**
 * Node 22 tells a request that was sent before the last one was answered nothing when its connection closes
 * (Node 24 does), so the connection itself is asked; by one listener, however many such requests there are.
 */
function callsOf(socket: Socket): Set<HeldBytes> {
  const known = callsBySocket.get(socket);
  if (known) return known;
  const calls = new Set<HeldBytes>();
  socket.once("close", () => {
    for (const held of calls) held.release();
  });
  callsBySocket.set(socket, calls);
  return calls;
}
