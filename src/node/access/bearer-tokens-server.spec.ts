import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { Code, ConnectError, createClient, type Interceptor, type Transport } from "@connectrpc/connect";
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from "@connectrpc/connect-node";
import { Client, credentials, Metadata, type ServiceError, status } from "@grpc/grpc-js";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { askHttp, httpVersions } from "../../../tools/ask-http.ts";
import { silentPort } from "../../../tools/loopback-port.ts";
import { type PorticoProcess, startPortico } from "../../../tools/start-portico.ts";
import { Health } from "../../gen/grpc/health/v1/health_pb.ts";
import { ServerReflection } from "../../gen/grpc/reflection/v1/reflection_pb.ts";
import { IdentityReplySchema, IdentityRequestSchema, Operator } from "../../gen/omnisearch/operator_pb.ts";
import { EmbeddingService } from "../../gen/portico/v1/embedding_pb.ts";

const good = "good-token-".repeat(3);
const nearly = `${good.slice(0, -1)}_`;
const shop = "https://shop.example";

const expected =
  'UNAUTHENTICATED: expected the header "authorization: Bearer TOKEN" with a token of this server, got ';
const missing = `${expected}no such header`;
const unknown = `${expected}an unknown token`;

let folder: string;
let tokensFile: string;
let server: PorticoProcess;
let closeRegistry: () => void;

// The model never comes: who may call is decided without it.
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "portico-access-"));
  tokensFile = join(folder, "tokens");
  await writeFile(tokensFile, `# of the tests\n${good}\n`);
  const { listener, port } = await silentPort();
  closeRegistry = () => listener.close();
  server = await startPortico({
    args: ["--cache", join(folder, "empty"), "--tokens-file", tokensFile, "--cors-origins", shop],
    env: { npm_config_registry: `http://127.0.0.1:${port}/`, npm_config_cache: join(folder, "npm") },
    until: "listening; the model is loading",
  });
});
afterAll(async () => {
  await server?.stop("SIGKILL");
  closeRegistry?.();
  await rm(folder, { recursive: true });
});

const baseUrl = () => `http://${server.address}`;
type WithInterceptors = (interceptors: Interceptor[]) => Transport;
const transports = httpVersions.flatMap((httpVersion): [string, WithInterceptors][] => {
  const asJson = { useBinaryFormat: false, useHttpGet: true };
  const open = (interceptors: Interceptor[]) => ({ baseUrl: baseUrl(), httpVersion, interceptors });
  return [
    [`Connect over HTTP/${httpVersion}`, (list) => createConnectTransport(open(list))],
    [`Connect GET over HTTP/${httpVersion}`, (list) => createConnectTransport({ ...open(list), ...asJson })],
    [`gRPC-Web over HTTP/${httpVersion}`, (list) => createGrpcWebTransport(open(list))],
  ];
});
transports.push(["gRPC", (interceptors) => createGrpcTransport({ baseUrl: baseUrl(), interceptors })]);

const authorize =
  (authorization: string | undefined): Interceptor =>
  (next) =>
  (request) => {
    if (authorization !== undefined) request.header.set("authorization", authorization);
    return next(request);
  };

const failure = (call: Promise<unknown>) =>
  call.then(
    () => "no error",
    (error: unknown) => {
      const { code, rawMessage } = ConnectError.from(error);
      return `${Code[code]} ${rawMessage}`;
    },
  );

async function first<T>(stream: AsyncIterable<T>): Promise<T | undefined> {
  for await (const message of stream) return message;
  return undefined;
}

describe.each(transports)("%s", (name, transport) => {
  test.each([
    ["no token", undefined, missing],
    ["a token that is nearly right", `Bearer ${nearly}`, unknown],
    ["another scheme", `Basic ${good}`, `${expected}another scheme`],
  ])("%s opens nothing but health", async (_, authorization, message) => {
    const with_ = transport([authorize(authorization)]);
    const refused = `Unauthenticated ${message}`;
    expect(await failure(createClient(Operator, with_).identity({}))).toBe(refused);
    expect(await failure(createClient(Operator, with_).execute({ datas: ["x"] }))).toBe(refused);
    expect(await failure(createClient(EmbeddingService, with_).listModels({}))).toBe(refused);
    if (!name.endsWith("1.1")) {
      const nothing = async function* () {
        yield* [];
      };
      const { embedStream } = createClient(EmbeddingService, with_);
      expect(await failure(first(embedStream(nothing())))).toBe(refused);
      const { serverReflectionInfo } = createClient(ServerReflection, with_);
      expect(await failure(first(serverReflectionInfo(nothing())))).toBe(refused);
    }
    await expect(createClient(Health, with_).check({})).resolves.toMatchObject({ status: 2 });
    expect(await first(createClient(Health, with_).watch({}))).toMatchObject({ status: 2 });
  });

  test("a right token opens everything", async () => {
    const with_ = transport([authorize(`bearer ${good}`)]);
    const { endpoint } = await createClient(Operator, with_).identity({});
    expect(endpoint).toBe(server.address);
    const { models } = await createClient(EmbeddingService, with_).listModels({});
    expect(models.map(({ name }) => name)).toEqual(["resnet50"]);
  });
});

