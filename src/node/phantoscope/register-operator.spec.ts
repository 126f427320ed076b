import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { Code, ConnectError, type ServiceImpl } from "@connectrpc/connect";
import { afterEach, describe, expect, test } from "vitest";
import { freePort, silentPort } from "../../../tools/loopback-port.ts";
import {
  type PhantoscopeServer,
  type PhantoscopeServerOptions,
  startPhantoscopeServer,
} from "../../../tools/phantoscope-server.ts";
import { startTestServer } from "../../../tools/start-test-server.ts";
import { createTestAuthority } from "../../../tools/test-certificates.ts";
import { Operator } from "../../gen/omnisearch/operator_pb.ts";
import { dialOperator } from "./dial-operator.ts";
import { parseEndpoint } from "./endpoint-address.ts";
import { answerMaxBytes } from "./phantoscope-client.ts";
import { type RegisterOptions, registerOperator } from "./register-operator.ts";

const closings: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closings.splice(0)) await close();
});

async function phantoscope(options: PhantoscopeServerOptions): Promise<PhantoscopeServer> {
  const server = await startPhantoscopeServer(options);
  closings.push(() => server.close());
  return server;
}

/** An operator on a port of its own whose Identity has that endpoint unless `identity` says otherwise. */
async function operator(
  identity: Readonly<Record<string, string>> = {},
  more: Partial<ServiceImpl<typeof Operator>> = {},
): Promise<string> {
  const own = Promise.withResolvers<string>();
  const { port, server } = await startTestServer((router) =>
    router.service(Operator, {
      identity: async () => ({
        name: "vgg19",
        endpoint: await own.promise,
        type: "encoder",
        input: "image",
        output: "vector",
        dimension: "512",
        metricType: "L2",
        ...identity,
      }),
      healthy: () => ({ healthy: "healthy" }),
      ...more,
    }),
  );
  closings.push(() => server.close({ graceMs: 0 }));
  own.resolve(`127.0.0.1:${port}`);
  return own.promise;
}

async function httpServer(listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, "127.0.0.1");
  await once(server, "listening");
  closings.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const register = (options: Partial<RegisterOptions> & { phantoscope: string }) =>
  registerOperator({
    check: true,
    type: "encoder",
    author: "",
    operatorVersion: "1.2",
    timeoutMs: 20_000,
    ...options,
  });

/** Reason and message; hosts and ports differ from run to run. */
const failureOf = (options: Partial<RegisterOptions> & { phantoscope: string }) =>
  register(options).then(
    () => "registered",
    (error: { reason: string; message: string }) =>
      `${error.reason}: ${error.message}`
        .replaceAll(options.phantoscope, "PHANTOSCOPE")
        .replaceAll(options.endpoint ?? "no endpoint", "ENDPOINT"),
  );

