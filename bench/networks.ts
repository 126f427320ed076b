import { spawn } from "node:child_process";
import { once } from "node:events";
import { access } from "node:fs/promises";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import * as ort from "onnxruntime-web";
import type { EngineName } from "../src/engine/engine.ts";
import { createOrtWasmEngine } from "../src/engine/ort-wasm.ts";
import { createSimdEngine } from "../src/engine/simd/simd-engine.ts";
import { readModelInThread } from "../src/node/model/read-model-in-thread.ts";
import { loadKernels } from "../src/node/pool/load-kernels.ts";
import type { PreprocessSpec } from "../src/preprocess/preprocess-spec.ts";
import {
  convertNetwork,
  measureErrors,
  type NetworkGroup,
  notYetOr,
} from "../tools/networks/check-network.ts";
import { makeNetwork, type NamedGolden, readNetworkGoldens } from "../tools/networks/network-goldens.ts";
import { isSameGraph } from "../tools/networks/same-graph.ts";
import { orUsage } from "../tools/or-usage.ts";
import { recordRun } from "./results.ts";
import { writePage } from "./write-page.ts";

/**
 * Converts every network of fixtures/golden/networks, runs it on the processor's engines, and compares with real Keras's
 * vectors; with `--files`, also reads the files of each that real Keras saved.
 */

export type NetworksReport = readonly NetworkRow[];

/** One network as one Keras builds it. */
export interface NetworkRow {
  /** Of its files: `resnet50v2.keras3`. */
  readonly name: string;
  readonly network: string;
  readonly keras: string;
  readonly preprocess: PreprocessSpec;
  readonly contrast: number;
  /** Numbers in its weights. */
  readonly parameters: number;
  /** Why it is not converted. */
  readonly notYet?: string;
  readonly dimension?: number;
  /** The other build whose graph, weights included, is this one. */
  readonly sameAs?: string;
  readonly engines?: EngineOutcomes;
  /** By the file's ending: `same` where it gives the very graph that topology and random weights give, or why not. */
  readonly files?: FileOutcomes;
}

/** The largest difference as a part of the largest value, or why there is none. */
export type EngineOutcome = { readonly error: number } | { readonly notYet: string };

type EngineOutcomes = Readonly<Partial<Record<EngineName, EngineOutcome>>>;
type FileOutcomes = Readonly<Record<string, string>>;

const endings = ["h5", "keras"];

/** All builds of one network. */
async function checkNetwork(
  builds: readonly NamedGolden[],
  files: string | undefined,
): Promise<readonly NetworkRow[]> {
  const rows: NetworkRow[] = [];
  let last: { readonly row: NetworkRow; readonly group: NetworkGroup } | undefined;
  for (const build of builds) {
    const { name, golden } = build;
    const { network, keras, preprocess, contrast } = golden;
    const model = makeNetwork(build);
    const parameters = [...model.weights.values()].reduce((sum, { data }) => sum + data.length, 0);
    let row: NetworkRow = { name, network, keras, preprocess, contrast, parameters };
    const group = await notYetOr<NetworkGroup>(() => ({ ...convertNetwork(build, model), builds: [build] }));
    if (typeof group === "string") {
      rows.push({ ...row, notYet: group });
      continue;
    }
    row = { ...row, dimension: group.dimension, engines: await runOnEngines(group) };
    if (last && isSameGraph(last.group.onnx, group.onnx)) row = { ...row, sameAs: last.row.name };
    if (files !== undefined) row = { ...row, files: await readSaved(build, group, files) };
    rows.push(row);
    last = { row, group };
  }
  return rows;
}

async function runOnEngines(group: NetworkGroup): Promise<EngineOutcomes> {
  ort.env.wasm.numThreads = 1;
  const outcomes: Partial<Record<EngineName, EngineOutcome>> = {};
  const pictures = group.builds[0]!.golden.vectors.map((_, number) => number);
  for (const engine of [createSimdEngine(await loadKernels()), createOrtWasmEngine(ort)]) {
    const errors = await notYetOr(() => measureErrors(engine, group, pictures));
    outcomes[engine.name] = typeof errors === "string" ? { notYet: errors } : { error: errors[0]! };
  }
  return outcomes;
}

async function readSaved(build: NamedGolden, group: NetworkGroup, folder: string): Promise<FileOutcomes> {
  const outcomes: Record<string, string> = {};
  for (const ending of endings) {
    const file = `${build.name}.${ending}`;
    const same = await notYetOr(async () => {
      await access(resolve(folder, file));
      const { onnx } = convertNetwork(build, await readModelInThread({ folder, file }));
      return Buffer.compare(onnx, group.onnx) === 0;
    });
    outcomes[ending] = typeof same === "string" ? same : same ? "same" : "another graph";
  }
  return outcomes;
}

/** In a process of its own: WebAssembly memory that a large network took never shrinks. */
async function checkApart(network: string, files: string | undefined): Promise<readonly NetworkRow[]> {
  const args = [fileURLToPath(import.meta.url), "--network", network, ...(files ? ["--files", files] : [])];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  let text = "";
  child.stdout.setEncoding("utf8").on("data", (part: string) => {
    text += part;
  });
  const [code] = (await once(child, "close")) as [number | null];
  if (code !== 0) throw new Error(`${network}: its process ended with ${code}`);
  const rows = JSON.parse(text) as readonly NetworkRow[];
  for (const { name, notYet, engines } of rows) console.log(name, notYet ?? JSON.stringify(engines));
  return rows;
}

async function checkAll(files: string | undefined): Promise<NetworksReport> {
  const rows: NetworkRow[] = [];
  for (const network of readNetworkGoldens().keys()) rows.push(...(await checkApart(network, files)));
  return rows;
}

if (import.meta.main) {
  const { files, network } = orUsage("npm run networks -- [--files DIR]", () =>
    parseArgs({ options: { files: { type: "string" }, network: { type: "string" } } }),
  ).values;
  if (network !== undefined) {
    const builds = readNetworkGoldens().get(network);
    if (!builds) throw new Error(`no golden of a network "${network}"`);
    console.log(JSON.stringify(await checkNetwork(builds, files)));
  } else {
    await recordRun("networks", "npm run networks", () => checkAll(files));
    await writePage();
  }
}
