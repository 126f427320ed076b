import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, open, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport } from "@connectrpc/connect-node";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { brokenOrtNativeWhy, writeBrokenOrtNative } from "../../tools/broken-ort-native.ts";
import { freePort, silentPort } from "../../tools/loopback-port.ts";
import { runPortico } from "../../tools/run-portico.ts";
import { type PorticoProcess, startPortico } from "../../tools/start-portico.ts";
import { Health, HealthCheckResponse_ServingStatus } from "../gen/grpc/health/v1/health_pb.ts";
import { Operator } from "../gen/omnisearch/operator_pb.ts";
import { findModelManifest } from "../node/model/model-catalog.ts";
import { prepareModel } from "../node/model/model-store.ts";

let folder: string;
let photo: string;
let server: PorticoProcess | undefined;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "portico-serve-"));
  photo = await readFile(
    new URL("../../fixtures/images/photo/locomotion-house-cat.jpg", import.meta.url),
    "base64",
  );
});
afterEach(() => server?.stop("SIGKILL"));
afterAll(() => rm(folder, { recursive: true }));

const clientOf = (address: string) =>
  createClient(Operator, createGrpcTransport({ baseUrl: `http://${address}` }));

const codeOf = (call: Promise<unknown>) =>
  call.then(
    () => "ok",
    (error: unknown) => Code[ConnectError.from(error).code],
  );

