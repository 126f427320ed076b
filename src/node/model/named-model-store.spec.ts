import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { type ReleaseHost, sendFile, startReleaseHost } from "../../../tools/models/release-host.ts";
import {
  describeSmallModel,
  otherSmallWeightsFile,
  smallWeightsFile,
} from "../../../tools/models/small-model.ts";
import type { EmbedError } from "../../errors.ts";
import { completeManifest, findCompleteManifest, type PrepareEvent, prepareAndTell } from "./model-store.ts";
import { recordFile } from "./prepared-record.ts";
import { readModel } from "./read-model.ts";

// Models whose converted file nobody knows beforehand.

const md5 = (bytes: Uint8Array) => createHash("md5").update(bytes).digest("hex");
const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
const weights = await readFile(smallWeightsFile);
const others = await readFile(otherSmallWeightsFile);
const environment = { ...process.env };

let work: string;
let host: ReleaseHost;
let cacheDir: string;
let url: string;

beforeAll(async () => {
  work = await mkdtemp(join(tmpdir(), "portico-named-store-"));
  host = await startReleaseHost({
    "/small.h5": sendFile(smallWeightsFile, weights.length),
    "/other.h5": sendFile(otherSmallWeightsFile, others.length),
  });
  url = `${host.url}small.h5`;
  for (const name of Object.keys(process.env)) if (/proxy$/i.test(name)) delete process.env[name];
  process.env.npm_config_userconfig = join(work, "no-such-npmrc");
  delete process.env.npm_lifecycle_event;
});
afterAll(async () => {
  process.env = environment;
  host.close();
  await rm(work, { recursive: true, force: true });
});
beforeEach(async () => {
  cacheDir = await mkdtemp(join(work, "cache-"));
  host.requests.length = 0;
});

const failure = async (work: Promise<unknown>) =>
  (await work.then(
    () => undefined,
    (reason: unknown) => reason,
  )) as EmbedError;
test("the first preparing finds out what there is to know; it is recorded and fetched once", async () => {
  const model = await describeSmallModel(url);
  expect(await findCompleteManifest(model, cacheDir)).toBeUndefined();
  const events: PrepareEvent[] = [];
  const { file, manifest, record } = await prepareAndTell(model, {
    cacheDir,
    onProgress: (event) => events.push(event),
  });
  expect(new Set(events.map(({ kind }) => kind))).toEqual(new Set(["downloading", "converting"]));
  expect(record).toEqual({
    weights: { from: url, bytes: weights.length, sha256: sha256(weights) },
    onnx: manifest.onnx,
    fingerprint: manifest.fingerprint,
  });
  expect(sha256(await readModel(file, manifest))).toBe(manifest.onnx.sha256);
  // What was fetched is not kept.
  expect(await readdir(join(cacheDir, "downloads"))).toEqual([]);

  const silent = { cacheDir, onProgress: () => expect.unreachable() };
  expect(await prepareAndTell(model, silent)).toEqual({ file, manifest, record });
  expect(await completeManifest(model, silent)).toEqual(manifest);
  expect(await findCompleteManifest(model, cacheDir)).toEqual(manifest);
  expect(host.requests).toEqual(["/small.h5"]);
  // What is converted otherwise has a record of its own.
  const other = { ...model, preprocess: { ...model.preprocess, mode: "caffe" } as const };
  expect(await findCompleteManifest(other, cacheDir)).toBeUndefined();
});

test("a wrong hash: both are told, and nothing is kept", async () => {
  const model = await describeSmallModel(url, { md5: "0".repeat(32) });
  const error = await failure(prepareAndTell(model, { cacheDir }));
  expect(error.reason).toBe("MODEL_CORRUPT");
  expect(error.message).toBe(
    `${url} has 28544 bytes with md5-${md5(weights)}; expected small.h5 of 28544 bytes with md5-${"0".repeat(32)}; nothing was kept`,
  );
  expect(await readdir(cacheDir, { recursive: true })).toEqual(["downloads"]);
});

