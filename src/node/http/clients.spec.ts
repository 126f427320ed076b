import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { create, type DescMethod, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { Client, credentials, Metadata, type ServiceError, status } from "@grpc/grpc-js";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { requireGrpcurl } from "../../../tools/require-grpcurl.ts";
import { startTestServer, type TestServer } from "../../../tools/start-test-server.ts";
import { EmbedError } from "../../errors.ts";
import { Health, HealthCheckResponse_ServingStatus } from "../../gen/grpc/health/v1/health_pb.ts";
import { ServerReflection } from "../../gen/grpc/reflection/v1/reflection_pb.ts";
import { ServerReflection as ServerReflectionAlpha } from "../../gen/grpc/reflection/v1alpha/reflection_pb.ts";
import { Operator } from "../../gen/omnisearch/operator_pb.ts";
import { addHealth } from "../../service/health.ts";
import { createReadiness } from "../../service/readiness.ts";
import { addReflection } from "../../service/reflection.ts";
import { toConnectError } from "../../service/to-connect-error.ts";

const { SERVING, NOT_SERVING } = HealthCheckResponse_ServingStatus;
const readiness = createReadiness();
let running: TestServer;
let client: Client;
let address: string;

beforeAll(async () => {
  running = await startTestServer(
    (router) => {
      router.service(Operator, {
        healthy: () => ({ healthy: "healthy" }),
        execute({ datas }) {
          const vectors = datas.map((data) => ({ element: Array(data.length).fill(0.5) }));
          if (datas.includes("bad")) {
            const items = [{ index: 0, reason: "IMAGE_CORRUPT", message: "cut off" } as const];
            throw toConnectError(new EmbedError("IMAGE_CORRUPT", "1 of 1", { detail: { items } }));
          }
          return { nums: BigInt(datas.length), vectors };
        },
      });
      addHealth(router, readiness, { [Operator.typeName]: readiness });
      addReflection(router);
    },
    { messageMaxBytes: 2 ** 20 },
  );
  address = `127.0.0.1:${running.port}`;
  client = new Client(address, credentials.createInsecure());
});
afterAll(async () => {
  client.close();
  await running.server.close({ graceMs: 0 });
  expect(running.logged).toEqual([]);
});
beforeEach(() => readiness.set(false));

const pathOf = (method: DescMethod) => `/${method.parent.typeName}/${method.name}`;
const writer = (method: DescMethod) => (request: Record<string, unknown>) =>
  Buffer.from(toBinary(method.input, create(method.input, request as MessageInitShape<typeof method.input>)));
const reader = (method: DescMethod) => (bytes: Buffer) => fromBinary(method.output, bytes);

/** A unary call by grpc-js. */
function call<M extends DescMethod>(method: M, request: MessageInitShape<M["input"]>, path = pathOf(method)) {
  return new Promise<object>((resolve, reject) => {
    client.makeUnaryRequest(path, writer(method), reader(method), request, (error, reply) => {
      if (error) reject(error);
      else resolve(reply ?? {});
    });
  });
}

describe("grpc-js", () => {
  test("makes calls", async () => {
    expect(await call(Operator.method.healthy, {})).toMatchObject({ healthy: "healthy" });
    expect(await call(Operator.method.execute, { datas: ["a", "bc"] })).toMatchObject({
      nums: 2n,
      vectors: [{ element: [0.5] }, { element: [0.5, 0.5] }],
    });
  });

  test("gets the error and its details", async () => {
    const error = (await call(Operator.method.execute, { datas: ["bad"] }).catch(
      (thrown) => thrown,
    )) as ServiceError;
    expect([error.code, error.details]).toEqual([status.INVALID_ARGUMENT, "IMAGE_CORRUPT: 1 of 1"]);
    expect(String(error.metadata.get("grpc-status-details-bin")[0])).toContain("portico.v1.BatchFailure");
  });

  test("gets UNIMPLEMENTED for an unknown method", async () => {
    const error = (await call(Operator.method.healthy, {}, "/omnisearch.Operator/Nope").catch(
      (thrown) => thrown,
    )) as ServiceError;
    expect(error.code).toBe(status.UNIMPLEMENTED);
    expect(error.details).toMatch(
      /^this server has no method \/omnisearch\.Operator\/Nope; it has the services /,
    );
  });

  test("goes on after a message over the limit", async () => {
    for (let round = 0; round < 20; round++) {
      const big = call(Operator.method.execute, { datas: ["x".repeat(2_000_000)] });
      await expect(big).rejects.toMatchObject({ code: status.RESOURCE_EXHAUSTED });
    }
    expect(await call(Operator.method.healthy, {})).toMatchObject({ healthy: "healthy" });
    expect(running.server.connections()).toBe(1);
  });

  test("watches health", async () => {
    const { check, watch } = Health.method;
    expect(await call(check, {})).toMatchObject({ status: NOT_SERVING });
    await expect(call(check, { service: "no.Such" })).rejects.toMatchObject({ code: status.NOT_FOUND });
    const stream = client.makeServerStreamRequest(pathOf(watch), writer(watch), reader(watch), {
      service: "omnisearch.Operator",
    });
    const seen: unknown[] = [];
    await new Promise<void>((resolve, reject) => {
      stream.on("data", (state: { status: unknown }) => {
        seen.push(state.status);
        readiness.set(seen.length === 1);
        if (seen.length === 3) stream.cancel();
      });
      stream.on("error", (error: ServiceError) => {
        if (error.code === status.CANCELLED) resolve();
        else reject(error);
      });
    });
    expect(seen).toEqual([NOT_SERVING, SERVING, NOT_SERVING]);
  });

  test.each([ServerReflection, ServerReflectionAlpha])(
    "asks $typeName one question after the other",
    async (service) => {
      const method = service.method.serverReflectionInfo;
      const stream = client.makeBidiStreamRequest(
        pathOf(method),
        writer(method),
        reader(method),
        new Metadata(),
      );
      const questions = [
        { case: "listServices", value: "" },
        { case: "fileContainingSymbol", value: "omnisearch.Operator" },
        { case: "fileByFilename", value: "no.proto" },
      ];
      const kinds: unknown[] = [];
      await new Promise<void>((resolve, reject) => {
        const askNext = () => {
          const messageRequest = questions[kinds.length];
          if (messageRequest) stream.write({ messageRequest });
          else stream.end();
        };
        stream.on("data", (answer: { messageResponse: { case: unknown } }) => {
          kinds.push(answer.messageResponse.case);
          askNext();
        });
        stream.on("error", reject);
        stream.on("end", resolve);
        askNext();
      });
      expect(kinds).toEqual(["listServicesResponse", "fileDescriptorResponse", "errorResponse"]);
    },
  );
});

/** Runs a program without blocking the server, which lives in this process. */
async function run(program: string, ...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(program, args, { timeout: 20_000 });
  return stdout;
}

describe("buf curl", () => {
  const buf = (...args: string[]) => run("node_modules/.bin/buf", "curl", "--http2-prior-knowledge", ...args);

  test.each(["grpc-v1", "grpc-v1alpha"])("lists methods by reflection: %s", async (version) => {
    const listed = await buf("--reflect", "--reflect-protocol", version, "--list-methods", running.url);
    expect(listed.trim().split("\n")).toEqual([
      "grpc.health.v1.Health/Check",
      "grpc.health.v1.Health/List",
      "grpc.health.v1.Health/Watch",
      "grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
      "grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
      "omnisearch.Operator/Execute",
      "omnisearch.Operator/Healthy",
      "omnisearch.Operator/Identity",
    ]);
  });

  test.each(["grpc", "grpcweb", "connect"])("calls by reflection over %s", async (protocol) => {
    const reply = await buf(
      "--reflect",
      "--protocol",
      protocol,
      "-d",
      "{}",
      `${running.url}/omnisearch.Operator/Healthy`,
    );
    expect(JSON.parse(reply)).toEqual({ healthy: "healthy" });
  });
});

const grpcurlPath = requireGrpcurl();

describe.skipIf(grpcurlPath === undefined)("grpcurl", () => {
  const grpcurl = (...args: string[]) => run(grpcurlPath ?? "", "-plaintext", ...args);

  test("lists services and methods", async () => {
    expect((await grpcurl(address, "list")).trim().split("\n")).toEqual([
      "grpc.health.v1.Health",
      "grpc.reflection.v1.ServerReflection",
      "grpc.reflection.v1alpha.ServerReflection",
      "omnisearch.Operator",
    ]);
    expect(await grpcurl(address, "list", "omnisearch.Operator")).toBe(
      "omnisearch.Operator.Execute\nomnisearch.Operator.Healthy\nomnisearch.Operator.Identity\n",
    );
  });

  test("describes a message", async () => {
    expect(await grpcurl(address, "describe", "omnisearch.MetaData")).toBe(
      "omnisearch.MetaData is a message:\nmessage MetaData {\n  string url = 1;\n  bytes data = 2;\n}\n",
    );
  });

  test("calls, and shows error details", async () => {
    const reply = await grpcurl("-d", '{"datas":["ab"]}', address, "omnisearch.Operator/Execute");
    expect(JSON.parse(reply)).toEqual({ nums: "1", vectors: [{ element: [0.5, 0.5] }] });
    const failure = await grpcurl("-d", '{"datas":["bad"]}', address, "omnisearch.Operator/Execute").catch(
      (error: { stderr: string }) => error.stderr,
    );
    expect(failure).toContain("Code: InvalidArgument");
    expect(failure).toContain('"@type": "type.googleapis.com/portico.v1.BatchFailure"');
    expect(failure).toContain('"message": "cut off"');
  });

  test("checks health", async () => {
    readiness.set(true);
    const reply = await grpcurl(
      "-d",
      '{"service":"omnisearch.Operator"}',
      address,
      "grpc.health.v1.Health/Check",
    );
    expect(JSON.parse(reply)).toEqual({ status: "SERVING" });
  });
});