describe("portico serve", () => {
  test("answers at once, and holds what needs the model", async () => {
    const { listener, port } = await silentPort();
    server = await startPortico({
      args: ["--cache", join(folder, "empty"), "--allow-private"],
      env: { npm_config_registry: `http://127.0.0.1:${port}/`, npm_config_cache: join(folder, "npm") },
      until: "listening; the model is loading",
    });
    expect(server.log).toContainEqual(
      expect.objectContaining({
        level: 40,
        msg: "--allow-private: callers can fetch from any private address; --allow-hosts would name the hosts",
      }),
    );
    const client = clientOf(server.address);
    await expect(client.identity({})).resolves.toMatchObject({
      name: "resnet50_encoder",
      endpoint: server.address,
    });
    await expect(codeOf(client.healthy({}))).resolves.toBe("Unavailable");
    await expect(client.execute({})).resolves.toMatchObject({ nums: 0n });
    await expect(codeOf(client.execute({ datas: [photo] }, { timeoutMs: 300 }))).resolves.toBe(
      "DeadlineExceeded",
    );
    const health = createClient(Health, createGrpcTransport({ baseUrl: `http://${server.address}` }));
    await expect(health.check({})).resolves.toMatchObject({
      status: HealthCheckResponse_ServingStatus.NOT_SERVING,
    });
    listener.close();
  });

  test("listens on OP_ENDPOINT's port on all interfaces and echoes it", async () => {
    const port = await freePort();
    server = await startPortico({ env: { OP_ENDPOINT: `192.0.2.85:${port}` } });
    expect(server.log[0]).toMatchObject({ endpoint: `192.0.2.85:${port}` });
    for (const host of ["127.0.0.1", "127.0.0.2"]) {
      await expect(clientOf(`${host}:${port}`).identity({})).resolves.toMatchObject({
        endpoint: `192.0.2.85:${port}`,
      });
    }
    await expect(clientOf(`127.0.0.1:${port}`).healthy({})).resolves.toMatchObject({ healthy: "healthy" });
  });

  test("says where, with which model and engine, and a line to try", async () => {
    server = await startPortico();
    const ready = server.log.find(({ msg }) => msg === "ready");
    expect(ready).toMatchObject({
      url: `http://${server.address}`,
      model: "resnet50",
      engine: "simd",
      workers: expect.stringMatching(/^\d \(.+\)$/),
      startMs: expect.any(Number),
      maxAbsError: expect.any(Number),
    });
    expect(server.log.map(({ msg }) => msg)).not.toContain("a worker passed its self-check");
    await expect.poll(() => server?.stderr()).toMatch(/^Try it:\n.+\n$/);
    // The test runs in the folder that the server was started in, so the line works as it is.
    const [, line] = server.stderr().split("\n");
    const { stdout } = await promisify(execFile)("sh", ["-c", line as string]);
    const { nums, vectors } = JSON.parse(stdout) as { nums: string; vectors: { element: number[] }[] };
    expect(nums).toBe("1");
    expect(vectors[0]?.element).toHaveLength(2048);
  });

  test("goes on when nobody reads its stderr", async () => {
    server = await startPortico({ args: ["--workers", "1"], until: "listening; the model is loading" });
    server.child.stderr?.destroy();
    const isReady = () => server?.log.some(({ msg }) => msg === "ready");
    await expect.poll(isReady, { timeout: 30_000 }).toBe(true);
    // It says there what to try once it is ready, which comes to nobody.
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect((await fetch(`http://${server.address}/readyz`)).status).toBe(200);
    await expect(server.stop()).resolves.toBe(0);
  });

  test("says which engine it passed over, and why", async () => {
    const env = { NODE_PATH: await writeBrokenOrtNative(folder) };
    server = await startPortico({ args: ["--workers", "1"], env });
    expect(server.log).toContainEqual(
      expect.objectContaining({
        level: 40,
        engine: "ort-native",
        next: "simd",
        reason: "CONFIG_INVALID",
        msg: `an engine was passed over: ${brokenOrtNativeWhy}`,
      }),
    );
    expect(server.log.find(({ msg }) => msg === "ready")).toMatchObject({ engine: "simd" });
    const named = await runPortico(["serve", "--engine", "ort-native", "--listen", "127.0.0.1:0"], env);
    expect({ code: named.code, stderr: named.stderr }).toEqual({
      code: 2,
      stderr: `portico: ${brokenOrtNativeWhy}\n`,
    });
  });

  test.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)("%s before it is ready gives exit code %i", async (signal, code) => {
    const { listener, port } = await silentPort();
    server = await startPortico({
      args: ["--cache", join(folder, "empty")],
      env: { npm_config_registry: `http://127.0.0.1:${port}/`, npm_config_cache: join(folder, "npm") },
      until: "listening; the model is loading",
    });
    await expect(server.stop(signal)).resolves.toBe(code);
    listener.close();
  });

  test("SIGTERM lets calls in flight end, over gRPC and over HTTP/1.1", async () => {
    server = await startPortico();
    const connect = createConnectTransport({ baseUrl: `http://${server.address}`, httpVersion: "1.1" });
    const photos = Array<string>(4).fill(photo);
    const calls = [
      clientOf(server.address).execute({ datas: photos }),
      createClient(Operator, connect).execute({ datas: photos }),
    ];
    const metrics = async () => (await fetch(`http://${server?.address}/metrics`)).text();
    // The request for metrics, too.
    await expect.poll(metrics, { interval: 5 }).toContain("\nportico_requests_in_flight 3\n");
    const stopped = server.stop("SIGTERM");
    for (const reply of await Promise.all(calls)) expect(reply.nums).toBe(4n);
    await expect(stopped).resolves.toBe(0);
    await expect(codeOf(clientOf(server.address).identity({}))).resolves.toBe("Unavailable");
  });
});

