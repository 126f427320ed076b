import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { markPicture } from "../../tools/faults/marked-picture.ts";
import {
  clientsOf,
  expectRight,
  image,
  imagesOf,
  metricsOf,
  pictures,
  startSeveral,
} from "../../tools/load/several-models.ts";
import type { PorticoProcess } from "../../tools/start-portico.ts";

describe("models that are loaded at the start", () => {
  let server: PorticoProcess;
  let clients: ReturnType<typeof clientsOf>;

  beforeAll(async () => {
    // Workers that misbehave on marked pictures.
    const env = { NODE_OPTIONS: `--import=${new URL("../../tools/faults/misbehave.ts", import.meta.url)}` };
    server = await startSeveral(["tiny", "mean", "broken"], [], env);
    clients = clientsOf(server);
  });
  afterAll(async () => {
    clients.grpcJs.close();
    await server.stop("SIGKILL");
  });

  test("are there before the server is ready, and a broken one keeps it from nothing", async () => {
    expect(server.log.find(({ msg }) => msg === "ready")).toMatchObject({
      model: "tiny",
      models: { tiny: "loaded", mean: "loaded", broken: "failed" },
    });
    expect((await fetch(`http://${server.address}/readyz`)).status).toBe(200);
    expectRight("mean", await clients.grpc.embed({ model: "mean", images: imagesOf("mean") }));
  });

  test("a worker that one model loses costs the other nothing", async () => {
    const killer = { model: "mean", images: [image(markPicture(pictures.mean[0]!.bytes, "exit"))] };
    const calls = [1, 2, 3].map(() => clients.grpc.embed({ images: imagesOf("tiny") }));
    const { results } = await clients.grpcJs.embed(killer);
    expect(results[0]?.outcome.value).toMatchObject({ reason: "ENGINE_FAILED" });
    for (const reply of await Promise.all(calls)) expectRight("tiny", reply);
    expectRight("mean", await clients.connect.embed({ model: "mean", images: imagesOf("mean") }));
    const metrics = await metricsOf(server);
    const restarts = (model: string) =>
      metrics.get(`portico_worker_restarts_total{model="${model}",reason="ENGINE_FAILED"}`);
    expect([restarts("tiny"), restarts("mean")]).toEqual([0, 2]);
    expect(server.log).toContainEqual(
      expect.objectContaining({ level: 50, model: "mean", reason: "ENGINE_FAILED" }),
    );
  });

  test("SIGTERM lets the calls of all models end", async () => {
    const calls = (["tiny", "mean"] as const).map(async (model) => {
      const images = Array.from({ length: 100 }, () => imagesOf(model)).flat();
      const { results } = await clients.grpc.embed({ model, images });
      return results.filter(({ outcome }) => outcome.case === "embedding").length === images.length;
    });
    await expect
      .poll(async () => (await metricsOf(server)).get("portico_requests_in_flight"), { interval: 5 })
      .toBeGreaterThan(2);
    const stopped = server.stop("SIGTERM");
    expect(await Promise.all(calls)).toEqual([true, true]);
    expect(await stopped).toBe(0);
  });
});
