import { X509Certificate } from "node:crypto";
import type { RequestListener } from "node:http";
import { Code, ConnectError } from "@connectrpc/connect";
import { describe, expect, test } from "vitest";
import { freePort, silentPort } from "../../../tools/loopback-port.ts";
import { startTestServer } from "../../../tools/start-test-server.ts";
import { createTestAuthority } from "../../../tools/test-certificates.ts";
import { register, registerFailureOf, usePhantoscope } from "../../../tools/use-phantoscope.ts";
import { dialOperator } from "./dial-operator.ts";
import { parseEndpoint } from "./endpoint-address.ts";
import { answerMaxBytes } from "./phantoscope-client.ts";

const { phantoscope, operator, httpServer, close } = usePhantoscope();

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
    const got = await registerFailureOf({ phantoscope: url, endpoint: "127.0.0.1:1" });
    expect(got).toBe(`SERVER_UNREACHABLE: expected Phantoscope at PHANTOSCOPE, ${why}`);
  });

  test("nobody", async () => {
    const url = `http://127.0.0.1:${await freePort()}`;
    await expect(registerFailureOf({ phantoscope: url, endpoint: "127.0.0.1:1" })).resolves.toBe(
      "SERVER_UNREACHABLE: cannot reach Phantoscope at PHANTOSCOPE: nobody listens there; start Phantoscope, or mend host and port (its API has 5000)",
    );
  });

  test("a silent one", async () => {
    const { listener, port } = await silentPort();
    close(() => listener.close());
    const options = { phantoscope: `http://127.0.0.1:${port}`, endpoint: "127.0.0.1:1", timeoutMs: 300 };
    await expect(registerFailureOf(options)).resolves.toBe(
      "DEADLINE_EXCEEDED: no answer from Phantoscope at PHANTOSCOPE within 300 ms (--timeout-ms): is it up, and no firewall between?",
    );
  });

  test("one that speaks no HTTP", async () => {
    const { listener, port } = await silentPort();
    close(() => listener.close());
    listener.on("connection", (socket) => socket.end("5.6.1 MySQL\r\n"));
    await expect(
      registerFailureOf({ phantoscope: `http://127.0.0.1:${port}`, endpoint: "127.0.0.1:1" }),
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
    await expect(
      registerFailureOf({ phantoscope: server.url, endpoint: await operator(...of) }),
    ).resolves.toBe(message);
    expect(server.requests).toEqual(["OPTIONS /v1/operator/regist"]);
  });

  test("nobody, or something else", async () => {
    const server = await phantoscope({ api: "v0.1" });
    const at = (endpoint: string) => registerFailureOf({ phantoscope: server.url, endpoint });
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
    close(() => server.close({ graceMs: 0 }));
    const failure = await dialOperator(parseEndpoint(`127.0.0.1:${port}`, "--endpoint")).catch(String);
    expect(failure).toMatch(
      /^EmbedError: cannot dial the operator at 127\.0\.0\.1:\d+: what answers there is no omnisearch\.Operator over plaintext gRPC, which is all that Phantoscope speaks; mend --endpoint, or serve it without TLS \(/,
    );
  });

  test("one that takes the call and never answers", async () => {
    const { listener, port } = await silentPort();
    close(() => listener.close());
    await expect(dialOperator(parseEndpoint(`127.0.0.1:${port}`, "--endpoint"), 300)).rejects.toMatchObject({
      reason: "DEADLINE_EXCEEDED",
      message: `the operator at 127.0.0.1:${port} did not answer Identity within 300 ms`,
    });
  });
});
