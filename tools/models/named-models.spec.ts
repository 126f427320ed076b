import { createHash } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { compareVectors } from "../../src/embed/compare-vectors.ts";
import { normaliseL2 } from "../../src/embed/normalise.ts";
import { packageFile } from "../../src/node/package-file.ts";
import { operatorOverGrpcJs } from "../faults/operator-over-grpc-js.ts";
import { decodeVector } from "../networks/network-goldens.ts";
import { runPortico } from "../run-portico.ts";
import { type PorticoProcess, startPortico } from "../start-portico.ts";
import { copyPackage } from "./copy-package.ts";
import { type ReleaseHost, redirectTo, sendFile, startReleaseHost } from "./release-host.ts";
import { type Release, writeRelease } from "./write-release.ts";

// From the official URL to a vector over gRPC, with files of the real layout and random weights. Only the manifest's URLs,
// size and MD5 are others.

const names = ["vgg19"] as const;
const dimensions = { vgg19: 512, xception: 2048 };

describe.each(names)("%s", (name) => {
  let work: string;
  let release: Release;
  let host: ReleaseHost;
  let portico: string;
  let cache: string;
  const run = (...args: string[]) => runPortico(args, { PORTICO_CACHE: cache }, portico);

  beforeAll(async () => {
    work = await mkdtemp(join(tmpdir(), "portico-named-"));
    cache = join(work, "cache");
    const manifest = JSON.parse(await readFile(packageFile(`models/${name}/manifest.json`), "utf8"));
    const fileName = basename(manifest.sources[0].url);
    release = await writeRelease(join(work, fileName), name);
    host = await startReleaseHost({
      [`/store/${fileName}`]: redirectTo(`/elsewhere/${fileName}`),
      [`/elsewhere/${fileName}`]: sendFile(release.file, release.bytes),
    });
    const { md5, bytes } = release;
    // The same weights take the same room in the real file: the layout is the one that it has.
    const { sources } = manifest as { sources: readonly { bytes: number }[] };
    for (const source of sources) expect(Math.abs(bytes / source.bytes - 1)).toBeLessThan(0.01);
    portico = await copyPackage(join(work, "package"), {
      [name](changed) {
        changed.sources.forEach((source, i) => {
          Object.assign(source, { url: `${host.url}${["gone", "store"][i]}/${fileName}`, md5, bytes });
        });
      },
    });
  });
  afterAll(async () => {
    host?.close();
    if (work) await rm(work, { recursive: true, force: true });
  });

  test("prepare tries one source after the other, and finds out what nobody knew", async () => {
    const { code, stdout, stderr } = await run("prepare", name);
    const file = basename(release.file);
    const megabytes = (release.bytes / 1e6).toFixed(1);
    expect(stderr.split("\n")).toEqual([
      `${name}: fetching ${host.url}gone/${file}, ${megabytes} MB`,
      `${name}: ${host.url}gone/${file} cannot be fetched: HTTP status 404; trying the next source`,
      `${name}: fetching ${host.url}store/${file}, ${megabytes} MB`,
      expect.stringMatching(/the hash is right; converting to ONNX$/),
      "",
    ]);
    expect(code).toBe(0);
    expect(host.requests).toEqual([`/gone/${file}`, `/store/${file}`, `/elsewhere/${file}`]);
    const sha256 = createHash("sha256")
      .update(await readFile(release.file))
      .digest("hex");
    expect(stdout).toContain(`  source        ${host.url}store/${file}\n  its sha256    ${sha256}\n`);
  });

  test("a second prepare fetches nothing and tells the same", async () => {
    host.requests.length = 0;
    const { code, stdout, stderr } = await run("prepare", name, "--json");
    expect({ code, stderr, requests: host.requests }).toEqual({ code: 0, stderr: "", requests: [] });
    const { file, onnx, vectorSpace, weights } = JSON.parse(stdout);
    const bytes = await readFile(file);
    expect(onnx).toEqual({ sha256: createHash("sha256").update(bytes).digest("hex"), bytes: bytes.length });
    expect(vectorSpace).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(weights).toMatchObject({ bytes: release.bytes });
  });

  describe("served", () => {
    let server: PorticoProcess;
    beforeAll(async () => {
      const args = ["--model", name, "--workers", "1"];
      server = await startPortico({ args, env: { PORTICO_CACHE: cache }, entry: portico });
    });
    afterAll(() => server?.stop());

    test("its vectors are real Keras's", async () => {
      const client = operatorOverGrpcJs(server.address);
      try {
        expect(await client.identity({})).toMatchObject({
          name,
          type: "encoder",
          input: "image",
          output: "vector",
          dimension: String(dimensions[name]),
          metricType: "L2",
        });
        for (const { image, vector } of release.golden.vectors) {
          const picture = await readFile(packageFile(`fixtures/images/${image}`), "base64");
          const { vectors } = await client.execute({ datas: [picture] });
          expect(vectors.map(({ element }) => element.length)).toEqual([dimensions[name]]);
          const expected = normaliseL2(decodeVector(vector));
          const { maxAbsError } = compareVectors(Float32Array.from(vectors[0]!.element), expected);
          expect(maxAbsError).toBeLessThan(release.golden.tolerance * Math.max(...expected));
        }
      } finally {
        client.close();
      }
    });
  });
});
