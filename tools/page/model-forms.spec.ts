import { beforeAll, describe, expect, test } from "vitest";
import { compareVectors } from "../../src/embed/compare-vectors.ts";
import { findModelVariant } from "../../src/node/model/model-catalog.ts";
import { prepareModel } from "../../src/node/model/model-store.ts";
import { requireTool } from "../require-tool.ts";
import { eventually } from "./eventually.ts";
import { expectGoldenVector } from "./expect-goldens.ts";
import {
  cardOf,
  chooseFiles,
  downloadVectors,
  flowTimeoutMs,
  switchOf,
  untilSettled,
  wayPanel,
} from "./page-reader.ts";
import { usePage } from "./use-page.ts";

/** A smaller form of the model, chosen in the real page. */

const chromium = requireTool("chromium");
/** Photographs that int8 was not calibrated on. */
const cat = "photo/locomotion-house-cat.jpg";
const catName = "locomotion-house-cat.jpg";
const pastoral = "photo/march-pastoral.jpg";
const int8 = await findModelVariant("resnet50", "int8");
const fp32 = await findModelVariant("resnet50", "fp32");

describe.skipIf(chromium === undefined)("forms of the model", { timeout: flowTimeoutMs }, () => {
  beforeAll(async () => {
    await prepareModel(int8);
    await prepareModel(await findModelVariant("resnet50", "fp16"));
  });
  const site = usePage(chromium as string);

  test("int8 is chosen: its own vectors, in words, and the same at the next visit", async () => {
    const page = await site.open();
    const models: string[] = [];
    page.context().on("request", (request) => {
      if (request.url().endsWith(".onnx")) models.push(new URL(request.url()).pathname);
    });
    const choice = page.getByLabel("Model in this browser");
    await eventually(() => choice.locator("option").allTextContents()).toEqual([
      "fp32, 93.9 MB",
      "fp16, 47.0 MB",
      "int8, 23.9 MB",
    ]);
    await page.getByText("Its vectors are those of Keras.", { exact: true }).waitFor();
    await chooseFiles(page, cat, pastoral);
    await switchOf(page, "ort-wasm").check();
    await wayPanel(page, "ort-wasm").getByText("Ready, engine ort-wasm").waitFor();
    await cardOf(page, catName).getByText("within the tolerance of 2e-6").waitFor();

    await choice.selectOption("int8, 23.9 MB");
    await page.getByText("Cosine to Keras's vectors at least 0.998 for photographs").waitFor();
    await page.getByRole("contentinfo").getByText(int8.fingerprint).waitFor();
    await cardOf(page, catName).getByText("Browser, ONNX Runtime, int8").waitFor();
    await untilSettled(page, 2);
    expect(models).toEqual(["/models/resnet50.onnx", "/models/resnet50-int8.onnx"]);

    // SIMD has no operators of int8; it says so, and the others go on.
    await switchOf(page, "simd").check();
    await wayPanel(page, "simd").getByText("The engine cannot run this model.").waitFor();
    await wayPanel(page, "simd").getByText("a quantised model needs another engine").waitFor();
    await wayPanel(page, "ort-wasm").getByText("Ready, engine ort-wasm").waitFor();

    const all = page.getByRole("button", { name: "Download all as JSON" });
    for (const [index, { name, vectors }] of (await downloadVectors(page, all)).pictures.entries()) {
      expect(vectors.map(({ way, vectorSpace }) => [way, vectorSpace])).toEqual([
        ["server", fp32.fingerprint],
        ["ort-wasm", int8.fingerprint],
      ]);
      const [server, browser] = vectors.map(({ vector }) => Float32Array.from(vector));
      await expectGoldenVector([...server!], [cat, pastoral][index] as string);
      const { cosine } = compareVectors(browser!, server!);
      expect(cosine).toBeGreaterThanOrEqual(0.998);
      expect(cosine).toBeLessThan(0.9999);
      const words = `Between the ways another vector space: int8; cosine ${cosine.toFixed(4)}`;
      await cardOf(page, name).getByText(words).waitFor();
      expect(await cardOf(page, name).getByText("tolerance").count()).toBe(0);
    }

    await page.getByLabel("Vectors of").selectOption("Browser, ONNX Runtime");
    await page.getByText("These are vectors of int8, a vector space of its own.").waitFor();
    await page.reload();
    await eventually(() => choice.inputValue()).toBe("int8");
    await wayPanel(page, "ort-wasm").getByText("Ready, engine ort-wasm").waitFor();
    expect(models).toHaveLength(2);
    await page.context().close();
  });

  test("engines agree on fp16 as they do on fp32", async () => {
    const page = await site.open();
    await switchOf(page, "server").uncheck();
    await page.getByLabel("Model in this browser").selectOption("fp16");
    await switchOf(page, "simd").check();
    await switchOf(page, "ort-wasm").check();
    await chooseFiles(page, cat);
    await wayPanel(page, "simd").getByText("Ready, engine simd").waitFor();
    await wayPanel(page, "ort-wasm").getByText("Ready, engine ort-wasm").waitFor();
    await cardOf(page, catName).getByText("within the tolerance of 2e-6").waitFor();

    // A form that is offered no longer is none: the page begins with the first.
    await page.evaluate(() => localStorage.setItem("portico-variant", "int4"));
    await page.reload();
    await eventually(() => page.getByLabel("Model in this browser").inputValue()).toBe("fp32");
    await page.context().close();
  });
});