describe("with Phantoscope 0.1", () => {
  test("the operator that its endpoint names is registered, dialled and found healthy", async () => {
    const server = await phantoscope({ api: "v0.1" });
    const endpoint = await operator();
    const registration = await register({ phantoscope: server.url, endpoint });
    const answer = {
      _name: "vgg19",
      _backend: "vgg19",
      _type: "encoder",
      _input: "image",
      _output: "vector",
      _endpoint: endpoint,
      _metric_type: "L2",
      _dimension: 512,
    };
    expect(registration).toMatchObject({
      api: "v0.1",
      url: server.url,
      name: "vgg19",
      target: endpoint,
      identity: { type: "encoder", dimension: "512" },
      health: "healthy",
      warnings: [
        `${endpoint} is right only if Phantoscope runs on this machine and in no container: there it is the container itself`,
      ],
      shortfalls: [],
    });
    expect(JSON.parse(registration.answer)).toEqual(answer);
    expect(server.operators.get("vgg19")).toEqual(answer);
    expect(server.requests).toEqual([
      "OPTIONS /v1/operator/regist",
      `POST /v1/operator/regist {"endpoint":"${endpoint}","name":"vgg19"}`,
      "GET /v1/operator/vgg19/health",
    ]);
  });

  test("the API is not asked for if it is named, and a slash at the end does no harm", async () => {
    const server = await phantoscope({ api: "v0.1" });
    const endpoint = await operator({ type: "processor", dimension: "-1", metricType: "-1" });
    await register({ phantoscope: `${server.url}/`, endpoint, api: "v0.1", name: "cut.1" });
    expect(server.requests[0]).toBe(`POST /v1/operator/regist {"endpoint":"${endpoint}","name":"cut.1"}`);
  });

  test("a name that is taken is told with its endpoint", async () => {
    const server = await phantoscope({ api: "v0.1" });
    const [endpoint, other] = [await operator(), await operator()];
    await register({ phantoscope: server.url, endpoint });
    const mending = "choose another --name, or delete it: curl -X DELETE PHANTOSCOPE/v1/operator/vgg19";
    await expect(failureOf({ phantoscope: server.url, endpoint })).resolves.toBe(
      `REQUEST_INVALID: Phantoscope (API v0.1) has an operator vgg19 already, with this endpoint: if nothing has changed, all is done; ${mending}`,
    );
    await expect(failureOf({ phantoscope: server.url, endpoint: other })).resolves.toBe(
      `REQUEST_INVALID: Phantoscope (API v0.1) has an operator vgg19 already, with the endpoint ${endpoint}; ${mending}`,
    );
  });

  test("an operator that Phantoscope does not reach is told as that", async () => {
    const server = await phantoscope({ api: "v0.1" });
    const endpoint = `127.0.0.1:${await freePort()}`;
    const options = { phantoscope: server.url, endpoint, check: false, name: "far" };
    await expect(failureOf(options)).resolves.toBe(
      "REQUEST_INVALID: Phantoscope at PHANTOSCOPE could not register far: Phantoscope most likely does not reach ENDPOINT. It dials it from where it runs, often a container, in plaintext gRPC: the address must be right there, no firewall between, no TLS; its log says why",
    );
    const down = await phantoscope({ api: "v0.1", databaseFails: true });
    await expect(failureOf({ phantoscope: down.url, endpoint: await operator() })).resolves.toContain(
      "could not register vgg19: this machine reaches it, Phantoscope most likely does not reach ENDPOINT",
    );
  });

  test("an operator that never answers Phantoscope costs it its worker", async () => {
    const server = await phantoscope({ api: "v0.1", workerTimeoutMs: 300 });
    const { listener, port } = await silentPort();
    closings.push(() => listener.close());
    const options = { phantoscope: server.url, endpoint: `127.0.0.1:${port}`, check: false, name: "mute" };
    await expect(failureOf(options)).resolves.toBe(
      "SERVER_UNREACHABLE: cannot reach Phantoscope at PHANTOSCOPE: it closed the connection without an answer; Phantoscope's server does that after 30 s, mostly because the operator takes its call and never answers",
    );
  });

  test("an Identity with another endpoint is told before, and after without the check", async () => {
    const server = await phantoscope({ api: "v0.1" });
    const endpoint = await operator({ endpoint: "192.0.2.85" });
    const text = `the operator says that its endpoint is 192.0.2.85, and that is the one which Phantoscope (API v0.1) keeps and dials, not --endpoint ${endpoint}; start it with OP_ENDPOINT=${endpoint}`;
    await expect(register({ phantoscope: server.url, endpoint })).rejects.toMatchObject({
      reason: "CONFIG_INVALID",
      message: text,
    });
    expect(server.operators.size).toBe(0);

    const twin = await operator({ endpoint: `localhost:${await freePort()}` });
    const { shortfalls, health } = await register({
      phantoscope: server.url,
      endpoint: twin,
      check: false,
      name: "twin",
    });
    expect(shortfalls).toEqual([
      expect.stringMatching(
        /^the operator says that its endpoint is localhost:\d+, .*, delete it \(curl -X DELETE http:\/\/127\.0\.0\.1:\d+\/v1\/operator\/twin\) and register it again$/,
      ),
      'registered, but Phantoscope gets no "healthy" from it (HTTP 500): is it ready, and reachable from where Phantoscope runs?',
    ]);
    expect(health).toBe("HTTP 500");
  });

  test.each([
    [
      "0.0.0.0:52001",
      "http://10.0.0.7:5000",
      "--endpoint: 0.0.0.0:52001 is an address to listen on, not one to dial; give the machine's own address, as Phantoscope reaches it",
    ],
    [
      "localhost:52001",
      "http://10.0.0.7:5000",
      "--endpoint: localhost:52001 would be Phantoscope's own machine when Phantoscope at 10.0.0.7 dials it; give this machine's address in its network",
    ],
    [
      undefined,
      "http://10.0.0.7:5000",
      "--endpoint: expected HOST:PORT, where Phantoscope (API v0.1) reaches the running operator, got none",
    ],
  ])("the endpoint %s makes no sense to %s, which is not asked", async (endpoint, url, message) => {
    const options = { phantoscope: url, api: "v0.1" as const, ...(endpoint && { endpoint }) };
    await expect(register(options)).rejects.toMatchObject({ reason: "CONFIG_INVALID", message });
  });
});

