import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join, normalize } from "node:path";

/** A host of static files that knows nothing of the page: no headers but the content's type. */
export interface StaticHost {
  /** `http://127.0.0.1:PORT/` */
  readonly url: string;
  /** What was asked for since the host started, without queries. */
  readonly paths: readonly string[];
  /** Serves another folder from now on. */
  serve(folder: string): void;
  close(): Promise<void>;
}

const types: Readonly<Record<string, string>> = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".mjs": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
  ".json": "application/json",
  ".wasm": "application/wasm",
};

export async function startStaticHost(folder: string): Promise<StaticHost> {
  const paths: string[] = [];
  let served = folder;
  const server = createServer((request, response) => {
    const path = normalize(new URL(request.url ?? "/", "http://host").pathname);
    paths.push(path);
    const file = path.endsWith("/") ? `${path}index.html` : path;
    readFile(join(served, file)).then(
      (content) => {
        response.setHeader("content-type", types[extname(file)] ?? "application/octet-stream");
        response.end(content);
      },
      () => {
        response.statusCode = 404;
        response.end();
      },
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    paths,
    serve(other) {
      served = other;
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
