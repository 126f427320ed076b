import { afterAll, beforeAll, expect, test } from "vitest";
import { textPage, withPages } from "./http-pages.ts";
import { createOnePortServer } from "./one-port-server.ts";

const server = createOnePortServer({
  log: () => undefined,
  handler: withPages(
    {
      "/good": () => textPage(200, "good"),
      "/late": async () => textPage(503, "late"),
      "/broken": async () => {
        throw new Error("inner details");
      },
    },
    (_request, response) => {
      response.statusCode = 404;
      response.end("the handler's own answer");
    },
  ),
});
let url: string;
beforeAll(async () => {
  const { host, port } = await server.listen({ host: "127.0.0.1", port: 0 });
  url = `http://${host}:${port}`;
});
afterAll(() => server.close({ graceMs: 0 }));

test.each([
  { method: "GET", path: "/good", status: 200, text: "good\n" },
  { method: "GET", path: "/good?a=b", status: 200, text: "good\n" },
  { method: "HEAD", path: "/good", status: 200, text: "" },
  { method: "GET", path: "/late", status: 503, text: "late\n" },
  { method: "GET", path: "/broken", status: 500, text: "this page could not be made\n" },
  { method: "POST", path: "/good", status: 404, text: "the handler's own answer" },
  { method: "GET", path: "/good/", status: 404, text: "the handler's own answer" },
  { method: "GET", path: "/constructor", status: 404, text: "the handler's own answer" },
])("$method $path", async ({ method, path, status, text }) => {
  const response = await fetch(url + path, { method });
  expect([response.status, await response.text()]).toEqual([status, text]);
  if (status !== 404) expect(response.headers.get("cache-control")).toBe("no-store");
});