describe("with Phantoscope's master", () => {
  test("an image is registered, with what a running operator says of itself", async () => {
    const server = await phantoscope({ api: "master" });
    const endpoint = await operator();
    const registration = await register({
      phantoscope: server.url,
      endpoint,
      image: "registry.example/portico:1",
    });
    expect(registration).toMatchObject({
      api: "master",
      name: "vgg19",
      target: "registry.example/portico:1",
    });
    expect(registration.health).toBeUndefined();
    expect(server.requests).toEqual([
      "OPTIONS /v1/operator/regist",
      "OPTIONS /v1/operator/register",
      'POST /v1/operator/register {"name":"vgg19","addr":"registry.example/portico:1","author":"","type":"encoder","description":"encoder, image to vector, dimension 512, metric L2","version":"1.2"}',
    ]);
  });

  test("without one, its name and kind are given", async () => {
    const server = await phantoscope({ api: "master" });
    const options = { phantoscope: server.url, image: "portico" };
    await expect(failureOf(options)).resolves.toBe(
      "CONFIG_INVALID: --name: expected one, since no operator is asked for its own",
    );
    await register({ ...options, name: "preview", type: "processor", author: "me", description: "a crop" });
    expect(server.operators.get("preview")).toMatchObject({
      addr: "portico",
      type: "processor",
      author: "me",
      description: "a crop",
      version: "1.2",
    });
    await expect(failureOf({ ...options, name: "preview" })).resolves.toBe(
      "REQUEST_INVALID: Phantoscope (API master) has an operator preview already; choose another --name, or delete it: curl -X DELETE PHANTOSCOPE/v1/operator/preview",
    );
  });

  test.each([
    [undefined, "none"],
    ["10.0.0.8:52001", "10.0.0.8:52001"],
  ])("the image %s is none", async (image, got) => {
    const server = await phantoscope({ api: "master" });
    await expect(failureOf({ phantoscope: server.url, name: "a", ...(image && { image }) })).resolves.toBe(
      `CONFIG_INVALID: --image: expected the operator's container image, which Phantoscope (API master) starts itself, got ${got}`,
    );
  });

  test("its own failure is told", async () => {
    const server = await phantoscope({ api: "master", databaseFails: true });
    await expect(failureOf({ phantoscope: server.url, name: "a", image: "portico" })).resolves.toBe(
      "REQUEST_INVALID: Phantoscope at PHANTOSCOPE failed (HTTP 500); its log says why, and its database may be down. Its answer: messageerror",
    );
  });
});

test.each([
  { has: "v0.1" as const, asked: "master" as const },
  { has: "master" as const, asked: "v0.1" as const },
])("--api $asked is refused by $has", async ({ has, asked }) => {
  const server = await phantoscope({ api: has });
  const options = { phantoscope: server.url, endpoint: await operator(), api: asked, image: "portico" };
  await expect(failureOf(options)).resolves.toBe(
    `REQUEST_INVALID: Phantoscope at PHANTOSCOPE does not have the API ${asked} (HTTP 405): leave --api out, or try --api ${has}`,
  );
});

