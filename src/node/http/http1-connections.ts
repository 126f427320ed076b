import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { connectionAgeMs } from "./connection-age.ts";
import type { HttpLimits } from "./http-limits.ts";

export interface Http1Connections {
  /** Gives a connection to the server; TLS is taken off already. */
  start(socket: Socket): void;
  /**
   * Counts a request, from the end of its headers to the end of its reply and of its body.
   * @returns false for one too many that were sent ahead on its connection, which is then ended
   */
  begin(request: IncomingMessage, response: ServerResponse): boolean;
  /** Every answer from now on tells its client to go; requests that come all the same are served. */
  announceClose(): void;
  /** Ends every connection that has no request, now or as soon as that is so. */
  closeAll(): void;
}

/**
 * Keeps count of the requests on an HTTP/1.1 server's connections. Node's own count of idle connections leaves
 * out those with half a head, and such a head is no request: nobody waits for an answer to it.
 */
export function trackHttp1Connections(
  server: Server,
  { maxRequestsAhead, connectionMaxAgeMs }: Pick<HttpLimits, "maxRequestsAhead" | "connectionMaxAgeMs">,
): Http1Connections {
  const listeners = server.listeners("connection");
  server.removeAllListeners("connection");
  const openRequests = new Map<Socket, number>();
  /** When a connection is too old, by the clock of `performance`. */
  const lastsUntil = new WeakMap<Socket, number>();
  const responses = new Set<ServerResponse>();
  let isAnnounced = false;
  let isClosing = false;

  function end(socket: Socket): void {
    const open = openRequests.get(socket);
    if (open === undefined) return;
    openRequests.set(socket, open - 1);
    // What was written still goes out first.
    if (isClosing && open === 1) socket.destroySoon();
  }

  return {
    start(socket) {
      openRequests.set(socket, 0);
      lastsUntil.set(socket, performance.now() + connectionAgeMs(connectionMaxAgeMs));
      socket.once("close", () => openRequests.delete(socket));
      for (const listener of listeners) listener.call(server, socket);
    },
    begin(request, response) {
      const { socket } = request;
      const ahead = openRequests.get(socket) ?? 0;
      if (ahead >= maxRequestsAhead) {
        socket.destroy();
        return false;
      }
      openRequests.set(socket, ahead + 1);
      responses.add(response);
      const isTooOld = performance.now() >= (lastsUntil.get(socket) ?? Number.POSITIVE_INFINITY);
      if (isAnnounced || isTooOld) response.setHeader("connection", "close");
      response.once("close", () => {
        responses.delete(response);
        // An unread body is thrown away; closing before that would reset the connection and lose the answer.
        if (request.complete || request.destroyed) end(socket);
        else request.once("close", () => end(socket));
      });
      return true;
    },
    announceClose() {
      isAnnounced = true;
      for (const response of responses) {
        if (!response.headersSent) response.setHeader("connection", "close");
      }
    },
    closeAll() {
      isClosing = true;
      for (const [socket, open] of openRequests) if (open === 0) socket.destroySoon();
    },
  };
}
