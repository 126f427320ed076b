import { access } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import type { Browser, Request } from "playwright-core";
import { type VariantName, variantNames } from "../src/embed/model-manifest.ts";
import { findModelVariant } from "../src/node/model/model-catalog.ts";
import { prepareModel } from "../src/node/model/model-store.ts";
import { readBuiltPage } from "../src/node/page/page-source.ts";
import { orUsage } from "../tools/or-usage.ts";
import { launchChromium, openPage } from "../tools/page/open-page.ts";
import { chooseFiles, switchOf, untilSettled } from "../tools/page/page-reader.ts";
import { requireTool } from "../tools/require-tool.ts";
import { startPortico } from "../tools/start-portico.ts";

import { recordRun } from "./results.ts";

/**
 * What a browser fetches until the first picture has its vector: counted in a real Chromium, as it came over the wire from the
 * built server, for each way from an empty profile; of the smaller forms of the model each on the engine that is quickest with it.
 */

/** The script that the page with one engine takes, wasm and model apart; issue 6 asks for it. */
export const scriptMaxBytes = 150_000;

export interface SizesReport {
  readonly picture: string;
  readonly ways: readonly WaySizes[];
}

/** Bytes of bodies over the wire, most of them compressed with brotli. */
export interface WaySizes {
  readonly way: "server" | "simd" | "ort-wasm" | "ort-webgpu";
  /** Form of the model in the browser; of the server it is fp32. */
  readonly variant: VariantName;
  /** Summed from the files that the way takes; the others were counted in the browser. */
  readonly isComputed: boolean;
  readonly requests: number;
  readonly page: number;
  readonly script: number;
  readonly wasm: number;
  /** Manifest and self-check. */
  readonly facts: number;
  readonly model: number;
}

/** One that a browser without a GPU has. */
type MeasuredWay = WaySizes & { readonly way: "server" | "simd" | "ort-wasm" };

type Part = "page" | "script" | "wasm" | "facts" | "model";

const entry = "dist/cli/portico.js";
const measured: readonly Pick<MeasuredWay, "way" | "variant">[] = [
  { way: "server", variant: "fp32" },
  { way: "simd", variant: "fp32" },
  { way: "simd", variant: "fp16" },
  { way: "ort-wasm", variant: "fp32" },
  { way: "ort-wasm", variant: "int8" },
];
const picture = "photo/locomotion-house-cat.jpg";

/**
 * @param program full path of Chromium
 * @throws Error before `npm run build`
 */
export async function measureSizes(program: string): Promise<SizesReport> {
  await access(new URL(`../${entry}`, import.meta.url)).catch((cause: unknown) => {
    throw new Error(`expected ${entry}; npm run build makes it`, { cause });
  });
  // Only a form that is prepared is offered.
  for (const variant of variantNames) await prepareModel(await findModelVariant("resnet50", variant));
  const [server, browser] = await Promise.all([startPortico({ entry }), launchChromium(program)]);
  try {
    const ways: WaySizes[] = [];
    for (const { way, variant } of measured) {
      ways.push(await measureWay(browser, `http://${server.address}/`, way, variant));
    }
    const wasm = ways.find(({ way, variant }) => way === "ort-wasm" && variant === "fp32") as WaySizes;
    return { picture, ways: [...ways, await computeWebGpu(wasm)] };
  } finally {
    await browser.close();
    await server.stop();
  }
}

async function measureWay(
  browser: Browser,
  url: string,
  way: MeasuredWay["way"],
  variant: VariantName,
): Promise<WaySizes> {
  // A service worker fetches the small files once more, for itself, when the page is there.
  const { page, context } = await openPage(browser, "about:blank", { context: { serviceWorkers: "block" } });
  const ended: Promise<readonly [Part | undefined, number]>[] = [];
  context.on("requestfinished", (request) => {
    ended.push(request.sizes().then(({ responseBodySize }) => [partOf(request), responseBodySize] as const));
  });
  await page.goto(url);
  if (way !== "server") {
    await page.getByLabel("Model in this browser").selectOption(variant);
    await switchOf(page, way).check();
    await switchOf(page, "server").uncheck();
  }
  await chooseFiles(page, picture);
  await untilSettled(page, 1);
  const sums: Record<Part, number> = { page: 0, script: 0, wasm: 0, facts: 0, model: 0 };
  let requests = 0;
  for (const [part, bytes] of await Promise.all(ended)) {
    // Calls of the server are no files; what came from the HTTP cache has minus the size of its headers.
    if (part === undefined || bytes <= 0) continue;
    sums[part] += bytes;
    requests += 1;
  }
  await context.close();
  return { way, variant, isComputed: false, requests, ...sums };
}

function partOf(request: Request): Part | undefined {
  const path = new URL(request.url()).pathname;
  if (path.startsWith("/models/")) return "model";
  if (/\.m?js$/.test(path)) return "script";
  if (path.endsWith(".wasm")) return "wasm";
  if (path.endsWith(".json")) return "facts";
  return path === "/" || path.startsWith("/assets/") ? "page" : undefined;
}

/** As `ort-wasm`, with the other runtime: without a GPU its first picture takes minutes. */
async function computeWebGpu(wasm: WaySizes): Promise<WaySizes> {
  const source = await readBuiltPage(fileURLToPath(new URL("../dist/page", import.meta.url)));
  const sizeOf = (pattern: RegExp): number => {
    const [path] = [...source.keys()].filter((name) => pattern.test(name));
    return source.get(path as string)?.bytes as number;
  };
  return {
    ...wasm,
    way: "ort-webgpu",
    isComputed: true,
    script: wasm.script - sizeOf(/ort\.wasm\..*\.br$/) + sizeOf(/ort\.webgpu\..*\.br$/),
    wasm: wasm.wasm - sizeOf(/threaded-[\w-]{8}\.wasm\.br$/) + sizeOf(/asyncify-[\w-]{8}\.wasm\.br$/),
  };
}

if (import.meta.main) {
  const { check } = orUsage("npm run sizes -- [--check]", () =>
    parseArgs({ options: { check: { type: "boolean", default: false } } }),
  ).values;
  const program = requireTool("chromium");
  // Whoever asks for the figures wants them; a check may be skipped, which was said.
  if (program === undefined) process.exit(check ? 0 : 1);
  const measure = () => measureSizes(program);
  const report = check ? await measure() : (await recordRun("sizes", "npm run sizes", measure)).report;
  console.log(JSON.stringify(report, undefined, 2));
  for (const { way, script } of report.ways) {
    if (script <= scriptMaxBytes) continue;
    console.error(`${way}: expected at most ${scriptMaxBytes} bytes of script, got ${script}`);
    process.exitCode = 1;
  }
}
