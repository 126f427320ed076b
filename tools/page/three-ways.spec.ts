import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { afterAll, describe, expect, test } from "vitest";
import { softwareGpuFlags } from "../browser/package-page.ts";
import { requireTool } from "../require-tool.ts";
import { startPortico } from "../start-portico.ts";
import { eventually } from "./eventually.ts";
import { expectGoldenVector } from "./expect-goldens.ts";
import { launchChromium, openPage, otherHost } from "./open-page.ts";
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

/** The ways to a vector in the real page, which of them there are where, and how far they lie apart. */

const chromium = requireTool("chromium");
const cat = "photo/locomotion-house-cat.jpg";
const catName = "locomotion-house-cat.jpg";
const canyon = "photo/black-canyon.jpg";
const folder = mkdtempSync(join(tmpdir(), "portico-ways-"));
afterAll(() => rmSync(folder, { recursive: true }));

describe.skipIf(chromium === undefined)("ways of the page", { timeout: flowTimeoutMs }, () => {
  const site = usePage(chromium as string);

  test("server and both engines of the browser agree; the download is seen, and done once", async () => {
    const page = await site.open();
    const models: string[] = [];
    page.context().on("request", (request) => {
      if (request.url().endsWith(".onnx")) models.push(request.url());
    });
    const cdp = await page.context().newCDPSession(page);
    const throughput = { latency: 0, uploadThroughput: -1, downloadThroughput: 30_000_000, offline: false };
    await cdp.send("Network.emulateNetworkConditions", throughput);
    await chooseFiles(page, cat, canyon);
    await switchOf(page, "simd").check();
    await switchOf(page, "ort-wasm").check();
    await wayPanel(page, "ort-wasm").getByText("Waiting for another engine to open").waitFor();
    const bar = wayPanel(page, "simd").getByRole("progressbar", {
      name: "Download of the model for Browser, SIMD kernels",
    });
    await bar.waitFor();
    await wayPanel(page, "simd")
      .getByText(/^Downloading the model: \d+\.\d MB of 93\.9 MB$/)
      .waitFor();
    const value = await bar.evaluate((element) => (element as HTMLProgressElement).position);
    expect(value).toBeGreaterThan(0);
    expect(value).toBeLessThan(1);
    await wayPanel(page, "simd").getByText("Ready, engine simd").waitFor();
    await wayPanel(page, "ort-wasm").getByText("Ready, engine ort-wasm").waitFor();
    await untilSettled(page, 2);
    expect(models).toHaveLength(1);

    const { pictures } = await downloadVectors(
      page,
      page.getByRole("button", { name: "Download all as JSON" }),
    );
    for (const [index, path] of [cat, canyon].entries()) {
      const vectors = pictures[index]?.vectors ?? [];
      expect(vectors.map(({ way, engine }) => [way, engine])).toEqual([
        ["server", "simd"],
        ["simd", "simd"],
        ["ort-wasm", "ort-wasm"],
      ]);
      for (const { vector } of vectors) await expectGoldenVector(vector, path);
      await expectStatedDifferences(
        page,
        path,
        vectors.map(({ vector }) => vector),
      );
    }
    await page.getByLabel("Vectors of").selectOption("Browser, ONNX Runtime");
    await cardOf(page, catName).getByText("from Browser, ONNX Runtime").waitFor();
    await switchOf(page, "ort-wasm").uncheck();
    await eventually(() => cardOf(page, catName).getByText("Browser, ONNX Runtime").count()).toBe(0);
    await page.context().close();
  });

  test("what no flow may cause is noticed in each of them", async () => {
    const { page, context, problems } = await openPage(site.browser, site.url);
    await page.evaluate(async () => {
      document.body.append(Object.assign(document.createElement("script"), { textContent: "void 0" }));
      await fetch("http://127.0.0.2:9/").catch(() => undefined);
      setTimeout(() => {
        throw new Error("on purpose");
      });
    });
    await eventually(() => problems).toContain("uncaught: on purpose");
    expect(problems.filter((problem) => /^console: .*script-src/.test(problem))).toHaveLength(1);
    expect(problems.filter((problem) => /^console: .*connect-src/.test(problem))).not.toEqual([]);
    await context.close();
  });

  test("a browser without a GPU says so before it downloads anything", async () => {
    const page = await site.open();
    await wayPanel(page, "ort-webgpu")
      .getByText("Not available here. WebGPU finds no GPU in this browser.")
      .waitFor();
    expect(await switchOf(page, "ort-webgpu").isDisabled()).toBe(true);
    await page.context().close();
  });

  test("a GPU that is made of software is said to be slow before it is switched on", async () => {
    const browser = await launchChromium(chromium as string, softwareGpuFlags);
    const { page, problems } = await openPage(browser, site.url);
    await wayPanel(page, "ort-webgpu")
      .getByText(
        "The GPU here is made of software: it may take minutes to start, and a minute for each picture.",
      )
      .waitFor();
    expect(await page.getByText("made of software").count()).toBe(1);
    expect(await switchOf(page, "ort-webgpu").isChecked()).toBe(false);
    expect(problems).toEqual([]);
    await browser.close();
  });

  test("over plain http from another machine only the server computes", async () => {
    const { port } = new URL(site.url);
    const { page, context, problems } = await openPage(site.browser, `http://${otherHost}:${port}/`, {
      expected: /Cross-Origin-Opener-Policy header has been ignored/,
    });
    await wayPanel(page, "simd")
      .getByText(
        "Not available here. Browsers allow it only on pages that come over https or from localhost.",
      )
      .waitFor();
    await chooseFiles(page, cat);
    await untilSettled(page, 1);
    const json = await downloadVectors(
      page,
      cardOf(page, catName).getByRole("button", { name: "Download JSON" }),
    );
    await expectGoldenVector(json.pictures[0]?.vectors[0]?.vector ?? [], cat);
    await cardOf(page, catName).getByRole("button", { name: "Copy vector" }).click();
    await page
      .getByText(/^The vector of .* cannot be copied: .* only pages over https or from localhost copy$/)
      .waitFor();
    expect(problems).toEqual([]);
    await context.close();
  });

  test("a server that wants a token gets it, for its vectors and for the model", async () => {
    const token = "0123456789abcdef".repeat(4);
    const file = join(folder, "tokens");
    writeFileSync(file, `${token}\n`);
    const server = await startPortico({ args: ["--tokens-file", file] });
    const { page, context, problems } = await openPage(site.browser, `http://${server.address}/`, {
      expected: /status of 401/,
    });
    await switchOf(page, "simd").check();
    await wayPanel(page, "server").getByText("The server wants an access token.").waitFor();
    await wayPanel(page, "simd").getByText("The model cannot be downloaded.").waitFor();
    await chooseFiles(page, cat);
    await page.getByLabel("Access token").fill(token);
    await page.getByRole("button", { name: "Use it" }).click();
    await wayPanel(page, "simd").getByText("Ready, engine simd").waitFor();
    await untilSettled(page, 1);
    await cardOf(page, catName).getByText("within the tolerance of 2e-6").waitFor();
    expect(problems).toEqual([]);
    await context.close();
    await server.stop();
  });
});

/** What the page states is what the vectors themselves say. */
async function expectStatedDifferences(
  page: Page,
  path: string,
  vectors: readonly (readonly number[])[],
): Promise<void> {
  const card = cardOf(page, path.split("/")[1] as string);
  await card.getByText("Each with each").or(card.getByText("Each way with each other")).click();
  const differences = vectors.flatMap((a, i) =>
    vectors
      .slice(i + 1)
      .map((b) => Math.max(...a.map((value, index) => Math.abs(value - (b[index] as number))))),
  );
  const stated = await card.locator("[data-largest-difference]").allTextContents();
  const sorted = differences
    .sort((a, b) => b - a)
    .map((value) => (value === 0 ? "0" : value.toExponential(2)));
  expect(stated).toEqual([sorted[0], ...sorted]);
  expect(await card.getByText("within the tolerance of 2e-6").count()).toBe(4);
  expect(await card.getByText("beyond the tolerance").count()).toBe(0);
}