describe("an address that is not Phantoscope's", () => {
  const mend = "mend host and port (its API has 5000)";
  const cases: [string, Awaited<ReturnType<typeof listenerOf>>, string][] = [
    [
      "a page",
      listenerOf(200, "text/html; charset=UTF-8", "<html>"),
      `got HTTP 200 and a page of HTML; ${mend}`,
    ],
    [
      "nothing of the kind",
      listenerOf(404, "text/plain", "no"),
      "got HTTP 404; mend host, port (its API has 5000) or path",
    ],
    [
      "another API",
      listenerOf(200, "application/json", '{"a":\u001b[31m1}'),
      `got HTTP 200; ${mend}. Its answer: {"a": [31m1}`,
    ],
    [
      "a redirect",
      listenerOf(301, "text/html", "", { location: "http://b.example/" }),
      "got HTTP 301, a redirect to http://b.example/; give that address, if it is Phantoscope's",
    ],
    [
      "a guard",
      listenerOf(401, "text/html", ""),
      "got HTTP 401: something before it asks for credentials; go past it",
    ],
    [
      "a proxy",
      listenerOf(502, "text/html", "Bad Gateway"),
      "got HTTP 502: a proxy answers, but not Phantoscope behind it; is it up? Its answer: Bad Gateway",
    ],
    [
      "a server of many methods",
      listenerOf(200, "text/html", "", { allow: "GET" }),
      "got a server that registers no operators; --api v0.1 or --api master tries nevertheless",
    ],
    [
      "a flood",
      (_, response) => response.end(Buffer.alloc(answerMaxBytes + 1)),
      `got an answer of more than ${answerMaxBytes} bytes`,
    ],
  ];
  test.each(cases)("%s", async (_, listener, why) => {
    const url = await httpServer(listener);
    const got = await failureOf({ phantoscope: url, endpoint: "127.0.0.1:1" });
    expect(got).toBe(`SERVER_UNREACHABLE: expected Phantoscope at PHANTOSCOPE, ${why}`);
  });

  test("nobody", async () => {
    const url = `http://127.0.0.1:${await freePort()}`;
    await expect(failureOf({ phantoscope: url, endpoint: "127.0.0.1:1" })).resolves.toBe(
      "SERVER_UNREACHABLE: cannot reach Phantoscope at PHANTOSCOPE: nobody listens there; start Phantoscope, or mend host and port (its API has 5000)",
    );
  });

  test("a silent one", async () => {
    const { listener, port } = await silentPort();
    closings.push(() => listener.close());
    const options = { phantoscope: `http://127.0.0.1:${port}`, endpoint: "127.0.0.1:1", timeoutMs: 300 };
    await expect(failureOf(options)).resolves.toBe(
      "DEADLINE_EXCEEDED: no answer from Phantoscope at PHANTOSCOPE within 300 ms (--timeout-ms): is it up, and no firewall between?",
    );
  });

  test("one that speaks no HTTP", async () => {
    const { listener, port } = await silentPort();
    closings.push(() => listener.close());
    listener.on("connection", (socket) => socket.end("5.6.1 MySQL\r\n"));
    await expect(
      failureOf({ phantoscope: `http://127.0.0.1:${port}`, endpoint: "127.0.0.1:1" }),
    ).resolves.toBe(
      "SERVER_UNREACHABLE: cannot reach Phantoscope at PHANTOSCOPE: what answers there does not speak HTTP; is it the port of Phantoscope's API (5000)?",
    );
  });

  test.each(["10.0.0.7:5000", "localhost:5000", "ftp://a:5000", "http://u:p@a:5000", "http://a/?b", ""])(
    "%j",
    async (url) => {
      await expect(register({ phantoscope: url })).rejects.toMatchObject({
        reason: "CONFIG_INVALID",
        message: `--phantoscope: expected a URL like http://10.0.0.7:5000, got "${url}"`,
      });
    },
  );
});

function listenerOf(
  status: number,
  type: string,
  body: string,
  headers: Readonly<Record<string, string>> = {},
): RequestListener {
  return (_, response) => {
    response.writeHead(status, { "content-type": type, ...headers });
    response.end(body);
  };
}