test("no source can be reached: what each said, and how to bring the file", async () => {
  const [source] = (await describeSmallModel(`${host.url}gone/small.h5`)).sources;
  const second = { ...source, url: "http://127.0.0.1:1/small.h5" };
  const model = { ...(await describeSmallModel(url)), sources: [source, second] };
  const events: PrepareEvent[] = [];
  const error = await failure(prepareAndTell(model, { cacheDir, onProgress: (event) => events.push(event) }));
  expect(error.reason).toBe("MODEL_UNREACHABLE");
  expect(error.message).toBe(
    `${source.url} cannot be fetched: HTTP status 404; ${second.url} cannot be fetched: connect ECONNREFUSED 127.0.0.1:1; to bring it by hand, run \`curl -LO ${source.url}\` on a machine with network, and put small.h5 into ${cacheDir}/downloads or name it: portico prepare small --cache ${cacheDir} --from FILE`,
  );
  expect(events).toContainEqual({
    kind: "unreachable",
    message: `${source.url} cannot be fetched: HTTP status 404`,
  });
});

test("the file is brought by hand: put into the cache, or named", async () => {
  const model = await describeSmallModel("https://example.invalid/small.h5");
  await mkdir(join(cacheDir, "downloads"));
  const file = join(cacheDir, "downloads", "small.h5");
  await writeFile(file, weights);
  const placed = await prepareAndTell(model, { cacheDir });
  expect(placed.record?.weights.from).toBe(file);
  expect(Buffer.compare(await readFile(file), weights)).toBe(0);
  const named = await prepareAndTell(model, { cacheDir: join(cacheDir, "other"), from: smallWeightsFile });
  expect(named.manifest).toEqual(placed.manifest);
  const wrong = await failure(prepareAndTell(model, { cacheDir, from: otherSmallWeightsFile, force: true }));
  expect(wrong.message).toBe(
    `${otherSmallWeightsFile} has ${others.length} bytes with md5-${md5(others)}; expected small.h5 of 28544 bytes with md5-${md5(weights)}; give another file with --from, or leave --from out to have it fetched`,
  );
});

test("a mirror is asked instead, and its file must be the same", async () => {
  const model = await describeSmallModel("https://example.invalid/small.h5");
  const { record } = await prepareAndTell(model, { cacheDir, from: url });
  expect(record?.weights.from).toBe(url);
  const error = await failure(prepareAndTell(model, { cacheDir, from: `${host.url}other.h5`, force: true }));
  expect(error.reason).toBe("CONFIG_INVALID");
  expect(error.message).toBe(`--from ${host.url}other.h5: expected a URL that ends in small.h5`);
  const unsafe = await failure(
    prepareAndTell(model, { cacheDir, from: "http://example.org/small.h5", force: true }),
  );
  expect(unsafe.message).toBe("--from http://example.org/small.h5: expected a file, or a URL with https");
});

test("made again it must be the same: other weights of the same MD5 are found", async () => {
  const model = await describeSmallModel(url);
  await prepareAndTell(model, { cacheDir });
  // A record that says otherwise stands for a file that was made to have this MD5.
  const record = await recordFile(cacheDir, model);
  await writeFile(record, (await readFile(record, "utf8")).replace(sha256(weights), "0".repeat(64)));
  const error = await failure(prepareAndTell(model, { cacheDir, force: true }));
  expect(error.reason).toBe("MODEL_CORRUPT");
  expect(error.message).toBe(
    `model small: expected weights with sha256 ${"0".repeat(64)} as when it was first prepared, got ${sha256(weights)} from ${url}; if the first was wrong, delete ${record}`,
  );
});

test.each(["no JSON", "{}", '{"prepared":"portico-prepared/2"}'])("a broken record: %s", async (text) => {
  const model = await describeSmallModel(url);
  const record = await recordFile(cacheDir, model);
  await mkdir(join(cacheDir, "small"));
  await writeFile(record, text);
  const error = await failure(completeManifest(model, { cacheDir }));
  expect(error.reason).toBe("MODEL_CORRUPT");
  expect(error.message).toBe(`${record} is no record of a prepared model; delete it`);
});

test("a converted file that was lost is made again from the record's weights", async () => {
  const model = await describeSmallModel(url);
  const manifest = await completeManifest(model, { cacheDir });
  const { file } = await prepareAndTell(manifest, { cacheDir });
  await rm(file);
  expect(await completeManifest(model, { cacheDir })).toEqual(manifest);
  expect((await prepareAndTell(manifest, { cacheDir })).file).toBe(file);
  expect(host.requests).toHaveLength(2);
  await readModel(file, manifest);
});