describe("portico serve ends with one line", () => {
  test.each([
    {
      name: "a wrong OP_ENDPOINT",
      args: [],
      env: { OP_ENDPOINT: "http://a:1" },
      stderr: 'portico: OP_ENDPOINT: expected HOST:PORT, got "http://a:1"; leave out http://\n',
    },
    {
      name: "a model that does not exist",
      args: ["--model", "resnet5"],
      env: { PORTICO_MODELS: "/nowhere" },
      stderr:
        'portico: there is no model "resnet5"; known models: densenet121, inception_v3, resnet101, resnet50, vgg16, vgg19, xception; choose one with --model or PORTICO_MODEL; imported ones are looked for in /nowhere (--models-dir or PORTICO_MODELS)\n',
    },
    {
      name: "a wrong entry of --allow-hosts",
      args: ["--listen", "127.0.0.1:0", "--allow-hosts", "a:b"],
      env: {},
      stderr:
        'portico: expected HOST or HOST:PORT in --allow-hosts (an IPv6 address in brackets), got "a:b"\n',
    },
    {
      name: "a wrong number",
      args: ["--workers", "0"],
      env: {},
      stderr:
        'portico: --workers: expected an integer from 1 to 64, got "0"\n(npm run portico -- COMMAND --help lists the options)\n',
    },
    {
      name: "a worker that could not even be idle",
      args: ["--worker-max-memory-bytes", "268435455"],
      env: {},
      stderr:
        'portico: --worker-max-memory-bytes: expected at least 268435456 (256 MiB; an idle worker takes 246 MiB), got "268435455"\n(npm run portico -- COMMAND --help lists the options)\n',
    },
    {
      name: "--urls off and --allow-private, without a warning first",
      args: ["--urls", "off", "--allow-private"],
      env: {},
      stderr: "portico: expected --allow-private with --urls public only, got --urls off\n",
    },
    {
      name: "--urls off and --allow-hosts",
      args: ["--urls", "off", "--allow-hosts", "minio"],
      env: {},
      stderr: "portico: expected --allow-hosts with --urls public or listed, got --urls off\n",
    },
    {
      name: "--urls listed without a host",
      args: ["--urls", "listed", "--allow-hosts", ""],
      env: {},
      stderr: "portico: expected at least one host in --allow-hosts with --urls listed, got none\n",
    },
    {
      name: "an engine whose package is missing",
      args: ["--engine", "ort-native"],
      env: {},
      stderr:
        "portico: --engine ort-native needs a package that is not installed; install it with: npm install --ignore-scripts onnxruntime-node@1.30.0\n",
    },
    {
      name: "threads that the engine does not have",
      args: ["--engine", "simd", "--threads", "2"],
      env: {},
      stderr:
        "portico: expected --threads 1 with --engine simd, got --threads 2; --workers uses more cores\n",
    },
    {
      name: "an engine that does not exist",
      args: ["--engine", "gpu"],
      env: {},
      stderr:
        "portico: option '--engine <name>' argument 'gpu' is invalid. Allowed choices are ort-wasm, simd, ort-native, ort-webgpu, auto.\n(npm run portico -- COMMAND --help lists the options)\n",
    },
  ])("on $name", async ({ args, env, stderr }) => {
    const run = await runPortico(["serve", ...args], { npm_lifecycle_event: "portico", ...env });
    expect(run).toEqual({ code: 2, stdout: "", stderr });
  });

  test("on a port that is taken", async () => {
    const { listener, port } = await silentPort();
    const run = await runPortico(["serve", "--listen", `127.0.0.1:${port}`]);
    listener.close();
    expect({ code: run.code, stderr: run.stderr }).toEqual({
      code: 2,
      stderr: `portico: expected port ${port} on 127.0.0.1 to be free, but something listens there already; choose another with --listen HOST:PORT or the environment variable OP_ENDPOINT\n`,
    });
  });

  test("on a model file that was tampered with", async () => {
    const manifest = await findModelManifest("resnet50");
    const cache = join(folder, "tampered");
    const prepared = await prepareModel(manifest);
    const copy = join(cache, "resnet50", manifest.onnx.sha256.slice(0, 16), "model.onnx");
    await mkdir(join(copy, ".."), { recursive: true });
    await cp(prepared, copy);
    const file = await open(copy, "r+");
    await file.write(Buffer.from([0xff]), 0, 1, 40_000_000);
    await file.close();
    const run = await runPortico(["serve", "--listen", "127.0.0.1:0", "--cache", cache]);
    expect(run.code).toBe(1);
    expect(run.stderr).toMatch(
      new RegExp(`^portico: .*${copy}.*expected .*${manifest.onnx.sha256}.*portico.* prepare.*--force.*\n$`),
    );
  });
});
