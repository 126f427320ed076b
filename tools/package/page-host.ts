import { readFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join, normalize } from "node:path";
import { text } from "node:stream/consumers";

export interface PageHost {
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  /** Paths asked for so far. */
  readonly paths: readonly string[];
  /** What the page posts next to /report. */
  report(): Promise<string>;
  close(): Promise<void>;
}

export interface PageHostOptions {
  /** Its files are served; what it lacks is 404. */
  readonly folder: string;
  /** Files from elsewhere, by their path; one that is not there is 404. */
  readonly files: Readonly<Record<string, string>>;
  /** Whether pages are cross-origin isolated (COOP and COEP), so that they may share memory with threads. */
  readonly isIsolated: boolean;
  /** Paths with an ETag that stays, whatever the file behind it becomes: who has it once is told to keep what it has. */
  readonly tagged?: readonly string[];
  /** Other origins that the page may call. */
  readonly connectTo?: string;
  /** Whether inline scripts may run, which an import map is one of. */
  readonly hasInlineScripts: boolean;
}

const types: Readonly<Record<string, string>> = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".mjs": "text/javascript",
  ".json": "application/json",
  ".wasm": "application/wasm",
};

/** Serves a page on loopback under a Content-Security-Policy that lets it use nothing but its own host. */
export async function startPageHost(options: PageHostOptions): Promise<PageHost> {
  const paths: string[] = [];
  let reported = Promise.withResolvers<string>();
  const inline = options.hasInlineScripts ? " 'unsafe-inline'" : "";
  const headers = {
    "content-security-policy": `default-src 'none'; script-src 'self' 'wasm-unsafe-eval'${inline}; connect-src 'self' ${options.connectTo ?? ""}; worker-src 'self'`,
    ...(options.isIsolated && {
      "cross-origin-opener-policy": "same-origin",
      "cross-origin-embedder-policy": "require-corp",
    }),
  };

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = normalize(new URL(request.url ?? "/", "http://page").pathname);
    paths.push(path);
    if (path === "/report") {
      reported.resolve(await text(request));
      response.end();
      return;
    }
    const tag = options.tagged?.includes(path) ? '"same"' : undefined;
    if (tag !== undefined && request.headers["if-none-match"] === tag) {
      response.writeHead(304, { ...headers, etag: tag }).end();
      return;
    }
    const file = options.files[path] ?? join(options.folder, path);
    try {
      const body = await readFile(file);
      response.writeHead(200, {
        ...headers,
        "content-type": types[extname(path)] ?? "application/octet-stream",
        ...(tag !== undefined && { etag: tag, "cache-control": "no-cache" }),
      });
      response.end(body);
    } catch (error) {
      if (!["ENOENT", "EISDIR"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
      response.writeHead(404, headers).end();
    }
  }

  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => response.destroy(error as Error));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    paths,
    async report() {
      const body = await reported.promise;
      reported = Promise.withResolvers();
      return body;
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
