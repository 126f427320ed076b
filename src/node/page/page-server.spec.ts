import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { askHttp, httpVersions } from "../../../tools/ask-http.ts";
import { silentPort } from "../../../tools/loopback-port.ts";
import { type PorticoProcess, startPortico } from "../../../tools/start-portico.ts";

/** The real server from its sources, whose model never comes. */

const token = "good-token-".repeat(3);
const html = { accept: "text/html" };

let folder: string;
let closeRegistry: () => void;
const servers: PorticoProcess[] = [];

async function start(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const { listener, port } = await silentPort();
  closeRegistry = () => listener.close();
  const server = await startPortico({
    args: ["--cache", join(folder, "empty"), ...args],
    env: { npm_config_registry: `http://127.0.0.1:${port}/`, npm_config_cache: join(folder, "npm"), ...env },
    until: "listening; the model is loading",
  });
  servers.push(server);
  return server;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "portico-page-server-"));
  await writeFile(join(folder, "tokens"), `${token}\n`);
});
afterAll(async () => {
  closeRegistry?.();
  await Promise.all(servers.map((server) => server.stop("SIGKILL")));
  await rm(folder, { recursive: true });
});

describe("with tokens", () => {
  let server: PorticoProcess;
  beforeAll(async () => {
    server = await start(["--tokens-file", join(folder, "tokens"), "--cors-origins", "https://shop.example"]);
  });

  describe.each(httpVersions)("over HTTP/%s", (version) => {
    const ask = (
      path: string,
      headers: Readonly<Record<string, string>> = {},
      method = "GET",
      body?: string,
    ) => askHttp(version, server.address, { method, path, headers, ...(body !== undefined && { body }) });

    test("the page and all files that it names are open", async () => {
      const page = await ask("/", html);
      expect([page.status, page.headers["content-type"]]).toEqual([200, "text/html; charset=utf-8"]);
      expect(page.body).toContain('"needsToken":true');
      expect(page.headers.vary).toBe("Origin, accept, accept-encoding");
      const paths = [...page.body.matchAll(/(?:src|href)="\.(\/assets\/[^"]+)"/g)].map(
        ([, path]) => path as string,
      );
      expect(paths.length).toBeGreaterThan(3);
      for (const path of [...paths, "/service-worker.js", "/LICENSES.txt"]) {
        const { status, headers } = await ask(path, {}, "HEAD");
        expect([path, status, headers["cross-origin-embedder-policy"]]).toEqual([path, 200, "require-corp"]);
      }
    });

    test("the model needs a token, and is not there yet", async () => {
      const refused = await ask("/models/resnet50.onnx");
      expect([refused.status, refused.headers["www-authenticate"]]).toEqual([401, 'Bearer realm="portico"']);
      expect(refused.body).toMatch(/^UNAUTHENTICATED: /);
      const early = await ask("/models/resnet50.onnx", { authorization: `Bearer ${token}` });
      expect([early.status, early.headers["retry-after"], early.body]).toEqual([
        503,
        "10",
        "the model resnet50 is not prepared yet; try again\n",
      ]);
    });

    test("everything else is as it was", async () => {
      const text = await ask("/");
      expect([text.status, text.headers["content-type"]]).toEqual([200, "text/plain; charset=utf-8"]);
      const posted = await ask("/", html, "POST", "x=1");
      expect([posted.status, posted.headers.allow]).toEqual([405, "GET, HEAD"]);
      for (const path of [
        "/assets/none.js",
        "/assets/../package.json",
        "/models/../tokens",
        "/.env",
        "/src",
      ]) {
        const { status, headers } = await ask(path, html);
        expect([path, status, headers["content-type"]]).toEqual([path, 404, "text/plain; charset=utf-8"]);
      }
      const call = "/portico.v1.EmbeddingService/ListModels";
      const json = { "content-type": "application/json" };
      expect((await ask(call, json, "POST", "{}")).status).toBe(401);
      expect((await ask(call, { ...json, authorization: `Bearer ${token}` }, "POST", "{}")).status).toBe(200);
      expect((await ask("/livez")).body).toBe("alive\n");
    });
  });
});

test.each([
  [["--page", "off"], {}],
  [[], { PORTICO_PAGE: "off" }],
])("with %j and %j there is no page", async (args, env) => {
  const server = await start(args, env as Record<string, string>);
  const answer = await askHttp("1.1", server.address, { path: "/", headers: html });
  expect([answer.status, answer.headers["content-type"], answer.headers.vary]).toEqual([
    200,
    "text/plain; charset=utf-8",
    undefined,
  ]);
  for (const path of ["/index.html", "/service-worker.js", "/models/resnet50.onnx"]) {
    expect((await askHttp("2", server.address, { path })).status).toBe(404);
  }
});
