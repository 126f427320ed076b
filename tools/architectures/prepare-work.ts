import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { badImages, fixtureMaxPixels, goodImages } from "../../fixtures/read-golden.ts";
import { findModelVariant } from "../../src/node/model/model-catalog.ts";
import { prepareModel } from "../../src/node/model/model-store.ts";
import type { PreprocessSpec } from "../../src/preprocess/preprocess-spec.ts";
import { measureRanges } from "../calibrate/measure-ranges.ts";
import { convertNetwork } from "../networks/check-network.ts";
import { makeNetwork, readNetworkGoldens } from "../networks/network-goldens.ts";
import { goldenNetNames, notOnSimd, openGoldenNet } from "../simd/golden-nets.ts";
import { type EngineBuild, engineBuilds, type ModelRun, type Work } from "./work.ts";

/** Its tensors are of the kinds that int8 holds, and it has what ResNet50 has. */
const smallResNet = "residual-block";
const photograph = "photo/locomotion-house-cat.jpg";
const none: Work = { pictures: [], maxPixels: fixtureMaxPixels, filters: false, runs: [] };
const simdBuilds: readonly EngineBuild[] = ["simd-relaxed", "simd-plain"];
const noSimd = engineBuilds.filter((build) => !simdBuilds.includes(build));

/**
 * All fixtures' pixels, all filters, and the tiny networks on every engine, in every variant that it runs.
 * @param ortEvery ONNX Runtime, whose loading of a network takes long under qemu, gets each network of this many only
 */
export async function prepareBreadth(folder: string, ortEvery: number): Promise<Work> {
  const runs: ModelRun[] = [];
  for (const [index, name] of goldenNetNames.entries()) {
    const net = await openGoldenNet(name);
    // The others take vectors, and no engine runs them.
    if (net.inputShape.length !== 4) continue;
    const ort = index % ortEvery === 0 ? noSimd : [];
    const engines = [...(notOnSimd.has(name) ? [] : simdBuilds), ...ort];
    runs.push(await writeNet(folder, `${name} fp32`, net, engines));
    if (name !== smallResNet) continue;
    const [batch = 1, ...shape] = net.inputShape;
    const length = net.input.length / batch;
    const tensors = Array.from({ length: batch }, (_, i) => net.input.slice(i * length, (i + 1) * length));
    const ranges = await measureRanges(net.onnx, tensors, [shape[0]!, shape[1]!]);
    const fp16 = await openGoldenNet(name, { precision: "fp16" });
    const int8 = await openGoldenNet(name, { precision: "int8", ranges });
    runs.push(await writeNet(folder, `${name} fp16`, fp16, engineBuilds));
    runs.push(await writeNet(folder, `${name} int8`, int8, noSimd));
  }
  return { ...none, pictures: [...goodImages, ...badImages].map(({ path }) => path), filters: true, runs };
}

interface Net {
  readonly onnx: Uint8Array;
  readonly inputShape: readonly number[];
  readonly input: Float32Array;
}

async function writeNet(
  folder: string,
  name: string,
  { onnx, inputShape, input }: Net,
  engines: readonly EngineBuild[],
): Promise<ModelRun> {
  const tensor = join(folder, `${name}.f32`);
  await writeFile(tensor, input);
  const file = await writeOnnxFile(folder, name, onnx);
  return { name, onnx: file, input: { tensor, batch: inputShape[0]! }, engines };
}

async function writeOnnxFile(folder: string, name: string, onnx: Uint8Array): Promise<string> {
  await mkdir(folder, { recursive: true });
  const file = join(folder, `${name}.onnx`);
  await writeFile(file, onnx);
  return file;
}

/** The real ResNet50 with one photograph, from bytes to vector. */
export async function prepareResNet50(
  builds: Readonly<Partial<Record<"fp32" | "fp16" | "int8", readonly EngineBuild[]>>>,
): Promise<Work> {
  const runs: ModelRun[] = [];
  for (const variant of ["fp32", "fp16", "int8"] as const) {
    const engines = builds[variant] ?? [];
    if (engines.length === 0) continue;
    const manifest = await findModelVariant("resnet50", variant);
    const onnx = await prepareModel(manifest);
    runs.push({ name: `resnet50 ${variant}`, onnx, input: pictureFor(manifest.preprocess), engines });
  }
  return { ...none, runs };
}

const pictureFor = (preprocess: PreprocessSpec) => ({ picture: photograph, preprocess });

/** Whole networks with random weights, of operators that ResNet50 lacks, with one photograph. */
export async function prepareNetworks(
  folder: string,
  names: readonly string[],
  engines: readonly EngineBuild[],
): Promise<Work> {
  const goldens = readNetworkGoldens();
  const runs: ModelRun[] = [];
  for (const name of names) {
    const build = goldens.get(name)!.at(-1)!;
    const { onnx } = convertNetwork(build, makeNetwork(build));
    const file = await writeOnnxFile(folder, name, onnx);
    const input = pictureFor(build.golden.preprocess);
    runs.push({ name: `${name} fp32`, onnx: file, input, engines });
  }
  return { ...none, runs };
}

export function joinWork(works: readonly Work[]): Work {
  return {
    ...none,
    pictures: works.flatMap(({ pictures }) => pictures),
    filters: works.some(({ filters }) => filters),
    runs: works.flatMap(({ runs }) => runs),
  };
}
