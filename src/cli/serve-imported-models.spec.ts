import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { clientsOf, image, vectorsOf } from "../../tools/load/several-models.ts";
import { runPortico } from "../../tools/run-portico.ts";
import { type PorticoProcess, startPortico } from "../../tools/start-portico.ts";
import { compareVectors } from "../embed/compare-vectors.ts";
import { ModelState } from "../gen/portico/v1/embedding_pb.ts";
import { findModelManifest } from "../node/model/model-catalog.ts";
import { readModelGolden, shippedPhotographs } from "../node/model/vector-golden.ts";

const saved = fileURLToPath(new URL("../../fixtures/golden/saved/", import.meta.url));
const { UNLOADED, LOADED } = ModelState;
let modelsDir: string;
let server: PorticoProcess;
let clients: ReturnType<typeof clientsOf>;

beforeAll(async () => {
  modelsDir = await mkdtemp(join(tmpdir(), "portico-models-"));
  const args = ["--name", "small", "--models-dir", modelsDir, "--preprocess", "torch"];
  expect(await runPortico(["import", join(saved, "convolutions.keras3.keras"), ...args])).toMatchObject({
    code: 0,
  });
  const names = ["resnet50", "small"].flatMap((name) => ["--model", name]);
  const own = ["--models-dir", modelsDir, "--lazy-models", "--workers", "1", "--page", "off"];
  server = await startPortico({ args: [...names, ...own, "--variant", "resnet50=fp16"] });
  clients = clientsOf(server);
});
afterAll(async () => {
  clients.grpcJs.close();
  await server.stop("SIGKILL");
  await rm(modelsDir, { recursive: true });
});

describe("a model that ships and an imported one on one server", () => {
  test("are listed with what is known of them", async () => {
    const { fingerprint } = await findModelManifest("small", modelsDir);
    const { models } = await clients.connect.listModels({});
    expect(models).toMatchObject([
      { name: "resnet50", precision: "fp16", dimension: 2048, engine: "simd", state: LOADED },
      {
        name: "small",
        precision: "fp32",
        dimension: 8,
        engine: "",
        state: UNLOADED,
        vectorSpace: fingerprint,
      },
    ]);
  });

  test("give each its own vectors", async () => {
    const manifest = await findModelManifest("small", modelsDir);
    const goldens = await Promise.all(shippedPhotographs.map((photo) => readModelGolden(manifest, photo)));
    const images = goldens.map(({ bytes }) => image(bytes));
    const small = vectorsOf(await clients.grpcJs.embed({ model: "small", images }));
    for (const [index, vector] of small.entries()) {
      const { vector: expected, tolerance } = goldens[index]!;
      expect(compareVectors(vector, expected).maxAbsError).toBeLessThanOrEqual(tolerance);
    }
    const { vectors } = await clients.operator.execute({
      datas: [Buffer.from(goldens[0]!.bytes).toString("base64")],
    });
    expect(vectors[0]?.element).toHaveLength(2048);
    expect((await clients.grpc.getModel({ name: "small" })).model).toMatchObject({
      engine: "simd",
      state: LOADED,
    });
  });
});
