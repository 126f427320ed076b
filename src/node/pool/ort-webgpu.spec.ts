import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { writeLosableGpu } from "../../../tools/gpu/losable-gpu.ts";
import { requireWebGpu } from "../../../tools/require-webgpu.ts";
import { runPortico } from "../../../tools/run-portico.ts";
import { startPortico } from "../../../tools/start-portico.ts";
import { compareVectors } from "../../embed/compare-vectors.ts";
import { Operator } from "../../gen/omnisearch/operator_pb.ts";
import { EmbeddingService } from "../../gen/portico/v1/embedding_pb.ts";
import { findModelManifest } from "../model/model-catalog.ts";
import { readModelGolden, shippedPhotographs } from "../model/vector-golden.ts";
import { packageFile } from "../package-file.ts";

/** On SwiftShader, which takes half a minute for a photograph: most of this goes with a smaller model. */

const env = requireWebGpu();
const loseDevice = "tools/gpu/lose-device.ts";
/** SwiftShader comes as near as a processor does; the tolerance of `ort-webgpu` is for GPUs of any maker. */
const measuredMaxAbsError = 1e-6;
const softwareName = /google swiftshader .*\(SwiftShader driver [\d.]+\)/;

test("without its package, the message says what to install", async () => {
  const { code, stderr } = await runPortico(["verify", "--engine", "ort-webgpu"], { NODE_PATH: "" });
  expect({ code, stderr }).toEqual({
    code: 2,
    stderr:
      "portico: --engine ort-webgpu needs a package that is not installed; install it with: npm install --ignore-scripts webgpu@0.6.2\n",
  });
});

describe.skipIf(env === undefined)("ort-webgpu as a command", () => {
  test("a server with ResNet50 on a software GPU names it, and its self-check is right", async () => {
    const server = await startPortico({ args: ["--engine", "ort-webgpu", "--workers", "4"], env: env ?? {} });
    try {
      const ready = server.log.find(({ msg }) => msg === "ready");
      expect(ready).toMatchObject({
        engine: "ort-webgpu",
        adapter: expect.stringMatching(new RegExp(`^${softwareName.source}, software$`)),
        workers: "1 for the GPU, 4 decode (--workers)",
      });
      expect(ready?.maxAbsError).toBeLessThanOrEqual(measuredMaxAbsError);
    } finally {
      await server.stop("SIGTERM");
    }
  }, 900_000);

  test("a server answers with what the GPU computed, of a model that is not slow on a processor", async () => {
    const modelsDir = await mkdtemp(join(tmpdir(), "portico-models-"));
    const own = ["--models-dir", modelsDir];
    const file = packageFile("fixtures/golden/saved/convolutions.keras3.keras");
    const imported = await runPortico(["import", file, "--name", "small", "--preprocess", "torch", ...own]);
    expect(imported).toMatchObject({ code: 0 });
    const args = [...own, "--model", "small", "--engine", "ort-webgpu"];
    const server = await startPortico({ args, env: env ?? {} });
    try {
      const transport = createGrpcTransport({ baseUrl: `http://${server.address}` });
      const { model } = await createClient(EmbeddingService, transport).getModel({});
      expect(model).toMatchObject({ name: "small", engine: "ort-webgpu" });
      const manifest = await findModelManifest("small", modelsDir);
      const photos = await Promise.all(shippedPhotographs.map((photo) => readModelGolden(manifest, photo)));
      const datas = photos.map(({ bytes }) => Buffer.from(bytes).toString("base64"));
      const { vectors } = await createClient(Operator, transport).execute({ datas });
      for (const [index, { vector }] of photos.entries()) {
        const got = Float32Array.from(vectors[index]?.element ?? []);
        expect(compareVectors(got, vector).maxAbsError).toBeLessThanOrEqual(measuredMaxAbsError);
      }
    } finally {
      await server.stop("SIGTERM");
      await rm(modelsDir, { recursive: true });
    }
  });

  test("auto passes a software GPU over, and says so", async () => {
    const { code, stdout, stderr } = await runPortico(["verify", "--only", "photo/lo"], env);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^resnet50 on simd, against real Keras\n/);
    expect(stderr).toMatch(softwareName);
    expect(stderr).toMatch(
      /^portico: an engine was passed over: expected a GPU, got the software adapter .*, which is used with engine ort-webgpu only; next: simd$/m,
    );
  });

  test("without a GPU, the message says what was expected", async () => {
    const { code, stderr } = await runPortico(["verify", "--engine", "ort-webgpu"], {
      ...env,
      VK_ICD_FILENAMES: "/none",
    });
    expect(code).toBe(2);
    expect(stderr).toMatch(
      /^portico: engine ort-webgpu expected a GPU with a driver for Vulkan, Metal or Direct3D 12, got none$/m,
    );
  });
});

