import { Code, ConnectError } from "@connectrpc/connect";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  clientsOf,
  expectRight,
  image,
  imagesOf,
  metricsOf,
  pictures,
  startSeveral,
  type WorkingModel,
} from "../../tools/load/several-models.ts";
import type { PorticoProcess } from "../../tools/start-portico.ts";
import { HealthCheckResponse_ServingStatus } from "../gen/grpc/health/v1/health_pb.ts";
import { Operator } from "../gen/omnisearch/operator_pb.ts";
import { EmbeddingService, type EmbedResponse, ModelState } from "../gen/portico/v1/embedding_pb.ts";

const { UNLOADED, LOADED, FAILED } = ModelState;
const { SERVING } = HealthCheckResponse_ServingStatus;

/** With one worker `tiny`, which stays, takes 50 to 70 MB, and each of the others 34 MB: one fits beside it, two do not. */
const roomForTwo = 115_000_000;

const opened = ({ log }: PorticoProcess, model: string) =>
  log.filter((line) => line.msg === "opened" && line.model === model).length;
const unloaded = ({ log }: PorticoProcess) =>
  log.filter(({ msg }) => msg.startsWith("the model was taken out of memory")).length;

describe("lazy models in little memory", () => {
  let server: PorticoProcess;
  let clients: ReturnType<typeof clientsOf>;
  const states = async () => {
    const { models } = await clients.grpc.listModels({});
    return models.map(({ name, state, ready }) => [name, state, ready]);
  };

  beforeAll(async () => {
    const memory = ["--lazy-models", "--max-model-memory-bytes", String(roomForTwo)];
    server = await startSeveral(["tiny", "mean", "plain", "broken", "drifting"], memory);
    clients = clientsOf(server);
  });
  afterAll(async () => {
    clients.grpcJs.close();
    await server.stop("SIGKILL");
  });

  test("are listed without being loaded, and the server is ready without them", async () => {
    expect(await states()).toEqual([
      ["tiny", LOADED, true],
      ["mean", UNLOADED, false],
      ["plain", UNLOADED, false],
      ["broken", UNLOADED, false],
      ["drifting", UNLOADED, false],
    ]);
    expect(await clients.grpc.getModel({ name: "mean" })).toMatchObject({
      model: { name: "mean", state: UNLOADED, engine: "", dimension: 3, vectorSpace: "sha256:mean" },
    });
    expect((await fetch(`http://${server.address}/readyz`)).status).toBe(200);
    for (const service of ["", Operator.typeName, EmbeddingService.typeName]) {
      expect(await clients.health.check({ service })).toMatchObject({ status: SERVING });
    }
    expect(opened(server, "mean")).toBe(0);
  });

  test("the first is the operator's, and the one of requests that name none", async () => {
    expect(await clients.operator.identity({})).toMatchObject({ name: "tiny_encoder" });
    expectRight("tiny", await clients.connect.embed({ images: imagesOf("tiny") }));
  });

  test("a name that is not served is an error that lists those that are", async () => {
    const error = ConnectError.from(
      await clients.grpc.embed({ model: "resnet50" }).catch((thrown) => thrown),
    );
    expect([error.code, error.rawMessage]).toEqual([
      Code.NotFound,
      'MODEL_UNKNOWN: expected one of the models tiny, mean, plain, broken, drifting, got "resnet50"',
    ]);
  });

  test("many first calls load a model once, and all of them are answered", async () => {
    const request = { model: "mean", images: imagesOf("mean") };
    const calls = [1, 2, 3].flatMap(() => [
      clients.grpc.embed(request),
      clients.connect.embed(request),
      clients.grpcJs.embed(request),
    ]);
    for (const reply of await Promise.all(calls)) expectRight("mean", reply);
    expect(opened(server, "mean")).toBe(1);
    expect((await states())[1]).toEqual(["mean", LOADED, true]);
  });

  test("a call that waits for its model waits until its deadline", async () => {
    const call = clients.grpcJs.embed({ model: "plain", images: imagesOf("plain") }, { timeoutMs: 1 });
    expect(ConnectError.from(await call.catch((thrown) => thrown)).code).toBe(Code.DeadlineExceeded);
  });

  test("models make room for each other under load: no call is lost, every vector has the same bits", async () => {
    const before = unloaded(server);
    const seen = new Map<WorkingModel, Float32Array[]>();
    const check = async (name: WorkingModel, call: Promise<EmbedResponse>) => {
      const vectors = expectRight(name, await call);
      expect(vectors).toEqual(seen.get(name) ?? vectors);
      seen.set(name, vectors);
    };
    const { grpc, connect, grpcJs } = clients;
    for (const names of [
      ["mean", "plain"],
      ["plain", "mean"],
      ["mean", "plain"],
    ] as const) {
      const calls = names.flatMap((model) => {
        const request = { model, images: imagesOf(model) };
        return [grpc, connect, grpcJs, grpc].map((client) => check(model, client.embed(request)));
      });
      await Promise.all([...calls, check("tiny", grpc.embed({ images: imagesOf("tiny") }))]);
      const bytes = [...(await metricsOf(server))].filter(([name]) =>
        name.startsWith("portico_model_memory_bytes"),
      );
      expect(bytes.filter(([, value]) => value > 0)).toHaveLength(2);
      expect(bytes.reduce((sum, [, value]) => sum + value, 0)).toBeLessThanOrEqual(roomForTwo);
    }
    expect(unloaded(server) - before).toBeGreaterThanOrEqual(3);
  });

  test("a stream may change between models", async () => {
    async function* requests() {
      for (const [model, picture] of [
        ["mean", pictures.mean[0]!],
        ["tiny", pictures.tiny[0]!],
      ] as const) {
        yield { id: model, model, image: image(picture.bytes) };
      }
    }
    const spaces: Record<string, string> = {};
    for await (const { id, result, vectorSpace } of clients.grpc.embedStream(requests())) {
      expect(result?.outcome.case).toBe("embedding");
      spaces[id] = vectorSpace;
    }
    expect(Object.keys(spaces).sort()).toEqual(["mean", "tiny"]);
    expect(spaces.mean).toBe("sha256:mean");
  });

  test.each([
    { model: "broken", reason: "MODEL_CORRUPT" },
    { model: "drifting", reason: "VECTOR_DRIFT" },
  ])("$model fails its own calls alone, and is not tried again at once", async ({ model, reason }) => {
    for (let call = 0; call < 2; call++) {
      const error = ConnectError.from(
        await clients.grpcJs.embed({ model, images: imagesOf("mean") }).catch((thrown) => thrown),
      );
      expect(error.code).toBe(Code.Unavailable);
      expect(error.rawMessage).toMatch(
        new RegExp(
          `^NOT_READY: the model ${model} could not be loaded: ${reason}, of which the log says more; it is tried again in \\d+ s$`,
        ),
      );
    }
    expect(opened(server, model)).toBe(1);
    expect((await clients.grpc.getModel({ name: model })).model).toMatchObject({
      state: FAILED,
      ready: false,
    });
    expect(server.log).toContainEqual(
      expect.objectContaining({
        level: 50,
        model,
        reason,
        msg: expect.stringMatching(/^the model could not be loaded: ./),
      }),
    );
    expectRight("tiny", await clients.grpc.embed({ model: "tiny", images: imagesOf("tiny") }));
    expect((await fetch(`http://${server.address}/readyz`)).status).toBe(200);
  });

  test("metrics tell models apart", async () => {
    const metrics = await metricsOf(server);
    expect(metrics.get("portico_ready")).toBe(1);
    expect(metrics.get('portico_workers{model="tiny"}')).toBe(1);
    expect(metrics.get('portico_model_loads_total{model="tiny",reason="OK"}')).toBe(1);
    expect(metrics.get('portico_model_loads_total{model="broken",reason="MODEL_CORRUPT"}')).toBe(1);
    expect(metrics.get('portico_model_unloads_total{model="tiny"}')).toBe(0);
    expect(metrics.get('portico_model_unloads_total{model="plain"}')).toBeGreaterThan(0);
    expect(metrics.get('portico_items_total{model="mean",reason="OK"}')).toBeGreaterThan(
      pictures.mean.length,
    );
    expect(metrics.get('portico_stage_seconds_count{model="mean",stage="infer"}')).toBe(
      metrics.get('portico_items_total{model="mean",reason="OK"}'),
    );
  });
});
