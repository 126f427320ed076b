import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import type { WebEngineName } from "../../src/web/index.ts";
import { webEngineNames } from "../../src/web/web-engines.ts";
import { orUsage, wholeNumbers } from "../or-usage.ts";
import { requireTool } from "../require-tool.ts";
import { softwareGpuFlags } from "./package-page.ts";
import { runVectorSuite, summarise, type VectorVerdict } from "./vector-suite.ts";

/**
 * `npm run conformance:browser`: the vectors of all fixtures, made inside a page of Chromium, against real Keras's. Exit codes:
 * 0 all lie within their tolerance, 1 one does not, 2 wrong usage or no Chromium. A GPU made of software takes about a minute for
 * a picture.
 */

const usage =
  "npm run conformance:browser -- [--engine simd,ort-wasm,ort-webgpu] [--only TEXT] [--at-once N] [--item-timeout-ms N] [--flag CHROMIUM-FLAG]... [--json FILE]";

const options = orUsage(usage, () => {
  const { values } = parseArgs({
    options: {
      engine: { type: "string", default: "simd,ort-wasm" },
      only: { type: "string", default: "" },
      "at-once": { type: "string" },
      "item-timeout-ms": { type: "string", default: "600000" },
      flag: { type: "string", multiple: true, default: [] },
      json: { type: "string" },
    },
  });
  const engines = values.engine.split(",") as WebEngineName[];
  const unknown = engines.find((engine) => !webEngineNames.includes(engine));
  if (unknown !== undefined) {
    throw new RangeError(`--engine: expected some of ${webEngineNames.join(", ")}, got "${unknown}"`);
  }
  const numbers = wholeNumbers({
    // A software GPU has no memory for a batch of 32.
    "at-once": values["at-once"] ?? (engines.includes("ort-webgpu") ? "1" : "256"),
    "item-timeout-ms": values["item-timeout-ms"],
  });
  const { only, flag: flags, json } = values;
  return {
    engines,
    only,
    flags,
    json,
    atOnce: numbers["at-once"],
    itemTimeoutMs: numbers["item-timeout-ms"],
  };
});
const chromium = requireTool("chromium");
if (!chromium) process.exit(2);

const line = ({ engine, image, maxAbs, inferMs, problem }: VectorVerdict) =>
  `${problem === "" ? "passed" : "failed"}: ${engine} ${image} ${maxAbs.toExponential(1)} (${Math.round(inferMs)} ms) ${problem}`;
const verdicts = await runVectorSuite({
  ...options,
  chromium,
  flags: [...(options.engines.includes("ort-webgpu") ? softwareGpuFlags : []), ...options.flags],
  onVector: (verdict) => console.log(line(verdict)),
});
for (const verdict of verdicts) console.log(summarise(verdict));
if (options.json !== undefined) writeFileSync(options.json, JSON.stringify(verdicts, undefined, 2));
const isAnyFailed = verdicts.some(({ vectors }) => vectors.some(({ problem }) => problem !== ""));
process.exitCode = isAnyFailed ? 1 : 0;
