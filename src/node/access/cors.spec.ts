import { createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-web";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { askHttp, httpVersions } from "../../../tools/ask-http.ts";
import { Operator } from "../../gen/omnisearch/operator_pb.ts";
import { createGuardedHandler } from "../http/guarded-handler.ts";
import { createOnePortServer, type OnePortServer } from "../http/one-port-server.ts";
import { type CorsOrigins, parseCorsOrigins, withCors } from "./cors.ts";

describe("parseCorsOrigins", () => {
  test.each<[string[], CorsOrigins]>([
    [["*"], "*"],
    [["https://shop.example"], new Set(["https://shop.example"])],
    [
      ["http://localhost:5173", "https://a.example:8443", "http://[::1]:80800".slice(0, -1)],
      new Set(["http://localhost:5173", "https://a.example:8443", "http://[::1]:8080"]),
    ],
    [["chrome-extension://abcdef"], new Set(["chrome-extension://abcdef"])],
  ])("takes %j", (list, origins) => {
    expect(parseCorsOrigins(list)).toEqual(origins);
  });

  const expected = "--cors-origins: expected origins SCHEME://HOST[:PORT] as browsers send them, or *, got ";
  test.each([
    [[], "--cors-origins: expected at least one origin, or *, got none"],
    [["*", "https://a.example"], "--cors-origins: expected * alone, got it beside other origins"],
    [["https://a.example/"], `${expected}"https://a.example/"; browsers spell it https://a.example`],
    [["https://A.example"], `${expected}"https://A.example"; browsers spell it https://a.example`],
    [["https://a.example:443"], `${expected}"https://a.example:443"; browsers spell it https://a.example`],
    [
      ["https://user:pw@a.example/x?y#z"],
      `${expected}"https://user:pw@a.example/x?y#z"; browsers spell it https://a.example`,
    ],
    [["a.example"], `${expected}"a.example"`],
    [["null"], `${expected}"null"`],
    [["file:///x"], `${expected}"file:///x"`],
    [["https://*.example"], `${expected}"https://*.example"; a * stands only for all origins`],
    [[" https://a.example"], `${expected}" https://a.example"; browsers spell it https://a.example`],
  ])("refuses %j", (list, message) => {
    expect(() => parseCorsOrigins(list)).toThrow(
      expect.objectContaining({ reason: "CONFIG_INVALID", message }),
    );
  });
});

const shop = "https://shop.example";
const allowHeaders =
  "Content-Type, Connect-Protocol-Version, Connect-Timeout-Ms, Connect-Content-Encoding, Connect-Accept-Encoding, Content-Encoding, Accept-Encoding, Grpc-Message-Type, X-Grpc-Web, X-User-Agent, Grpc-Timeout, Authorization, Traceparent, Tracestate, X-Request-Id";
const exposeHeaders =
  "Grpc-Status, Grpc-Message, Grpc-Status-Details-Bin, Content-Encoding, Connect-Content-Encoding, Portico-Model, Portico-Vector-Space, X-Request-Id, Retry-After, Grpc-Retry-Pushback-Ms, WWW-Authenticate";

/** A server for each list, so that every row below meets the real thing. */
const servers: Partial<Record<string, { server: OnePortServer; address: string }>> = {};
const lists: Record<string, CorsOrigins | undefined> = {
  none: undefined,
  shop: new Set([shop, "http://localhost:5173"]),
  all: "*",
};
beforeAll(async () => {
  for (const [name, origins] of Object.entries(lists)) {
    const log = () => undefined;
    const handler = createGuardedHandler({
      log,
      routes: (router) => router.service(Operator, { healthy: () => ({ healthy: "healthy" }) }),
    });
    const server = createOnePortServer({ log, handler: withCors(origins, handler) });
    const { host, port } = await server.listen({ host: "127.0.0.1", port: 0 });
    servers[name] = { server, address: `${host}:${port}` };
  }
});
afterAll(async () => {
  for (const entry of Object.values(servers)) await entry?.server.close({ graceMs: 0 });
});
const addressOf = (name: string) => servers[name]?.address ?? "";

function corsHeaders(headers: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(headers).filter(([name]) => name === "vary" || name.startsWith("access-control-")),
  );
}

const path = "/omnisearch.Operator/Healthy";
const preflight = { "access-control-request-method": "POST", "access-control-request-headers": "x" };
const allowed = {
  "access-control-allow-methods": "POST, GET",
  "access-control-allow-headers": allowHeaders,
  "access-control-max-age": "7200",
};