describe("an operator that cannot be dialled", () => {
  const unauthenticated = () => {
    throw new ConnectError("no token", Code.Unauthenticated);
  };
  test.each<[string, Parameters<typeof operator>, string]>([
    [
      "of another kind",
      [{ type: "detector" }],
      'CONFIG_INVALID: the operator at ENDPOINT cannot be used by Phantoscope: expected type "encoder" or "processor" in its Identity, got "detector"',
    ],
    [
      "without a dimension",
      [{ dimension: "many" }],
      'CONFIG_INVALID: the operator at ENDPOINT cannot be used by Phantoscope: expected a whole number as dimension in its Identity, got "many"',
    ],
    [
      "with a name that has no place in a path",
      [{ name: "a/b" }],
      'CONFIG_INVALID: the operator\'s own name, which --name would replace: expected 1 to 80 letters, digits, "_", "-" or ".", got "a/b"',
    ],
    [
      "that is unwell",
      [{}, { healthy: () => ({ healthy: "ill\u001b[0m" }) }],
      'NOT_READY: the operator at ENDPOINT is not well: expected "healthy" from Healthy, got "ill [0m"',
    ],
    [
      "that is not ready",
      [
        {},
        {
          healthy: () => {
            throw new ConnectError("NOT_READY: the model is not ready to embed yet", Code.Unavailable);
          },
        },
      ],
      "NOT_READY: the operator at ENDPOINT is not ready: the model is not ready to embed yet; try again",
    ],
    [
      "that wants a token",
      [{}, { identity: unauthenticated }],
      "UNAUTHENTICATED: the operator at ENDPOINT asks for credentials, and Phantoscope can send none: serve it without --tokens-file",
    ],
  ])("%s", async (_, of, message) => {
    const server = await phantoscope({ api: "v0.1" });
    await expect(failureOf({ phantoscope: server.url, endpoint: await operator(...of) })).resolves.toBe(
      message,
    );
    expect(server.requests).toEqual(["OPTIONS /v1/operator/regist"]);
  });

  test("nobody, or something else", async () => {
    const server = await phantoscope({ api: "v0.1" });
    const at = (endpoint: string) => failureOf({ phantoscope: server.url, endpoint });
    await expect(at(`127.0.0.1:${await freePort()}`)).resolves.toBe(
      "SERVER_UNREACHABLE: cannot dial the operator at ENDPOINT: nobody listens there; start it, with that port in OP_ENDPOINT, or mend --endpoint",
    );
    await expect(at(new URL(server.url).host)).resolves.toBe(
      "SERVER_UNREACHABLE: cannot dial the operator at ENDPOINT: what answers there is no omnisearch.Operator over plaintext gRPC, which is all that Phantoscope speaks; mend --endpoint, or serve it without TLS (Protocol error)",
    );
  });

  test("one that speaks TLS", async () => {
    const { certPem, keyPem } = createTestAuthority().issue("127.0.0.1", ["127.0.0.1"]);
    const tls = { cert: certPem, key: keyPem, leaf: new X509Certificate(certPem) };
    const { port, server } = await startTestServer(() => undefined, {}, {}, tls);
    closings.push(() => server.close({ graceMs: 0 }));
    const failure = await dialOperator(parseEndpoint(`127.0.0.1:${port}`, "--endpoint")).catch(String);
    expect(failure).toMatch(
      /^EmbedError: cannot dial the operator at 127\.0\.0\.1:\d+: what answers there is no omnisearch\.Operator over plaintext gRPC, which is all that Phantoscope speaks; mend --endpoint, or serve it without TLS \(/,
    );
  });

  test("one that takes the call and never answers", async () => {
    const { listener, port } = await silentPort();
    closings.push(() => listener.close());
    await expect(dialOperator(parseEndpoint(`127.0.0.1:${port}`, "--endpoint"), 300)).rejects.toMatchObject({
      reason: "DEADLINE_EXCEEDED",
      message: `the operator at 127.0.0.1:${port} did not answer Identity within 300 ms`,
    });
  });
});
