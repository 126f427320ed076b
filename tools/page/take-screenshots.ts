import { mkdir, writeFile } from "node:fs/promises";
import type { Page } from "playwright-core";
import { decodePng } from "../../src/image/decode-png.ts";
import { packageFile } from "../../src/node/package-file.ts";
import { requireTool } from "../require-tool.ts";
import { startPortico } from "../start-portico.ts";
import { launchChromium, openPage } from "./open-page.ts";
import { chooseFiles, switchOf, untilSettled, wayPanel } from "./page-reader.ts";
import { takeCompareScreenshot } from "./take-compare-screenshot.ts";
import { writePalettePng } from "./write-palette-png.ts";

/** `npm run screenshots`: writes the pictures of docs/page.md and docs/compare.md, of the real pages with fixture photographs. */

const folder = packageFile("docs/images");
const photos = ["black-canyon", "french-alpine-landscape", "march-pastoral"].map(
  (name) => `photo/${name}.jpg`,
);

interface Shot {
  readonly file: string;
  readonly colorScheme: "light" | "dark";
  readonly width: number;
  /** Photographs in it. */
  readonly photos: readonly string[];
}

const shots: readonly Shot[] = [
  { file: "page-light.png", colorScheme: "light", width: 1180, photos },
  { file: "page-dark.png", colorScheme: "dark", width: 1180, photos },
  { file: "page-narrow.png", colorScheme: "light", width: 360, photos: photos.slice(0, 1) },
];

/** The whole page in one window, so that every card is drawn. */
async function takeWhole(page: Page, width: number): Promise<Uint8Array> {
  const height = await page.evaluate(() => document.documentElement.scrollHeight);
  await page.setViewportSize({ width, height });
  // Nothing is to look pointed at.
  await page.mouse.move(0, 0);
  const png = await page.screenshot({ fullPage: true });
  return writePalettePng(await decodePng(png));
}

const chromium = requireTool("chromium");
if (chromium === undefined) process.exit(1);
const [server, browser] = await Promise.all([startPortico(), launchChromium(chromium)]);
await mkdir(folder, { recursive: true });
try {
  for (const { file, colorScheme, width, photos: chosen } of shots) {
    const { context, page } = await openPage(browser, `http://${server.address}/`, {
      context: { viewport: { width, height: 900 }, colorScheme },
    });
    for (const way of ["simd", "ort-wasm"] as const) {
      await switchOf(page, way).check();
      await wayPanel(page, way).getByText("Ready").waitFor();
    }
    await chooseFiles(page, ...chosen);
    await untilSettled(page, chosen.length);
    const png = await takeWhole(page, width);
    await writeFile(`${folder}/${file}`, png);
    console.log(`docs/images/${file}: ${png.length} bytes`);
    await context.close();
  }
  await takeCompareScreenshot(browser, `${folder}/compare.png`);
} finally {
  await browser.close();
  await server.stop();
}