describe.skipIf(env === undefined)("workers with ort-webgpu", () => {
  let folder: string;
  let losable: Readonly<Record<string, string>>;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "portico-gpu-"));
    losable = { ...env, NODE_PATH: await writeLosableGpu(folder, env?.NODE_PATH ?? "") };
  });
  afterAll(() => rm(folder, { recursive: true }));

  const onGpu = expect.stringMatching(
    new RegExp(`^ort-webgpu is ready on ${softwareName.source}, software$`),
  );
  const right = "a right vector";
  const lost = "ort-webgpu lost its GPU device (device was destroyed)";
  const replaced = `device-replaced: ${lost}; another one is in use now`;
  const lostAgain = `worker-lost: ${lost} for the second time`;
  const gone = `worker-lost: ${lost} and got no other one`;
  const onProcessor = "simd is ready on the processor";

  test.each<[string, string, string, readonly unknown[]]>([
    [
      "are one, on another device after a loss; after a second loss the next engine has as many as asked for",
      "lose,lose",
      "simd,ort-wasm",
      [onGpu, right, replaced, right, lostAgain, "ort-webgpu, next simd", onProcessor, right, onProcessor],
    ],
    [
      "leave their place to the next engine where there is no other device",
      "lose-for-good",
      "simd",
      [onGpu, right, gone, "ort-webgpu, next simd", onProcessor, right, onProcessor],
    ],
    [
      "are started again where their engine was named",
      "lose,lose",
      "",
      [onGpu, right, replaced, right, lostAgain, onGpu, right],
    ],
  ])(
    "%s",
    async (_, requests, fallbacks, story) => {
      const { stdout, stderr } = await runPortico([requests, fallbacks], losable, loseDevice);
      expect(stderr).toBe("");
      const told = JSON.parse(stdout) as { story: string[] };
      expect(told.story).toEqual(story);
    },
    180_000,
  );

  test.each<[string, string, string, readonly unknown[]]>([
    [
      "is repeated on another device; lost once more, its pictures go to the next engine one by one",
      "lose,lose",
      "simd",
      [
        ...[onGpu, right, replaced, `100 x ${right}`],
        ...[lostAgain, "ort-webgpu, next simd", onProcessor, `100 x ${right}`],
      ],
    ],
    [
      "goes to the next engine where there is no other device, with what is decoded already",
      "lose-for-good",
      "simd",
      [onGpu, right, gone, "ort-webgpu, next simd", onProcessor, `100 x ${right}`],
    ],
    [
      "is tried again one by one where the engine was named",
      "lose,lose",
      "",
      [onGpu, right, replaced, `100 x ${right}`, lostAgain, onGpu, `100 x ${right}`],
    ],
  ])(
    "a batch in the midst of which the device is lost %s",
    async (_, requests, fallbacks, story) => {
      const args = [requests, fallbacks, "100"];
      const { stdout, stderr } = await runPortico(args, losable, loseDevice);
      expect(stderr).toBe("");
      const told = JSON.parse(stdout) as { story: string[] };
      expect(told.story).toEqual(story);
    },
    180_000,
  );

  test("can be ended at any moment of a picture and of a start, as can their process", async () => {
    const { code, stdout, stderr } = await runPortico(
      ["200", "1000", "4000", "4000"],
      env ?? {},
      "tools/gpu/end-early.ts",
    );
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: "ended\nended\nended\n", stderr: "" });
  }, 300_000);
});
