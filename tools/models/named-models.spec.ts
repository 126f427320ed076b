import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { gunzipSync } from "node:zlib";
import { fromBinary } from "@bufbuild/protobuf";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { convertKeras } from "../../src/convert/convert-keras.ts";
import { type KerasLayer, splitWeightName } from "../../src/convert/keras-format/keras-model.ts";
import { readTopology } from "../../src/convert/keras-format/read-topology.ts";
import { compareVectors } from "../../src/embed/compare-vectors.ts";
import { normaliseL2 } from "../../src/embed/normalise.ts";
import { ModelProtoSchema } from "../../src/gen/onnx/onnx_pb.ts";
import { packageFile } from "../../src/node/package-file.ts";
import { operatorOverGrpcJs } from "../faults/operator-over-grpc-js.ts";
import { decodeVector, makeNetwork } from "../networks/network-goldens.ts";
import { runPortico } from "../run-portico.ts";
import { type PorticoProcess, startPortico } from "../start-portico.ts";
import { copyPackage } from "./copy-package.ts";
import { type ReleaseHost, redirectTo, sendFile, startReleaseHost } from "./release-host.ts";
import { type Release, readGolden, writeRelease } from "./write-release.ts";

// From the official URL to a vector over gRPC, with a file of the real layout and random weights; only the host, the size and the MD5
// are others. The same of VGG19: tools/docs/custom-operator.spec.ts.

const readModel = async (name: string, file: string) =>
  JSON.parse(await readFile(packageFile(`models/${name}/${file}`), "utf8"));

