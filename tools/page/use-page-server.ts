import { mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll } from "vitest";
import { createOnePortServer, type OnePortServer } from "../../src/node/http/one-port-server.ts";
import { type PageOptions, withPage } from "../../src/node/page/with-page.ts";
import { openSamplePage } from "./sample-page.ts";

/** What a client that stalls leaves in the buffers of both sockets is far less. */
export const modelBytes = 64 * 2 ** 20;
/** Small, so that the tests are quick. */
const replyStallTimeoutMs = 800;

/** As browsers ask for a page. */
export const html = { accept: "text/html,*/*;q=0.8" };

export interface PageServer {
  readonly server: OnePortServer;
  readonly address: string;
}

/** The sample page on servers of its own, before a handler that answers 404, until the last test of a file. */
export function usePageServer() {
  let folder: string;
  let model: string;
  let shared: PageServer;
  const logged: unknown[] = [];

  async function start(more: Partial<PageOptions> = {}): Promise<PageServer> {
    const log = (...told: unknown[]) => void logged.push(told);
    const late = join(folder, "late", "model.onnx");
    const options = {
      models: [
        { variant: "fp32", name: "tiny", sha256: "5a".repeat(32), bytes: modelBytes, path: model },
        { variant: "fp32", name: "late", sha256: "00".repeat(32), bytes: 8, path: late },
      ] as const,
      openSource: openSamplePage,
      log,
      ...more,
    };
    const handler = withPage(options, (request, response) => {
      response.statusCode = 404;
      response.end(`the handler's own answer to ${request.method}`);
    });
    const server = createOnePortServer({ handler, log, limits: { replyStallTimeoutMs } });
    const { host, port } = await server.listen({ host: "127.0.0.1", port: 0 });
    return { server, address: `${host}:${port}` };
  }

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "portico-page-"));
    model = join(folder, "model.onnx");
    await writeFile(model, "");
    await truncate(model, modelBytes);
    shared = await start();
  });
  afterAll(async () => {
    await shared?.server.close({ graceMs: 0 });
    await rm(folder, { recursive: true });
  });

  return {
    logged,
    /** Another server; the caller closes it. */
    start,
    address: () => shared.address,
    connections: () => shared.server.connections(),
    /** For files of a test's own. */
    folder: () => folder,
    /** Of the model "tiny". */
    model: () => model,
  };
}
