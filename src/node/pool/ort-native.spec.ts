import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { requireOrtNative } from "../../../tools/require-ort-native.ts";
import { runPortico } from "../../../tools/run-portico.ts";
import { type PorticoProcess, startPortico } from "../../../tools/start-portico.ts";
import { compareVectors } from "../../embed/compare-vectors.ts";
import type { EmbedResult } from "../../embed/embedder.ts";
import { Operator } from "../../gen/omnisearch/operator_pb.ts";
import { EmbeddingService } from "../../gen/portico/v1/embedding_pb.ts";
import { defaultImageLimits } from "../../image/pixels.ts";
import { findModelManifest } from "../model/model-catalog.ts";
import { prepareModel } from "../model/model-store.ts";
import { readModel } from "../model/read-model.ts";
import { readVectorGolden } from "../model/vector-golden.ts";
import { packageFile } from "../package-file.ts";
import { defaultQueueLimits } from "./job-queue.ts";
import { loadCodecs } from "./load-codecs.ts";
import { loadKernels } from "./load-kernels.ts";
import { createWorkerPool, type PoolEvent, type WorkerPool } from "./worker-pool.ts";
import type { WorkerPoolOptions } from "./worker-pool-options.ts";
import type { WorkerSetup } from "./worker-protocol.ts";

const folder = requireOrtNative();
const env = { NODE_PATH: folder ?? "" };
const photo = await readVectorGolden("photo/locomotion-house-cat.jpg");
const selfCheck = await readVectorGolden("photo/allium-oreophilum.jpg");

let server: PorticoProcess | undefined;
let pool: WorkerPool | undefined;
afterEach(() => Promise.all([server?.stop("SIGKILL"), pool?.dispose()]));

describe.skipIf(folder === undefined)("ort-native as a command", () => {
  test("every golden is right", async () => {
    const { code, stdout, stderr } = await runPortico(["verify", "--engine", "ort-native"], env);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(/^resnet50 on ort-native, against real Keras\n/);
    expect(stdout).toMatch(/\n209 passed, 0 differ, 0 failed; largest error \d\.\d\de-\d\n$/);
  }, 300_000);

  test("auto takes it where it is installed, with several threads too; the server says so and stops in peace", async () => {
    server = await startPortico({ args: ["--threads", "2", "--workers", "1"], env });
    expect(server.log.find(({ msg }) => msg === "ready")).toMatchObject({ engine: "ort-native" });
    const metrics = async () => (await fetch(`http://${server?.address}/metrics`)).text();
    expect(await metrics()).toContain('engine="ort-native"');
    const transport = createGrpcTransport({ baseUrl: `http://${server.address}` });
    const { model } = await createClient(EmbeddingService, transport).getModel({});
    expect(model?.engine).toBe("ort-native");
    const datas = Array<string>(8).fill(Buffer.from(photo.bytes).toString("base64"));
    const call = createClient(Operator, transport).execute({ datas });
    // The request for metrics, too.
    await expect.poll(metrics, { interval: 5 }).toContain("\nportico_requests_in_flight 2\n");
    const stopped = server.stop("SIGTERM");
    expect((await call).nums).toBe(8n);
    await expect(stopped).resolves.toBe(0);
  });

  test("an interrupted command ends as any other", async () => {
    const args = ["src/cli/portico.ts", "embed", "fixtures/images/photo", "--engine", "ort-native"];
    const child = spawn(process.execPath, args, {
      cwd: packageFile("."),
      env: { ...process.env, ...env },
      stdio: ["ignore", "pipe", "inherit"],
    });
    // From the first vector on, one picture or another is in the engine.
    await once(child.stdout, "data");
    child.stdout.resume();
    child.kill("SIGINT");
    await expect(once(child, "exit")).resolves.toEqual([130, null]);
  });
});

describe.skipIf(folder === undefined)("workers with ort-native", () => {
  let setup: WorkerSetup;
  let events: PoolEvent[] = [];
  beforeAll(async () => {
    // Threads that are started from now on find the package.
    process.env.NODE_PATH = folder;
    const manifest = await findModelManifest("resnet50");
    setup = {
      engine: "ort-native",
      onnx: await readModel(await prepareModel(manifest), manifest),
      codecs: await loadCodecs(),
      kernels: await loadKernels(),
      selfCheck,
      preprocess: manifest.preprocess,
      limits: defaultImageLimits,
      threads: 1,
    };
    return () => {
      delete process.env.NODE_PATH;
    };
  });

  function open(options: Partial<WorkerPoolOptions> = {}): WorkerPool {
    events = [];
    pool = createWorkerPool({
      workers: 2,
      queue: defaultQueueLimits,
      loadSetup: async () => setup,
      onEvent: (event) => events.push(event),
      ...options,
    });
    return pool;
  }

  const embed = (embedder: WorkerPool) => embedder.embed(photo.bytes.slice());
  const reasonOf = (result: EmbedResult) => (result.ok ? "OK" : result.error.reason);

  test("give the right vectors, and can be ended at any moment of a picture and of a start", async () => {
    for (const waitMs of [0, 50, 100, 150, 200]) {
      const embedder = open();
      await sleep(waitMs * 2);
      if (waitMs > 50) {
        const result = await embed(embedder);
        if (!result.ok) throw result.error;
        expect(compareVectors(result.vector, photo.vector).maxAbsError).toBeLessThanOrEqual(photo.tolerance);
      }
      const held = Array.from({ length: 6 }, () => embed(embedder));
      await sleep(waitMs);
      await embedder.dispose();
      for (const result of await Promise.all(held)) expect(reasonOf(result)).toMatch(/^(OK|SHUTTING_DOWN)$/);
    }
  });

  test("are replaced in the midst of a picture that takes too long", async () => {
    const patient = open({ workers: 1 });
    const times: number[] = [];
    for (const _ of [1, 2, 3, 4]) {
      const startedAt = performance.now();
      await embed(patient);
      times.push(performance.now() - startedAt);
    }
    await patient.dispose();
    // On this machine no picture is done by then.
    const embedder = open({ workers: 1, itemTimeoutMs: Math.ceil(Math.min(...times) / 2) });
    await embedder.ready;
    for (const _ of [1, 2, 3]) expect(reasonOf(await embed(embedder))).toMatch(/^(OK|IMAGE_TOO_SLOW)$/);
    await expect.poll(() => embedder.isReady(), { timeout: 30_000 }).toBe(true);
    expect(events.map(({ kind }) => kind)).toContain("worker-lost");
  });

  test("refuse a file that is no model", async () => {
    const embedder = open({ loadSetup: async () => ({ ...setup, onnx: new Uint8Array(64) }) });
    await expect(embedder.ready).rejects.toMatchObject({
      reason: "MODEL_CORRUPT",
      message: "onnxruntime-node cannot load this model of 64 bytes",
    });
  });

  test("say what to install, where the package cannot be loaded", async () => {
    process.env.NODE_PATH = "";
    const embedder = open();
    await expect(embedder.ready).rejects.toMatchObject({
      reason: "CONFIG_INVALID",
      message: "--engine ort-native cannot load its package: Cannot find module 'onnxruntime-node'",
    });
    process.env.NODE_PATH = folder;
  });
});
