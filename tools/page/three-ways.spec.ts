import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page, Worker } from "playwright-core";
import { afterAll, describe, expect, test } from "vitest";
import { requireTool } from "../require-tool.ts";
import { startPortico } from "../start-portico.ts";
import { expectGoldenVector } from "./expect-goldens.ts";
import { openPage } from "./open-page.ts";
import {
  cardOf,
  chooseFiles,
  downloadVectors,
  switchOf,
  untilSettled,
  wayPanel,
  workTimeoutMs,
} from "./page-reader.ts";
import { usePage } from "./use-page.ts";

/** The ways to a vector in the real page, what becomes of them when something is lost, and how far they lie apart. */

const chromium = requireTool("chromium");
const cat = "photo/locomotion-house-cat.jpg";
const catName = "locomotion-house-cat.jpg";
const canyon = "photo/black-canyon.jpg";
const folder = mkdtempSync(join(tmpdir(), "portico-ways-"));
afterAll(() => rmSync(folder, { recursive: true }));

describe.skipIf(chromium === undefined)("ways of the page", () => {
  const site = usePage(chromium as string);

  test("server and both engines of the browser agree; the download is seen, and done once", async () => {
    const page = await site.open();
    const models: string[] = [];
    page.context().on("request", (request) => {
      if (request.url().endsWith(".onnx")) models.push(request.url());
    });
    const cdp = await page.context().newCDPSession(page);
    const throughput = { latency: 0, uploadThroughput: -1, downloadThroughput: 60_000_000, offline: false };
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
    await wayPanel(page, "simd").getByText("Ready, engine simd").waitFor({ timeout: workTimeoutMs });
    await wayPanel(page, "ort-wasm").getByText("Ready, engine ort-wasm").waitFor({ timeout: workTimeoutMs });
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
    await expect.poll(() => cardOf(page, catName).getByText("Browser, ONNX Runtime").count()).toBe(0);
    await page.context().close();
  });

  test("a browser without a GPU says so before it downloads anything", async () => {
    const page = await site.open();
    await wayPanel(page, "ort-webgpu")
      .getByText("Not available here. WebGPU finds no GPU in this browser.")
      .waitFor();
    expect(await switchOf(page, "ort-webgpu").isDisabled()).toBe(true);
    await page.context().close();
  });

  test("a model that cannot be downloaded is said so, and downloaded at the second try", async () => {
    const page = await site.open({
      context: { serviceWorkers: "block" },
      expected: /ERR_FAILED|Service Worker registration blocked/,
    });
    await page.route("**/*.onnx", (route) => route.abort(), { times: 1 });
    await switchOf(page, "simd").check();
    const panel = wayPanel(page, "simd");
    await panel.getByText("The model cannot be downloaded.").waitFor({ timeout: workTimeoutMs });
    await panel.getByText("MODEL_UNREACHABLE").waitFor();
    await chooseFiles(page, cat);
    await untilSettled(page, 1);
    await cardOf(page, catName).getByText("Not computed. The model cannot be downloaded.").waitFor();
    await panel.getByRole("button", { name: "Try again" }).click();
    await panel.getByText("Ready, engine simd").waitFor({ timeout: workTimeoutMs });
    await untilSettled(page, 1);
    await cardOf(page, catName).getByText("within the tolerance of 2e-6").waitFor();
    await page.context().close();
  });

  test("a worker that is lost is said so, and the pictures go on with another one", async () => {
    const page = await site.open();
    await switchOf(page, "server").uncheck();
    await switchOf(page, "simd").check();
    const panel = wayPanel(page, "simd");
    await panel.getByText("Ready, engine simd").waitFor({ timeout: workTimeoutMs });
    await chooseFiles(page, cat, canyon);
    await loseWorker(page);
    await panel.getByText(/^It was lost once, and another one goes on: .* lost on purpose$/).waitFor();
    await untilSettled(page, 2);
    await page.getByText("2 pictures done.", { exact: true }).first().waitFor();
    await page.context().close();
  });

  test("a server that goes in the middle is said so beside its pictures, and asked again when it is back", async () => {
    const server = await startPortico({ args: ["--workers", "1"] });
    const { page, context, problems } = await openPage(site.browser, `http://${server.address}/`, {
      expected: /ERR_CONNECTION_REFUSED|ERR_EMPTY_RESPONSE|ERR_CONNECTION_RESET|ERR_INCOMPLETE/,
    });
    await switchOf(page, "simd").check();
    await wayPanel(page, "simd").getByText("Ready, engine simd").waitFor({ timeout: workTimeoutMs });
    const paths = [
      cat,
      canyon,
      "photo/march-pastoral.jpg",
      "photo/nagasaki-boats.jpg",
      "photo/dust-bowl-home.jpg",
    ];
    await chooseFiles(page, ...paths);
    await page.locator('[data-way="server"] td:nth-child(4)').first().waitFor({ timeout: workTimeoutMs });
    await server.stop("SIGKILL");
    await page
      .locator("main > .offline")
      .getByText("The server does not answer. What works: Browser, SIMD kernels.")
      .waitFor();
    await untilSettled(page, 5);
    await expect.poll(() => page.locator('[data-way="simd"] td:nth-child(4)').count()).toBe(5);
    const without = page.locator('[data-way="server"]').getByText("The server does not answer.");
    expect(await without.count()).toBeGreaterThan(0);
    await page.getByText("SERVER_UNREACHABLE").first().waitFor();

    const again = await startPortico({ args: ["--listen", server.address, "--workers", "1"] });
    await wayPanel(page, "server").getByRole("button", { name: "Try again" }).click();
    await expect
      .poll(() => page.locator('[data-way="server"] td:nth-child(4)').count(), { timeout: workTimeoutMs })
      .toBe(5);
    await untilSettled(page, 5);
    await page.getByText("5 pictures done.", { exact: true }).first().waitFor();
    expect(problems).toEqual([]);
    await context.close();
    await again.stop();
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
    await wayPanel(page, "simd")
      .getByText("The model cannot be downloaded.")
      .waitFor({ timeout: workTimeoutMs });
    await chooseFiles(page, cat);
    await page.getByLabel("Access token").fill(token);
    await page.getByRole("button", { name: "Use it" }).click();
    await wayPanel(page, "simd").getByText("Ready, engine simd").waitFor({ timeout: workTimeoutMs });
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

/** Ends the worker of the engine by an error that nobody catches there. */
async function loseWorker(page: Page): Promise<void> {
  const workers: Worker[] = page.workers().filter((worker) => worker.url().includes("embed-worker"));
  expect(workers).toHaveLength(1);
  await workers[0]?.evaluate(() => {
    setTimeout(() => {
      throw new Error("lost on purpose");
    });
  });
}
