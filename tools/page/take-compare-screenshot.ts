import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Browser } from "playwright-core";
import { decodePng } from "../../src/image/decode-png.ts";
import { packageFile } from "../../src/node/package-file.ts";
import { runPortico } from "../run-portico.ts";
import { openPage } from "./open-page.ts";
import { writePalettePng } from "./write-palette-png.ts";

/** Writes the picture of docs/compare.md: the start of the page that compares ResNet50 with its int8 form. */
export async function takeCompareScreenshot(browser: Browser, file: string): Promise<void> {
  const work = await mkdtemp(join(tmpdir(), "portico-compare-shot-"));
  try {
    const out = join(work, "compare.html");
    const dir = packageFile("fixtures/images/photo");
    const run = await runPortico([
      "compare",
      "--models",
      "resnet50,resnet50:int8",
      "--dir",
      dir,
      "--out",
      out,
    ]);
    if (run.code !== 0) throw new Error(`portico compare ended with ${run.code}: ${run.stderr}`);
    const { context, page } = await openPage(browser, pathToFileURL(out).href, {
      context: { viewport: { width: 1180, height: 980 }, colorScheme: "light" },
    });
    const png = await writePalettePng(await decodePng(await page.screenshot()));
    await writeFile(file, png);
    console.log(`${file}: ${png.length} bytes`);
    await context.close();
  } finally {
    await rm(work, { recursive: true });
  }
}
