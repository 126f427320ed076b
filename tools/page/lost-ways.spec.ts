import type { Page, Worker } from "playwright-core";
import { describe, expect, test } from "vitest";
import { requireTool } from "../require-tool.ts";
import { startPortico } from "../start-portico.ts";
import { eventually } from "./eventually.ts";
import { openPage } from "./open-page.ts";
import { cardOf, chooseFiles, flowTimeoutMs, switchOf, untilSettled, wayPanel } from "./page-reader.ts";
import { usePage } from "./use-page.ts";

/** What the real page does when a model, a worker or the server is lost. */

const chromium = requireTool("chromium");
const cat = "photo/locomotion-house-cat.jpg";
const catName = "locomotion-house-cat.jpg";
const canyon = "photo/black-canyon.jpg";

describe.skipIf(chromium === undefined)("ways that are lost", { timeout: flowTimeoutMs }, () => {
  const site = usePage(chromium as string);

  test("a model that cannot be downloaded is said so, and downloaded at the second try", async () => {
    const page = await site.open({
      context: { serviceWorkers: "block" },
      expected: /ERR_FAILED|Service Worker registration blocked/,
    });
    await page.route("**/*.onnx", (route) => route.abort(), { times: 1 });
    await switchOf(page, "simd").check();
    const panel = wayPanel(page, "simd");
    await panel.getByText("The model cannot be downloaded.").waitFor();
    await panel.getByText("MODEL_UNREACHABLE").waitFor();
    await chooseFiles(page, cat);
    await untilSettled(page, 1);
    await cardOf(page, catName).getByText("Not computed. The model cannot be downloaded.").waitFor();
    await panel.getByRole("button", { name: "Try again" }).press("Enter");
    await eventually(() => page.locator(":focus").getAttribute("type")).toBe("checkbox");
    await panel.getByText("Ready, engine simd").waitFor();
    await untilSettled(page, 1);
    await cardOf(page, catName).getByText("within the tolerance of 2e-6").waitFor();
    await page.context().close();
  });

  test("a worker that is lost is said so, and the pictures go on with another one", async () => {
    const page = await site.open();
    await switchOf(page, "server").uncheck();
    await switchOf(page, "simd").check();
    const panel = wayPanel(page, "simd");
    await panel.getByText("Ready, engine simd").waitFor();
    await chooseFiles(page, cat, canyon);
    await loseWorker(page);
    await panel.getByText(/^It was lost once, and another one goes on: .* lost on purpose$/).waitFor();
    await untilSettled(page, 2);
    await page.getByText("2 pictures done.", { exact: true }).first().waitFor();
    await chooseFiles(page, "photo/march-pastoral.jpg");
    await loseWorker(page);
    await panel.getByText(/^It was lost 2 times, and another one goes on: .* lost on purpose$/).waitFor();
    await untilSettled(page, 3);
    await page.context().close();
  });

  test("a server that goes in the middle is said so beside its pictures, and asked again when it is back", async () => {
    const server = await startPortico({ args: ["--workers", "1"] });
    const { page, context, problems } = await openPage(site.browser, `http://${server.address}/`, {
      // Any way in which a connection may be lost.
      expected:
        /ERR_(CONNECTION_(REFUSED|RESET|CLOSED|ABORTED)|SOCKET_NOT_CONNECTED|EMPTY_RESPONSE|INCOMPLETE)/,
    });
    await switchOf(page, "simd").check();
    await wayPanel(page, "simd").getByText("Ready, engine simd").waitFor();
    const paths = [
      cat,
      canyon,
      "photo/march-pastoral.jpg",
      "photo/nagasaki-boats.jpg",
      "photo/dust-bowl-home.jpg",
      "photo/airplane-from-above.jpg",
      "photo/allium-oreophilum.jpg",
      "photo/french-alpine-landscape.jpg",
    ];
    await chooseFiles(page, ...paths);
    await page.locator('[data-way="server"] td:nth-child(4)').first().waitFor();
    await server.stop("SIGKILL");
    await page
      .locator("main > .offline")
      .getByText("The server does not answer. What works: Browser, SIMD kernels.")
      .waitFor();
    await untilSettled(page, paths.length);
    await eventually(() => page.locator('[data-way="simd"] td:nth-child(4)').count()).toBe(paths.length);
    const without = page.locator('[data-way="server"]').getByText("The server does not answer.");
    expect(await without.count()).toBeGreaterThan(0);
    await page.getByText("SERVER_UNREACHABLE").first().waitFor();

    const again = await startPortico({ args: ["--listen", server.address, "--workers", "1"] });
    await wayPanel(page, "server").getByRole("button", { name: "Try again" }).click();
    await eventually(() => page.locator('[data-way="server"] td:nth-child(4)').count()).toBe(paths.length);
    await untilSettled(page, paths.length);
    await page.getByText(`${paths.length} pictures done.`, { exact: true }).first().waitFor();
    expect(problems).toEqual([]);
    await context.close();
    await again.stop();
  });
});

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
