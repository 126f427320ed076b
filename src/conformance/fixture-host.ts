import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { EmbedError } from "../errors.ts";
import type { FixtureFiles } from "./fixture-files.ts";

export interface FixtureHost {
  /** host:port, as `--allow-hosts` of the server under test takes it. */
  readonly authority: string;
  close(): Promise<void>;
}

/** Bytes that `/large` promises and `/endless` would send: no sane limit lets them through. */
const largeBytes = 4 * 2 ** 30;
const chunk = new Uint8Array(64 * 2 ** 10);
const slowIntervalMs = 100;
const somePicture = "photo/black-canyon.jpg";

/**
 * Serves fixtures over HTTP for a server under test to fetch, and misbehaves where a case asks for it:
 *
 * - `/images/PATH` the picture; a query string is ignored
 * - `/redirect/N/PATH` N redirects (302, relative), then `/images/PATH`
 * - `/loop` redirects to itself; `/to/URL` redirects to URL
 * - `/status/N` the status N with a picture as its body
 * - `/empty` no bytes; `/page` an HTML page, with status 200
 * - `/large` promises 4 GiB; `/endless` sends them without a promise
 * - `/slow` sends a byte each 100 ms; `/silent` never answers; `/cut` promises more than it sends
 *
 * @throws EmbedError `CONFIG_INVALID` if the address cannot be listened on
 */
export async function startFixtureHost(
  host: string,
  port: number,
  files: FixtureFiles,
): Promise<FixtureHost> {
  const server = createServer((request, response) => {
    try {
      answer(request, response, files);
    } catch (error) {
      response.writeHead(404, { "content-type": "text/plain" }).end(String(error));
    }
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause) => {
      const message = `cannot serve fixtures on ${host}:${port} (--fixture-host): ${cause.message}`;
      reject(new EmbedError("CONFIG_INVALID", message, { cause }));
    });
    server.listen(port, host, resolve);
  });
  const { port: bound } = server.address() as AddressInfo;
  return {
    authority: `${host.includes(":") ? `[${host}]` : host}:${bound}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function answer(request: IncomingMessage, response: ServerResponse, files: FixtureFiles): void {
  const path = decodeURI(request.url ?? "/").replace(/\?.*$/s, "");
  const [, action = "", rest = ""] = /^\/([a-z]+)(?:\/(.*))?$/s.exec(path) ?? [];
  const send = actions.get(action);
  if (send) send(response, rest, files);
  else response.writeHead(404, { "content-type": "text/plain" }).end(`no fixture at ${path}`);
}

/** `rest` is the path behind the action's name and its slash. */
type Action = (response: ServerResponse, rest: string, files: FixtureFiles) => void;

const actions = new Map<string, Action>(
  Object.entries({
    images: (response, rest, files) => sendPicture(response, 200, files.image(rest)),
    redirect: (response, rest) => {
      const [, count = "0", image = ""] = /^(\d+)\/(.*)$/s.exec(rest) ?? [];
      const left = Number(count) - 1;
      redirect(response, left > 0 ? `/redirect/${left}/${image}` : `/images/${image}`);
    },
    loop: (response) => redirect(response, "/loop"),
    to: (response, rest) => redirect(response, rest),
    status: (response, rest, files) => sendPicture(response, Number(rest), files.image(somePicture)),
    empty: (response) => sendPicture(response, 200, new Uint8Array(0)),
    page: (response) => {
      response.writeHead(200, { "content-type": "text/html" });
      response.end("<!doctype html><title>Sign in</title><p>Please sign in to see the picture.");
    },
    large: (response) => {
      response.writeHead(200, { "content-type": "image/jpeg", "content-length": largeBytes });
      sendEndlessly(response);
    },
    endless: (response) => {
      response.writeHead(200, { "content-type": "image/jpeg" });
      sendEndlessly(response);
    },
    slow: (response) => {
      response.writeHead(200, { "content-type": "image/jpeg" });
      sendSlowly(response);
    },
    silent: () => undefined,
    cut: (response, _rest, files) => {
      const picture = files.image(somePicture);
      response.writeHead(200, { "content-type": "image/jpeg", "content-length": picture.length });
      response.write(picture.subarray(0, 1000), () => response.destroy());
    },
  } satisfies Record<string, Action>),
);

function sendPicture(response: ServerResponse, status: number, bytes: Uint8Array): void {
  response.writeHead(status, { "content-type": "image/jpeg", "content-length": bytes.length });
  response.end(bytes);
}

function redirect(response: ServerResponse, location: string): void {
  response.writeHead(302, { location, "content-length": 0 }).end();
}

/** As fast as the other side reads, until it has had enough. */
function sendEndlessly(response: ServerResponse): void {
  let sent = 0;
  const send = (): void => {
    while (sent < largeBytes && !response.destroyed) {
      sent += chunk.length;
      if (!response.write(chunk)) {
        response.once("drain", send);
        return;
      }
    }
    response.end();
  };
  send();
}

function sendSlowly(response: ServerResponse): void {
  const timer = setInterval(() => response.write(chunk.subarray(0, 1)), slowIntervalMs);
  response.on("close", () => clearInterval(timer));
}
