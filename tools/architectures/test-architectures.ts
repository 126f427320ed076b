import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { createCases, reportCases } from "../cases.ts";
import { orUsage } from "../or-usage.ts";
import { requireOrtNative } from "../require-ort-native.ts";
import { runPortico } from "../run-portico.ts";
import { askServer } from "./ask-server.ts";
import { compareValues, type GroupComparison } from "./compare-values.ts";
import { listMachineCode, listProductionPackages } from "./find-machine-code.ts";
import { isThere, type LookedAtNode, moreNodes, usualNodes } from "./looked-at-nodes.ts";
import { joinWork, prepareBreadth, prepareNetworks, prepareResNet50 } from "./prepare-work.ts";
import { makeValues, runOn } from "./run-node.ts";
import { engineBuilds, listAsked, type Value, type Work } from "./work.ts";

/**
 * `npm run architectures -- [--all] [FILE]`, after `npm run build`: holds what the built program gives in Node for arm64 (under
 * qemu) and in Node for musl against what it gives here, bit for bit: pixels, tensors, vectors of every engine of a CPU, and
 * a whole server. FILE gets {passed, failed, skipped, results} as JSON. `--all` takes hours: every variant of
 * ResNet50, networks of other kinds, more processors.
 *
 * `bash tools/architectures/bring.sh [--all]` brings those Nodes.
 */

/** Largest difference of a vector that may differ, as a part of its largest value; the goldens' for such engines. */
const tolerance = 1e-5;
/** As many processes at a time as the smallest machine of CI has processors. */
const lanes = 2;

const { values: flags, positionals } = orUsage("npm run architectures -- [--all] [FILE]", () =>
  parseArgs({
    options: { all: { type: "boolean", default: false } },
    allowPositionals: true,
  }),
);
const folder = mkdtempSync(join(tmpdir(), "portico-architectures-"));
const { results, add, skip, run } = createCases();
const here = { name: "this Node", command: [process.execPath], lacks: [] };

/** Of every engine that is there. */
const hasNative = requireOrtNative() !== undefined;
if (!hasNative) skip("ort-native on every Node");
const withoutMissing = (work: Work): Work => ({
  ...work,
  runs: work.runs.map((run) => ({
    ...run,
    engines: run.engines.filter((engine) => hasNative || engine !== "ort-native"),
  })),
});

interface Task {
  readonly name: string;
  readonly body: () => Promise<void>;
}

/** Each lane takes the next task. */
async function runTasks(tasks: readonly Task[]): Promise<void> {
  const waiting = [...tasks];
  const work = async () => {
    for (let task = waiting.shift(); task; task = waiting.shift()) {
      const start = performance.now();
      await task.body().catch((error) => add({ name: task.name, outcome: "failed", reason: String(error) }));
      console.log(`${task.name}: ${((performance.now() - start) / 1000).toFixed(1)} s`);
    }
  };
  await Promise.all(Array.from({ length: lanes }, work));
}

function judge(node: LookedAtNode, what: string, comparison: GroupComparison): void {
  const { group, compared, different, largest } = comparison;
  const name = `${node.name}, ${what}: ${group}`;
  const same = `${compared - different.length} of ${compared} the same bits`;
  const isAllowed = node.mayDiffer.some((build) => build === group) && largest <= tolerance;
  const outcome = different.length === 0 || isAllowed ? "passed" : "failed";
  const which = different.length === 0 ? "" : `; largest difference ${largest.toExponential(1)}`;
  add({
    name,
    outcome,
    reason: `${same}${which}${outcome === "failed" ? `: ${different.slice(0, 3).join(", ")}` : ""}`,
  });
}

/** A task that has this Node make what this machine's own has made. */
function compareOn(node: LookedAtNode, what: string, work: Work, reference: Promise<readonly Value[]>): Task {
  const asked = listAsked(work).filter(({ group }) => !node.lacks.some((build) => build === group));
  return {
    name: `${node.name}, ${what}`,
    async body() {
      const found = await makeValues(folder, node, work);
      for (const comparison of compareValues(asked, await reference, found)) judge(node, what, comparison);
    },
  };
}

/** The server of the small model, whose vectors must be those of a server in this machine's own Node. */
function serveOn(
  node: LookedAtNode,
  args: readonly string[],
  expected: Promise<ReadonlyMap<string, string>>,
): Task {
  const name = `${node.name}, a server that is asked over gRPC and stopped by SIGTERM`;
  const body = async () => {
    const { vectors, engine, exitCode } = await askServer(node.command, args);
    if (exitCode !== 0) throw new Error(`expected exit code 0, got ${exitCode}`);
    const wanted = await expected;
    const differing = [...wanted].filter(([id, bits]) => vectors.get(id) !== bits).map(([id]) => id);
    if (differing.length > 0) throw new Error(`other bits: ${differing.join(", ")}`);
    return `${vectors.size} of ${wanted.size} vectors the same bits, engine ${engine}, exit code 0`;
  };
  return { name, body: () => run(name, body) };
}