describe("xception", () => {
  let work: string;
  let release: Release;
  let host: ReleaseHost;
  let portico: string;
  let cache: string;
  const run = (...args: string[]) => runPortico(args, { PORTICO_CACHE: cache }, portico);

  beforeAll(async () => {
    work = await mkdtemp(join(tmpdir(), "portico-named-"));
    cache = join(work, "cache");
    const { sources } = (await readModel("xception", "manifest.json")) as {
      sources: readonly { url: string; bytes: number }[];
    };
    const fileName = basename(sources[0]!.url);
    release = await writeRelease(join(work, fileName), "xception");
    // Of the same weights the real file has the same size: the layout is the one that it has.
    for (const { bytes } of sources) expect(Math.abs(release.bytes / bytes - 1)).toBeLessThan(0.01);
    host = await startReleaseHost({
      [`/store/${fileName}`]: redirectTo(`/elsewhere/${fileName}`),
      [`/elsewhere/${fileName}`]: sendFile(release.file, release.bytes),
    });
    const { md5, bytes } = release;
    portico = await copyPackage(join(work, "package"), {
      xception(changed) {
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
    const { code, stdout, stderr } = await run("prepare", "xception");
    const file = basename(release.file);
    const megabytes = (release.bytes / 1e6).toFixed(1);
    const lines = stderr.split("\n").filter((line) => !line.endsWith(" s left"));
    expect(lines).toEqual([
      `xception: fetching ${host.url}gone/${file}, ${megabytes} MB`,
      `xception: ${host.url}gone/${file} cannot be fetched: HTTP status 404; trying the next source`,
      `xception: fetching ${host.url}store/${file}, ${megabytes} MB`,
      "xception: the hash is right; converting to ONNX",
      "",
    ]);
    expect(code).toBe(0);
    expect(host.requests).toEqual([`/gone/${file}`, `/store/${file}`, `/elsewhere/${file}`]);
    const sha256 = createHash("sha256")
      .update(await readFile(release.file))
      .digest("hex");
    expect(stdout).toContain(`  source        ${host.url}store/${file}\n  its sha256    ${sha256}\n`);
  });

  describe("served", () => {
    let server: PorticoProcess;
    beforeAll(async () => {
      const args = ["--model", "xception", "--workers", "1"];
      server = await startPortico({ args, env: { PORTICO_CACHE: cache }, entry: portico });
    });
    afterAll(() => server?.stop());

    test("its vectors are real Keras's", async () => {
      const client = operatorOverGrpcJs(server.address);
      try {
        expect(await client.identity({})).toMatchObject({
          name: "xception",
          type: "encoder",
          input: "image",
          output: "vector",
          dimension: "2048",
          metricType: "L2",
        });
        for (const { image, vector } of release.golden.vectors) {
          const picture = await readFile(packageFile(`fixtures/images/${image}`), "base64");
          const { vectors } = await client.execute({ datas: [picture] });
          const expected = normaliseL2(decodeVector(vector));
          const { maxAbsError } = compareVectors(Float32Array.from(vectors[0]!.element), expected);
          expect(maxAbsError).toBeLessThanOrEqual(release.golden.tolerance * Math.max(...expected));
        }
      } finally {
        client.close();
      }
    });
  });
});

test("vgg16: its topology takes the network's weights, and the largest value of each channel", async () => {
  const { outputLayer, preprocess } = await readModel("vgg16", "manifest.json");
  const { weights } = makeNetwork({ name: "vgg16.keras2", golden: readGolden("vgg16") });
  const topology = readTopology(await readModel("vgg16", "topology.json"));
  const inputShape = [preprocess.height, preprocess.width, 3];
  const { onnx, dimension, usedWeights } = convertKeras({ topology, weights }, { outputLayer, inputShape });
  expect({ dimension, used: usedWeights.length }).toEqual({ dimension: 512, used: 26 });
  const operators = fromBinary(ModelProtoSchema, onnx).graph!.node.map(({ opType }) => opType);
  expect(operators.slice(-2)).toEqual(["GlobalMaxPool", "Flatten"]);
});

/** Each model and the golden of its network: vectors of real Keras, which tools/networks compares ours with. */
const networks = {
  densenet121: "densenet121",
  inception_v3: "inceptionv3",
  resnet101: "resnet101",
  vgg16: "vgg16",
  vgg19: "vgg19",
  xception: "xception",
};

describe.each(Object.entries(networks))("%s", (name, network) => {
  const golden = JSON.parse(
    readFileSync(packageFile(`fixtures/golden/networks/${network}.keras2.json`), "utf8"),
  );
  const packed = readFileSync(packageFile(`fixtures/golden/networks/${network}.keras2.topology.json.gz`));
  const proven = JSON.parse(gunzipSync(packed).toString("utf8"));

  test("its topology is the one whose vectors are proven, but for the input's size and how it is pooled", async () => {
    const isInside = ({ className }: KerasLayer) => !/^InputLayer$|^Global/.test(className);
    const own = readTopology(await readModel(name, "topology.json")).layers.filter(isInside);
    expect(own).toEqual(readTopology(proven.topology).layers.filter(isInside));
  });

  test("its manifest has the network's preprocessing, and the size that the weights have", async () => {
    const { sources, preprocess, identity } = await readModel(name, "manifest.json");
    expect(preprocess).toEqual(golden.preprocess);
    expect(identity.dimension).toBe(decodeVector(golden.vectors[0].vector).length);
    const shapes: number[][] = Object.values(proven.weights);
    const weightBytes = shapes.reduce((sum, shape) => sum + 4 * shape.reduce((a, b) => a * b, 1), 0);
    for (const { bytes } of sources) {
      expect(bytes).toBeGreaterThan(weightBytes);
      expect(bytes).toBeLessThan(1.04 * weightBytes);
    }
  });

  test("every layer with weights has one name in the file", async () => {
    const [{ layerNames }] = (await readModel(name, "manifest.json")).sources;
    if (layerNames === undefined) return;
    const named: string[] = Object.values(await readModel(name, layerNames));
    const weighted = new Set(Object.keys(proven.weights).map((weight) => splitWeightName(weight).layer));
    expect(named.toSorted()).toEqual([...weighted].sort());
  });
});