describe.each(httpVersions)("over HTTP/%s", (version) => {
  test.each<[string, string, string | undefined, number, object]>([
    [
      "a listed origin",
      "shop",
      shop,
      204,
      { ...allowed, "access-control-allow-origin": shop, vary: "Origin" },
    ],
    [
      "another listed origin",
      "shop",
      "http://localhost:5173",
      204,
      { ...allowed, "access-control-allow-origin": "http://localhost:5173", vary: "Origin" },
    ],
    ["any origin under *", "all", shop, 204, { ...allowed, "access-control-allow-origin": "*" }],
    ["the origin null under *", "all", "null", 204, { ...allowed, "access-control-allow-origin": "*" }],
    ["an origin that is not listed", "shop", "https://evil.example", 403, { vary: "Origin" }],
    ["an origin that only starts alike", "shop", `${shop}.evil.example`, 403, { vary: "Origin" }],
    ["another port", "shop", `${shop}:8443`, 403, { vary: "Origin" }],
    ["the origin null", "shop", "null", 403, { vary: "Origin" }],
    ["no list", "none", shop, 405, {}],
  ])("a preflight: %s", async (_name, list, origin, status, headers) => {
    const question = { method: "OPTIONS", path, headers: { ...preflight, ...(origin && { origin }) } };
    const answer = await askHttp(version, addressOf(list), question);
    expect({ status: answer.status, headers: corsHeaders(answer.headers) }).toEqual({ status, headers });
    if (status === 403) {
      expect(answer.body).toBe("expected an origin of this server's --cors-origins, got another\n");
    }
  });

  test.each<[string, string, string | undefined, object]>([
    [
      "a listed origin",
      "shop",
      shop,
      {
        "access-control-allow-origin": shop,
        "access-control-expose-headers": exposeHeaders,
        vary: "Origin",
      },
    ],
    [
      "any origin under *",
      "all",
      shop,
      { "access-control-allow-origin": "*", "access-control-expose-headers": exposeHeaders },
    ],
    ["an origin that is not listed", "shop", "https://evil.example", { vary: "Origin" }],
    ["no origin", "shop", undefined, { vary: "Origin" }],
    ["no origin under *", "all", undefined, {}],
    ["no list", "none", shop, {}],
  ])("a call of %s", async (_name, list, origin, headers) => {
    for (const contentType of ["application/json", "application/grpc-web+proto"]) {
      const isJson = contentType.endsWith("json");
      const answer = await askHttp(version, addressOf(list), {
        method: "POST",
        path,
        headers: { "content-type": contentType, ...(origin && { origin }) },
        body: isJson ? "{}" : "\0\0\0\0\0",
      });
      expect({ status: answer.status, headers: corsHeaders(answer.headers) }).toEqual({
        status: 200,
        headers,
      });
      expect(answer.body).toContain("healthy");
      // What fails can be read by the script too.
      const failed = await askHttp(version, addressOf(list), {
        path: "/no.Such/Method",
        headers: origin ? { origin } : {},
      });
      expect({ status: failed.status, headers: corsHeaders(failed.headers) }).toEqual({
        status: 404,
        headers,
      });
    }
  });

  test("OPTIONS that is no preflight goes to the handler", async () => {
    const answer = await askHttp(version, addressOf("all"), { method: "OPTIONS", path });
    expect([answer.status, corsHeaders(answer.headers)]).toEqual([405, {}]);
  });

  test("a preflight with a body leaves nothing open", async () => {
    const body = "x".repeat(1_000_000);
    const headers = { ...preflight, origin: shop, "content-length": String(body.length) };
    const answer = await askHttp(version, addressOf("shop"), { method: "OPTIONS", path, headers, body });
    expect(answer.status).toBe(204);
    await expect.poll(() => servers.shop?.server.connections(), { timeout: 10_000 }).toBe(0);
  });
});

test("the headers that connect-web sends are allowed", async () => {
  const sent: string[] = [];
  const transport = createConnectTransport({
    baseUrl: `http://${addressOf("all")}`,
    defaultTimeoutMs: 10_000,
    fetch: (input, init) => {
      for (const [name] of new Headers(init?.headers)) sent.push(name);
      return fetch(input, init);
    },
  });
  await createClient(Operator, transport).healthy({}, { headers: { authorization: "Bearer x" } });
  const names = allowHeaders.toLowerCase().split(", ");
  expect(sent).toEqual(expect.arrayContaining(["authorization", "connect-timeout-ms", "content-type"]));
  for (const name of sent) expect(names).toContain(name);
});
