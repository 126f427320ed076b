import { once } from "node:events";
import http from "node:http";
import type net from "node:net";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect } from "vitest";
import { EmbedError } from "../src/errors.ts";
import { defaultFetchPolicy, type FetchPolicy } from "../src/node/fetch/fetch-policy.ts";

/** A server on loopback that answers well and badly, by path; filled by `usePictureServer`. */
export const pictures = {
  /** HOST:PORT */
  host: "",
  /** Requests that have come. */
  seen: [] as http.IncomingMessage[],
  /** Called with the response of `/hang`, to see when the client lets go. */
  hung: (_response: http.ServerResponse): void => undefined,
};

/** The bytes of `/picture`. */
export const picture = Buffer.from(Array.from({ length: 1000 }, (_, i) => i & 255));

/** Connections that are open. */
const open = new Set<net.Socket>();

const routes: Readonly<
  Record<string, (response: http.ServerResponse, request: http.IncomingMessage) => void>
> = {
  "/picture": (response) => response.end(picture),
  "/chunked": (response) => {
    response.write(picture.subarray(0, 500));
    response.end(picture.subarray(500));
  },
  "/empty": (response) => response.end(),
  "/no-content": (response) => response.writeHead(204).end(),
  "/missing": (response) => response.writeHead(404).end("x".repeat(100_000)),
  "/busy": (response) => response.writeHead(503, { "retry-after": "1" }).end(),
  "/not-modified": (response) => response.writeHead(304).end(),
  "/partial": (response) => response.writeHead(206).end(picture),
  "/gzip": (response) => response.writeHead(200, { "content-encoding": "gzip" }).end(picture),
  "/identity": (response) => response.writeHead(200, { "content-encoding": "Identity" }).end(picture),
  "/announced-large": (response) => {
    response.writeHead(200, { "content-length": 2001 });
    response.write("x");
  },
  "/endless": (response) => {
    const pump = () => {
      while (!response.destroyed && response.write("x".repeat(1000)));
    };
    response.on("drain", pump);
    pump();
  },
  "/exactly": (response) => response.end("x".repeat(2000)),
  "/cut": (response) => {
    response.writeHead(200, { "content-length": 1000 });
    response.write("x", () => response.destroy());
  },
  "/hang": (response) => pictures.hung(response),
  "/drip": (response) => {
    response.writeHead(200, { "content-length": 1000 });
    const timer = setInterval(() => response.write("x"), 10);
    response.on("close", () => clearInterval(timer));
  },
  "/relative": (response) => response.writeHead(302, { location: "picture" }).end("x".repeat(100_000)),
  "/loop": (response) => response.writeHead(301, { location: "/loop" }).end(),
  "/nowhere": (response) => response.writeHead(302).end(),
  "/to": (response, request) => {
    const target = new URL(request.url ?? "", "http://x").searchParams.get("url") ?? "";
    response.writeHead(307, { location: target }).end();
  },
  "/hops": (response, request) => {
    const left = Number(request.url?.split("?")[1]);
    response.writeHead(308, { location: left > 1 ? `/hops?${left - 1}` : "/picture" }).end();
  },
};

/** To be called beside the tests of a file: the server runs as long as they do. */
export function usePictureServer(): void {
  let server: http.Server;

  beforeAll(async () => {
    server = http.createServer((request, response) => {
      pictures.seen.push(request);
      const route = routes[request.url?.split("?")[0] ?? ""];
      if (route) route(response, request);
      else response.writeHead(500).end();
    });
    server.on("connection", (socket) => {
      open.add(socket);
      socket.on("close", () => open.delete(socket));
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    pictures.host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  });

  afterAll(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  });
}

/** Takes pictures of this server, of at most 2000 bytes in 2 s. */
export function policy(changes: Partial<FetchPolicy> = {}): FetchPolicy {
  return { ...defaultFetchPolicy, allowHosts: [pictures.host], maxBytes: 2000, timeoutMs: 2000, ...changes };
}

/** What is said of a failure of this server. */
export const unreachable = (why: string) =>
  `SOURCE_UNREACHABLE: ${pictures.host} could not be reached: ${why}`;

/** Every connection to the server is gone within two seconds. */
export async function allClosed(): Promise<void> {
  await expect.poll(() => open.size, { timeout: 2000 }).toBe(0);
}

/** The bytes as text, or the reason and message of the failure. */
export async function outcome(promise: Promise<Uint8Array>): Promise<string> {
  try {
    return Buffer.from(await promise).toString("latin1");
  } catch (error) {
    if (error instanceof EmbedError) return `${error.reason}: ${error.message}`;
    throw error;
  }
}
