import { readFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { stripTypeScriptTypes } from "node:module";
import type { AddressInfo } from "node:net";
import { extname, join, normalize } from "node:path";
import { text } from "node:stream/consumers";
import { peerFiles } from "./peer-files.ts";

export interface PageServer {
  readonly url: string;
  /** Gives the page a command and waits for its reply. @throws Error if the page could not carry it out */
  ask<Reply>(command: object): Promise<Reply>;
  close(): Promise<void>;
}

const types: Readonly<Record<string, string>> = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".ts": "text/javascript",
  ".json": "application/json",
  ".wasm": "application/wasm",
};

/**
 * Serves the page on loopback, isolated (COOP and COEP), so that it may share memory with threads. TypeScript goes out
 * with its types stripped: what the page runs are the sources themselves.
 */
export async function startPageServer(onnxFile: string): Promise<PageServer> {
  const commands: object[] = [];
  let waiting: ServerResponse | undefined;
  let answered: PromiseWithResolvers<string> | undefined;

  function giveCommand(): void {
    if (!waiting || commands.length === 0) return;
    waiting.end(JSON.stringify(commands.shift()));
    waiting = undefined;
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = new URL(request.url ?? "/", "http://page").pathname;
    response.setHeader("cross-origin-opener-policy", "same-origin");
    response.setHeader("cross-origin-embedder-policy", "require-corp");
    response.setHeader("cross-origin-resource-policy", "same-origin");
    if (path === "/next") {
      waiting = response;
      giveCommand();
    } else if (path === "/reply") {
      answered?.resolve(await text(request));
      response.end();
    } else {
      const body = await readFirst(candidates(path, onnxFile));
      const extension = extname(path) || ".html";
      response.statusCode = body ? 200 : 404;
      response.setHeader("content-type", types[extension] ?? "application/octet-stream");
      response.end(extension === ".ts" && body ? stripTypeScriptTypes(body.toString()) : body);
    }
  }

  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => response.destroy(error as Error));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    async ask<Reply>(command: object) {
      answered = Promise.withResolvers();
      commands.push(command);
      giveCommand();
      const reply = JSON.parse(await answered.promise) as Reply & { readonly error?: string };
      if (reply.error !== undefined) throw new Error(`the page: ${reply.error}`);
      return reply;
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Where the file of a path may lie. */
function candidates(path: string, onnxFile: string): readonly string[] {
  const { root, made, modules } = peerFiles;
  const [, first, ...rest] = normalize(path).split("/");
  const below = rest.join("/");
  if (path === "/") return [`${root}bench/peers/page/index.html`];
  if (path === "/files/resnet50.onnx") return [onnxFile];
  if (first === "files") return [join(made, below)];
  if (first === "modules") return [join(modules, below), join(root, "node_modules", below)];
  return first === "src" || first === "bench" ? [join(root, first, below)] : [];
}

async function readFirst(files: readonly string[]): Promise<Buffer | undefined> {
  for (const file of files) {
    try {
      return await readFile(file);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    }
  }
  return undefined;
}
