import { afterAll, beforeAll, expect, test } from "vitest";
import { askHttp, httpVersions } from "../../../tools/ask-http.ts";
import { textPage, withPages } from "./http-pages.ts";
import { createOnePortServer } from "./one-port-server.ts";

const logged: unknown[] = [];
const server = createOnePortServer({
  log: () => undefined,
  handler: withPages(
    {
      "/good": () => textPage(200, "good"),
      "/late": async () => textPage(503, "late"),
      "/closed": () => textPage(200, "open"),
      "/broken-at-once": () => {
        throw new Error("inner details");
      },
      "/broken": async () => {
        throw new Error("inner details");
      },
    },
    (_request, response) => {
      response.statusCode = 404;
      response.end("the handler's own answer");
    },
    {
      log: (...told) => void logged.push(told),
      gate: (path, { headers }) =>
        headers.authorization || path !== "/closed"
          ? undefined
          : { ...textPage(401, "closed"), headers: { "www-authenticate": "Bearer" } },
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
  { method: "GET", path: "/broken-at-once", status: 500, text: "this page could not be made\n" },
  { method: "GET", path: "/closed", status: 401, text: "closed\n" },
  { method: "POST", path: "/good", status: 404, text: "the handler's own answer" },
  { method: "GET", path: "/good/", status: 404, text: "the handler's own answer" },
  { method: "GET", path: "/constructor", status: 404, text: "the handler's own answer" },
])("$method $path", async ({ method, path, status, text }) => {
  const response = await fetch(url + path, { method });
  expect([response.status, await response.text()]).toEqual([status, text]);
  if (status !== 404) expect(response.headers.get("cache-control")).toBe("no-store");
});

test("the gate lets a page through, and what it refuses says how to be let in", async () => {
  const refused = await fetch(`${url}/closed`);
  expect(refused.headers.get("www-authenticate")).toBe("Bearer");
  const passed = await fetch(`${url}/closed`, { headers: { authorization: "x" } });
  expect([passed.status, await passed.text()]).toEqual([200, "open\n"]);
});

test("the log is told why a page could not be made", async () => {
  logged.length = 0;
  await fetch(`${url}/broken?x=1`);
  const error = expect.objectContaining({ message: "inner details" });
  expect(logged).toEqual([["error", "a page could not be made", { path: "/broken", error }]]);
});

test.each(httpVersions)(
  "a GET with a body nobody reads leaves nothing open over HTTP/%s",
  async (version) => {
    const body = "x".repeat(1_000_000);
    const headers = { "content-length": String(body.length) };
    const answer = await askHttp(version, url.replace("http://", ""), { path: "/good", headers, body });
    expect([answer.status, answer.body]).toEqual([200, "good\n"]);
  },
);