test("grpc-js gets UNAUTHENTICATED and goes on", async () => {
  const client = new Client(server.address, credentials.createInsecure());
  const identity = (authorization?: string) =>
    new Promise<string | undefined>((resolve, reject) => {
      const metadata = new Metadata();
      if (authorization) metadata.set("authorization", authorization);
      client.makeUnaryRequest(
        "/omnisearch.Operator/Identity",
        () => Buffer.from(toBinary(IdentityRequestSchema, create(IdentityRequestSchema))),
        (bytes: Buffer) => fromBinary(IdentityReplySchema, bytes),
        {},
        metadata,
        (error, reply) => (error ? reject(error) : resolve(reply?.name)),
      );
    });
  for (const [authorization, details] of [
    [undefined, missing],
    [`Bearer ${nearly}`, unknown],
  ] as const) {
    const error = (await identity(authorization).catch((thrown) => thrown)) as ServiceError;
    expect([error.code, error.details]).toEqual([status.UNAUTHENTICATED, details]);
  }
  expect(await identity(`Bearer ${good}`)).toBe("resnet50_encoder");
  client.close();
});

describe.each(httpVersions)("plain HTTP/%s", (version) => {
  const json = { "content-type": "application/json" };
  const path = "/omnisearch.Operator/Identity";

  test.each([
    ["/livez", 200, "alive\n"],
    ["/readyz", 503, "not ready\n"],
    ["/metrics", 401, `${missing}\n`],
    ["/metrics?x=/livez", 401, `${missing}\n`],
    ["/", 200, expect.stringContaining("Portico: a picture in")],
    ["/nowhere", 404, expect.stringContaining("this server has no method /nowhere")],
  ])("%s without a token", async (path, status, body) => {
    const answer = await askHttp(version, server.address, { path });
    expect([answer.status, answer.body]).toEqual([status, body]);
    expect(answer.headers["www-authenticate"]).toBe(status === 401 ? 'Bearer realm="portico"' : undefined);
  });

  test("/metrics with a token", async () => {
    const headers = { authorization: `Bearer ${good}` };
    const answer = await askHttp(version, server.address, { path: "/metrics", headers });
    expect(answer.status).toBe(200);
    expect(answer.body).toContain("portico_ready 0");
  });

  test.each([
    [undefined, missing, 'Bearer realm="portico"'],
    [`Bearer ${nearly}`, unknown, 'Bearer realm="portico", error="invalid_token"'],
  ])("a call with %s is answered with 401 and a challenge", async (authorization, message, challenge) => {
    const headers = { ...json, ...(authorization && { authorization }) };
    const answer = await askHttp(version, server.address, { method: "POST", path, headers, body: "{}" });
    expect(answer.status).toBe(401);
    expect(JSON.parse(answer.body)).toEqual({ code: "unauthenticated", message });
    expect(answer.headers["www-authenticate"]).toBe(challenge);
  });

  test("a preflight needs no token, and the script may read the 401 that follows", async () => {
    const origin = { origin: shop };
    const preflight = { ...origin, "access-control-request-method": "POST" };
    const before = await askHttp(version, server.address, { method: "OPTIONS", path, headers: preflight });
    expect([before.status, before.headers["access-control-allow-origin"]]).toEqual([204, shop]);
    const headers = { ...origin, ...json };
    const after = await askHttp(version, server.address, { method: "POST", path, headers, body: "{}" });
    expect([after.status, after.headers["access-control-allow-origin"]]).toEqual([401, shop]);
    const page = await askHttp(version, server.address, { path: "/metrics", headers: origin });
    expect([page.status, page.headers["access-control-allow-origin"]]).toEqual([401, shop]);
  });
});