/** onnxruntime-node is linked with glibc: a Node with musl must say so, and `auto` must go on without it. */
function refuseNativeOn(node: LookedAtNode): Task {
  const verify = ["dist/cli/portico.js", "verify", "--only", "photo/locomotion", "--workers", "1"];
  const refusal =
    "--engine ort-native cannot load its package: onnxruntime-node needs glibc, and this Node has musl (Alpine); --engine simd and ort-wasm run everywhere: ";
  const name = `${node.name}, onnxruntime-node is refused`;
  const expectText = (text: string, part: string) => {
    if (!text.includes(part)) throw new Error(`expected "${part}" in: ${text}`);
  };
  const body = async () => {
    const named = await runOn(node.command, [...verify, "--engine", "ort-native"]);
    if (named.code !== 2) throw new Error(`expected exit code 2, got ${named.code}: ${named.stderr}`);
    expectText(named.stderr, `portico: ${refusal}`);
    const auto = await runOn(node.command, verify);
    if (auto.code !== 0) throw new Error(`--engine auto: exit code ${auto.code}: ${auto.stderr}`);
    expectText(auto.stderr, `portico: an engine was passed over: ${refusal}`);
    expectText(auto.stdout, "resnet50 on simd, against real Keras");
    return "--engine ort-native ends with exit code 2, --engine auto takes simd";
  };
  return { name, body: () => run(name, body) };
}

async function checkFiles(): Promise<string> {
  const folders = [...listProductionPackages(), "dist", "models", "proto"];
  const found = folders.flatMap(listMachineCode);
  if (found.length > 0) throw new Error(`machine code: ${found.join(", ")}`);
  return `none in dist and ${folders.length} folders`;
}

async function importSmallModel(): Promise<readonly string[]> {
  const file = "fixtures/golden/saved/convolutions.keras3.keras";
  const args = ["--name", "small", "--models-dir", folder, "--preprocess", "torch"];
  const { code, stderr } = await runPortico(["import", file, ...args], {}, "dist/cli/portico.js");
  if (code !== 0) throw new Error(`import: exit code ${code}: ${stderr}`);
  return ["--models-dir", folder, "--model", "small"];
}

/** Every variant on every engine that runs it, and networks of other kinds. */
async function prepareWhole(): Promise<Work> {
  return joinWork([
    await prepareResNet50({ fp32: engineBuilds, fp16: engineBuilds, int8: ["ort-wasm"] }),
    await prepareNetworks(folder, ["EfficientNetB0", "DenseNet121"], engineBuilds),
  ]);
}

async function listTasks(): Promise<readonly Task[]> {
  const { arm64, musl } = usualNodes;
  const nodes = [arm64, musl, ...(flags.all ? moreNodes : [])].filter((node) => {
    if (isThere(node)) return true;
    skip(`${node.name}, everything`);
    return false;
  });
  if (nodes.length === 0) return [];
  const breadth = withoutMissing(
    joinWork([
      await prepareBreadth(folder, flags.all ? 1 : 8),
      await prepareNetworks(folder, ["MobileNetV2"], flags.all ? engineBuilds : ["simd-relaxed"]),
    ]),
  );
  const depth = withoutMissing(
    flags.all ? await prepareWhole() : await prepareResNet50({ fp32: ["simd-relaxed"] }),
  );
  const serve = await importSmallModel();
  const works: readonly (readonly [what: string, work: Work])[] = [
    [flags.all ? "whole networks" : "ResNet50", depth],
    ["pictures and small networks", breadth],
  ];
  const values = works.map(([, work]) => makeValues(folder, here, work));
  const vectors = askServer(here.command, serve).then((answers) => answers.vectors);
  // One that failed fails each case that needs it, and no more.
  for (const promise of [...values, vectors]) promise.catch(() => undefined);
  await Promise.allSettled([...values, vectors]);
  return nodes.flatMap((node) => [
    ...works.map(([what, work], i) => compareOn(node, what, work, values[i]!)),
    serveOn(node, serve, vectors),
    ...(hasNative && node === musl ? [refuseNativeOn(node)] : []),
  ]);
}

try {
  await run("no machine code beside Node", checkFiles);
  await runTasks(await listTasks());
} finally {
  rmSync(folder, { recursive: true });
}

reportCases(results, positionals[0]);
