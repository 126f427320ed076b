import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium as browserType } from "playwright-core";
import { describe, expect, test } from "vitest";
import { requireTool } from "../require-tool.ts";
import { startPortico } from "../start-portico.ts";
import { openPage } from "./open-page.ts";
import {
  cardOf,
  chooseFiles,
  flowTimeoutMs,
  switchOf,
  untilSettled,
  wayPanel,
  workTimeoutMs,
} from "./page-reader.ts";
import { usePage } from "./use-page.ts";

/** The real page without its network, and in a browser that has no room. */

const chromium = requireTool("chromium");

describe.skipIf(chromium === undefined)("the page by itself", { timeout: flowTimeoutMs }, () => {
  const site = usePage(chromium as string);

  test("after the first visit it opens and computes without a network, and finds the server again", async () => {
    const server = await startPortico({ args: ["--workers", "1"] });
    const { page, context, problems } = await openPage(site.browser, `http://${server.address}/`, {
      expected: /ERR_INTERNET_DISCONNECTED|ERR_CONNECTION_REFUSED/,
    });
    const offline = page.locator("main > .offline");
    await wayPanel(page, "server").getByText("Ready, engine simd").waitFor();
    expect(await offline.count()).toBe(0);
    await switchOf(page, "simd").check();
    await wayPanel(page, "simd").getByText("Ready, engine simd").waitFor();
    await page.evaluate(async () => void (await navigator.serviceWorker.ready));

    await server.stop("SIGKILL");
    await context.setOffline(true);
    await offline.getByText("You are offline. What works: Browser, SIMD kernels.").waitFor();
    await page.reload();
    await offline.getByText("You are offline.").waitFor();
    await wayPanel(page, "server").getByText("The server does not answer.").waitFor();
    await wayPanel(page, "simd").getByText("Ready, engine simd").waitFor();
    await offline.getByText("What works: Browser, SIMD kernels.").waitFor();
    // PNG and WebP have decoders that are fetched apart.
    const names = ["locomotion-house-cat.jpg", "rgb-8bit.png", "lossless.webp"];
    await chooseFiles(page, "photo/locomotion-house-cat.jpg", "png/rgb-8bit.png", "webp/lossless.webp");
    await untilSettled(page, names.length);
    for (const name of names) {
      await cardOf(page, name).locator("canvas").waitFor();
      await cardOf(page, name).locator('[data-way="simd"] td').nth(3).waitFor();
    }

    const again = await startPortico({ args: ["--listen", server.address, "--workers", "1"] });
    await context.setOffline(false);
    await wayPanel(page, "server").getByText("Ready, engine simd").waitFor();
    await untilSettled(page, names.length);
    for (const name of names) await cardOf(page, name).getByText("within the tolerance of 2e-6").waitFor();
    expect(await offline.count()).toBe(0);
    expect(problems).toEqual([]);
    await context.close();
    await again.stop();
  });

  test("without room for the model it works, and says that the model was not kept", async () => {
    const page = await site.open();
    const cdp = await page.context().newCDPSession(page);
    const origin = site.url.replace(/\/$/, "");
    await cdp.send("Storage.overrideQuotaForOrigin", { origin, quotaSize: 1_000_000 });
    await switchOf(page, "simd").check();
    await wayPanel(page, "simd").getByText("Ready, engine simd").waitFor();
    const words =
      /^It works, but the browser could not keep the model, so the next visit downloads it again: .*quota/i;
    await wayPanel(page, "simd").getByText(words).waitFor();
    await chooseFiles(page, "photo/locomotion-house-cat.jpg");
    await untilSettled(page, 1);
    await cardOf(page, "locomotion-house-cat.jpg").getByText("within the tolerance of 2e-6").waitFor();
    await page.context().close();
  });

  test("in a browser that lets no site keep anything it works, though it gets no lock there either", async () => {
    const profile = await mkdtemp(join(tmpdir(), "portico-profile-"));
    await mkdir(join(profile, "Default"));
    const blocked = { profile: { default_content_setting_values: { cookies: 2 } } };
    await writeFile(join(profile, "Default/Preferences"), JSON.stringify(blocked));
    const context = await browserType.launchPersistentContext(profile, {
      executablePath: chromium as string,
      args: ["--no-sandbox"],
    });
    context.setDefaultTimeout(workTimeoutMs);
    const page = await context.newPage();
    await page.goto(site.url);
    const locks = await page.evaluate(() => navigator.locks.request("any", () => "granted").catch(String));
    expect(locks).toContain("SecurityError");
    await switchOf(page, "simd").check();
    await wayPanel(page, "simd").getByText("Ready, engine simd").waitFor();
    await wayPanel(page, "simd")
      .getByText(/^It works, but the browser could not keep the model/)
      .waitFor();
    await context.close();
    await rm(profile, { recursive: true });
  });
});
