import { mkdir, writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { createDecodeImage } from "../../src/image/decode-image.ts";
import { defaultImageLimits } from "../../src/image/pixels.ts";
import { findModelManifest } from "../../src/node/model/model-catalog.ts";
import { prepareModel } from "../../src/node/model/model-store.ts";
import { loadCodecs } from "../../src/node/pool/load-codecs.ts";
import { preprocess } from "../../src/preprocess/preprocess.ts";
import { orUsage } from "../../tools/or-usage.ts";
import { requireTool } from "../../tools/require-tool.ts";
import { buildDist } from "../build-dist.ts";
import { type Reports, recordRun } from "../results.ts";
import { writePage } from "../write-page.ts";
import { measureEnginePeers } from "./engine-peers.ts";
import { measureOperatorPeers } from "./operator-peers.ts";
import { peerFiles } from "./peer-files.ts";
import { peerPicture } from "./peer-picture.ts";

/**
 * Portico against others on this machine, about eight minutes on two cores; writes results/peers.json and
 * docs/benchmarks.md. What is not installed (npm run bench:peers:install) is left out, and the report says so. `--quick`
 * shows in two minutes that all of it works; its figures are worth little. `--no-build` takes `dist` as it lies.
 */

const { values } = orUsage("npm run bench:peers [-- --quick] [--no-build]", () =>
  parseArgs({
    options: {
      quick: { type: "boolean", default: false },
      "no-build": { type: "boolean", default: false },
    },
  }),
);
const sizes = values.quick
  ? { engines: { rounds: 2, runs: 2 }, operators: { starts: 1, rounds: 1, seconds: 3 } }
  : { engines: { rounds: 10, runs: 4 }, operators: { starts: 3, rounds: 4, seconds: 8 } };

if (!values["no-build"]) buildDist();
const manifest = await findModelManifest("resnet50");
const onnxFile = await prepareModel(manifest);
const { bytes, vector: expected } = await peerPicture();
const { pixels } = await createDecodeImage(await loadCodecs(), defaultImageLimits)(bytes);
await mkdir(peerFiles.made, { recursive: true });
await writeFile(peerFiles.tensor, preprocess(pixels, manifest.preprocess));
const chromium = requireTool("chromium") ?? "chromium";

async function measure(): Promise<Reports["peers"]> {
  const operators = await measureOperatorPeers(sizes.operators);
  const engines = [];
  for (const threads of [1, 2]) {
    engines.push(await measureEnginePeers({ threads, ...sizes.engines, onnxFile, chromium, expected }));
  }
  return { engines, operators };
}

await recordRun("peers", "npm run bench:peers", measure);
await writePage();
console.log("wrote bench/results/peers.json and docs/benchmarks.md");
// Connections to operators that have stopped.
process.exit();
