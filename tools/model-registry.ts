import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { create } from "tar";
import { afterAll, afterEach, beforeAll, beforeEach, expect } from "vitest";
import type { ModelManifest, NpmModelSource } from "../src/embed/model-manifest.ts";
import { EmbedError } from "../src/errors.ts";
import { prepareModel } from "../src/node/model/model-store.ts";
import { packTestModel, type TestModel } from "./pack-test-model.ts";

// Serves a package whose model is one of the golden networks; everything else is the real thing.

const goldenNets = fileURLToPath(new URL("../fixtures/golden/convert/", import.meta.url));
const storeModule = new URL("../src/node/model/model-store.ts", import.meta.url).href;
const padding = 3_000_000;
/** Bytes of the tarball that come before it hangs or breaks. */
export const half = 1_500_000;

export interface ModelRegistry {
  /** Holds everything below; gone after the tests. */
  work: string;
  tarball: Buffer;
  /** A tarball of something else. */
  otherTarball: Buffer;
  manifest: ModelManifest;
  model: TestModel;
  source: NpmModelSource;
  server: Server;
  /** How it answers the next request for the tarball; whole, unless a test says otherwise. */
  answer: (response: ServerResponse) => void;
  tarballRequests: number;
  /** What it says of the tarball. */
  integrity: string;
  /** A new one for each test. */
  cacheDir: string;
}

/** Filled before each test of a file that calls `useModelRegistry`. */
export const registry = {} as ModelRegistry;

const environment = { ...process.env };

/** To be called beside the tests of a file: the registry runs as long as they do. */
export function useModelRegistry(): void {
  beforeAll(async () => {
    registry.work = await mkdtemp(join(tmpdir(), "portico-store-"));
    await makeTarball();
    await writeFile(
      join(registry.work, "prepare.mjs"),
      `import { prepareModel } from ${JSON.stringify(storeModule)};
    const { manifest, cacheDir } = JSON.parse(process.env.TINY);
    await prepareModel(manifest, { cacheDir, onProgress: (event) => console.log(JSON.stringify(event)) });`,
    );
    await startRegistry();
  });

  afterAll(async () => {
    registry.server.closeAllConnections();
    registry.server.close();
    await rm(registry.work, { recursive: true, force: true });
  });

  beforeEach(async () => {
    registry.cacheDir = await mkdtemp(join(registry.work, "cache-"));
    registry.tarballRequests = 0;
    registry.answer = sendWhole;
    registry.integrity = registry.source.integrity;
    // npm's own configuration, and nothing of the user's.
    await writeFile(join(registry.cacheDir, "npmrc"), "");
    // Hints name the command as it is once installed.
    delete process.env.npm_lifecycle_event;
    Object.assign(process.env, {
      npm_config_registry: `http://127.0.0.1:${(registry.server.address() as AddressInfo).port}/`,
      npm_config_cache: join(registry.cacheDir, "npm"),
      npm_config_userconfig: join(registry.cacheDir, "npmrc"),
      npm_config_globalconfig: join(registry.cacheDir, "npm-globalrc"),
    });
  });

  afterEach(() => {
    for (const name of Object.keys(process.env)) if (!(name in environment)) delete process.env[name];
    Object.assign(process.env, environment);
  });
}

/** Packs the model, and as much noise as takes some time to send. */
async function makeTarball() {
  const modelJson = JSON.parse(await readFile(join(goldenNets, "residual-block.model.json"), "utf8"));
  registry.model = {
    name: "tiny",
    modelJson,
    shard: { name: "residual-block.bin", bytes: await readFile(join(goldenNets, "residual-block.bin")) },
    outputLayer: modelJson.modelTopology.model_config.config.output_layers[0][0],
    side: 8,
    // Large enough that a transfer takes several pieces; random, so that gzip does not shrink it.
    padding: noise(padding),
  };
  const packed = await packTestModel(registry.work, registry.model);
  registry.manifest = packed.manifest;
  registry.source = packed.source;
  registry.tarball = await readFile(join(registry.work, "tiny.tgz"));
  const other = join(registry.work, "other.tgz");
  await create({ gzip: true, file: other, cwd: join(registry.work, "tiny"), portable: true }, [
    "package/padding.bin",
  ]);
  registry.otherTarball = await readFile(other);
}

function noise(length: number): Buffer {
  const pieces = Array.from({ length: Math.ceil(length / 64) }, (_, i) =>
    createHash("sha512").update(String(i)).digest(),
  );
  return Buffer.concat(pieces).subarray(0, length);
}

async function startRegistry() {
  registry.server = createServer((request, response) => {
    if (request.url === "/tiny_model") {
      const dist = { tarball: `http://${request.headers.host}/tiny_model/-/tiny_model-1.0.0.tgz` };
      const version = {
        name: "tiny_model",
        version: "1.0.0",
        dist: { ...dist, integrity: registry.integrity },
      };
      response.setHeader("content-type", "application/json");
      response.end(
        JSON.stringify({
          name: "tiny_model",
          "dist-tags": { latest: "1.0.0" },
          versions: { "1.0.0": version },
        }),
      );
    } else if (request.url === "/tiny_model/-/tiny_model-1.0.0.tgz") {
      registry.tarballRequests++;
      registry.answer(response);
    } else {
      response.writeHead(404).end();
    }
  });
  registry.server.listen(0, "127.0.0.1");
  await once(registry.server, "listening");
}

/** An answer for the tarball. */
export function sendWhole(response: ServerResponse) {
  response.writeHead(200, { "content-length": registry.tarball.length }).end(registry.tarball);
}

/** One that never ends. */
export function sendHalfThenHang(response: ServerResponse) {
  response.writeHead(200, { "content-length": registry.tarball.length });
  response.write(registry.tarball.subarray(0, half));
}

/** One whose connection breaks. */
export function sendHalfThenBreak(response: ServerResponse) {
  response.writeHead(200, { "content-length": registry.tarball.length });
  response.write(registry.tarball.subarray(0, half), () => setTimeout(() => response.destroy(), 50));
}

/** One with a changed bit. */
export function sendTampered(response: ServerResponse) {
  const tampered = Buffer.from(registry.tarball);
  tampered[tampered.length - 100]! ^= 1;
  response.writeHead(200, { "content-length": tampered.length }).end(tampered);
}

export const prepare = (options: Parameters<typeof prepareModel>[1] = {}) =>
  prepareModel(registry.manifest, { cacheDir: registry.cacheDir, ...options });

export async function failure(work: Promise<unknown>): Promise<EmbedError> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(EmbedError);
  return error as EmbedError;
}

/** What is made, and where a tarball is looked for that was brought by hand. */
export const modelFile = () =>
  join(registry.cacheDir, "tiny", registry.manifest.onnx.sha256.slice(0, 16), "model.onnx");
export const handFile = () => join(registry.cacheDir, "downloads", "tiny_model-1.0.0.tgz");

/** No temporary file, no lock: what lies in the cache but npm's own. */
export async function filesInCache() {
  const entries = await readdir(registry.cacheDir, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(registry.cacheDir.length + 1))
    .filter((name) => !name.startsWith("npm"));
}

export async function placeByHand(bytes: Uint8Array) {
  await mkdir(join(registry.cacheDir, "downloads"), { recursive: true });
  await writeFile(handFile(), bytes);
}
