import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { readImage } from "../../fixtures/read-golden.ts";
import { findModelManifest } from "../../src/node/model/model-catalog.ts";
import { requireTool } from "../require-tool.ts";
import { eventually } from "./eventually.ts";
import { expectGoldenPixels, expectGoldenSimilarity, expectGoldenVector } from "./expect-goldens.ts";
import {
  cardOf,
  chooseFiles,
  downloadVectors,
  flowTimeoutMs,
  pictureFile,
  switchOf,
  untilSettled,
  wayPanel,
} from "./page-reader.ts";
import { usePage } from "./use-page.ts";

/** Pictures come into the real page, served by a real server, in a real Chromium. */

const chromium = requireTool("chromium");
const folder = mkdtempSync(join(tmpdir(), "portico-page-"));
afterAll(() => rmSync(folder, { recursive: true }));

const cat = "photo/locomotion-house-cat.jpg";
const catName = "locomotion-house-cat.jpg";
const canyon = "photo/black-canyon.jpg";

describe.skipIf(chromium === undefined)("pictures in the page", { timeout: flowTimeoutMs }, () => {
  const site = usePage(chromium as string);
  let page: Page;
  beforeAll(async () => {
    page = await site.open({ context: { permissions: ["clipboard-read", "clipboard-write"] } });
  });
  afterEach(async () => {
    const removeAll = page.getByRole("button", { name: "Remove all" });
    if (await removeAll.isVisible()) await removeAll.click();
  });

  test("the page says what it is, and which ways there are", async () => {
    expect(await page.title()).toBe("Portico: pictures to vectors");
    expect(await page.locator("html").getAttribute("lang")).toBe("en");
    await wayPanel(page, "server").getByText("Ready, engine simd").waitFor();
    const { fingerprint } = await findModelManifest("resnet50");
    await page.getByRole("contentinfo").getByText(fingerprint).waitFor();
    expect(await page.evaluate(() => crossOriginIsolated)).toBe(true);
  });

  test("a picture that is chosen is shown with its facts, its times and its vector", async () => {
    await chooseFiles(page, cat);
    await untilSettled(page, 1);
    const card = cardOf(page, catName);
    for (const text of ["JPEG", "1024 × 510", "270 KB"]) {
      await card.getByText(text, { exact: true }).waitFor();
    }
    const inWords =
      /^Plot of the vector: 2048 values from 0\.0 to 0\.\d+, the largest at \d+; \d+ of them are 0\.$/;
    await card.getByRole("img", { name: inWords }).waitFor();
    const cells = await card.locator('[data-way="server"] td').allTextContents();
    expect(cells).toEqual(Array(4).fill(expect.stringMatching(/^\d+(\.\d)? (ms|s)$/)));

    const json = await downloadVectors(page, card.getByRole("button", { name: "Download JSON" }));
    const found = json.pictures[0]?.vectors[0];
    await expectGoldenVector(found?.vector ?? [], cat);
    await card.getByText("Vector space").click();
    await card.getByText((await findModelManifest("resnet50")).fingerprint).waitFor();
    expect(found).toMatchObject({ way: "server", engine: "simd" });
  });

  test.each([cat, canyon, "png/rgb-223x225.png"])("the preview of %s has Pillow's pixels", async (path) => {
    await chooseFiles(page, path);
    const card = cardOf(page, path.split("/")[1] as string);
    await card.getByRole("img", { name: / as the model sees it, 224 by 224 pixels$/ }).waitFor();
    await expectGoldenPixels(card, path);
  });

  test("files are dropped anywhere on the page", async () => {
    const cdp = await page.context().newCDPSession(page);
    const place = (await page.getByRole("heading", { name: "Ways" }).boundingBox()) as {
      x: number;
      y: number;
    };
    const data = { items: [], files: [pictureFile(cat), pictureFile(canyon)], dragOperationsMask: 1 };
    const drag = (type: "dragEnter" | "dragOver" | "drop") =>
      cdp.send("Input.dispatchDragEvent", { type, x: place.x, y: place.y, data });
    await drag("dragEnter");
    await drag("dragOver");
    await page.locator("html.is-dropping").waitFor();
    await drag("drop");
    await untilSettled(page, 2);
    await cardOf(page, catName).getByText("Server (simd)").waitFor();
    expect(await page.locator("html.is-dropping").count()).toBe(0);
  });

  test("a picture is pasted", async () => {
    await page.evaluate(
      async (bytes) => {
        const blob = new Blob([Uint8Array.from(bytes)], { type: "image/png" });
        await navigator.clipboard.write([new ClipboardItem({ "image/png": blob })]);
      },
      [...readImage("png/rgb-8bit.png")],
    );
    await page.keyboard.press("Control+V");
    await untilSettled(page, 1);
    await cardOf(page, "image.png").getByText("PNG", { exact: true }).waitFor();
  });

  test("a vector is copied", async () => {
    await chooseFiles(page, cat);
    await untilSettled(page, 1);
    const card = cardOf(page, catName);
    const button = (words: string) =>
      card.getByRole("button", { name: `${words} of ${catName}`, exact: true });
    // Awaited from before the click on: it is said for a short time.
    const said = [
      button("Copied").waitFor(),
      card.getByRole("status").getByText(`The vector of ${catName} is copied: 2048 numbers.`).waitFor(),
    ];
    await button("Copy vector").click();
    await Promise.all(said);
    await button("Copy vector").waitFor();
    expect(await card.getByRole("status").textContent()).toBe("");
    const copied = await page.evaluate(() => navigator.clipboard.readText());
    await expectGoldenVector(JSON.parse(copied) as number[], cat);
  });

  test("broken pictures among others have their error beside them, and the others their vectors", async () => {
    const good = [cat, canyon, "photo/march-pastoral.jpg"] as const;
    const [first, second, third] = good;
    await chooseFiles(page, first, "bad/png-truncated.png", second, "bad/text.jpg", "bad/empty.jpg", third);
    await untilSettled(page, 6);
    await page.getByText("6 pictures done, 3 with an error.", { exact: true }).waitFor();
    for (const [name, sentence, reason] of [
      ["png-truncated.png", "The picture is damaged or incomplete.", "IMAGE_CORRUPT"],
      ["text.jpg", "A file of this kind is not read here", "IMAGE_UNSUPPORTED"],
      ["empty.jpg", "The file is empty.", "SOURCE_EMPTY"],
    ] as const) {
      await cardOf(page, name).getByText(sentence).waitFor();
      await cardOf(page, name).getByText(reason).waitFor();
    }
    await expectGoldenSimilarity(page, good);
    const all = await downloadVectors(page, page.getByRole("button", { name: "Download all as JSON" }));
    expect(all.pictures.map(({ error, vectors }) => error?.reason ?? vectors.length)).toEqual([
      ...[1, "IMAGE_CORRUPT", 1, "IMAGE_UNSUPPORTED", "SOURCE_EMPTY", 1],
    ]);
  });

  test("a picture is removed, and what was compared with it", async () => {
    await chooseFiles(page, cat, canyon);
    await untilSettled(page, 2);
    await page.getByRole("heading", { name: "Similarity" }).waitFor();
    await page.getByRole("button", { name: `Remove ${catName}` }).click();
    await untilSettled(page, 1);
    expect(await cardOf(page, catName).count()).toBe(0);
    expect(await page.getByRole("heading", { name: "Similarity" }).count()).toBe(0);
  });

  test("a preview that never comes leaves its picture to the ways, and the next one comes", async () => {
    const own = await site.open();
    await chooseFiles(own, cat);
    await untilSettled(own, 1);
    await own.clock.install();
    const worker = own.workers().find((one) => one.url().includes("preview-worker"));
    await worker?.evaluate(() => void setTimeout(() => close()));
    await eventually(() => own.workers().length).toBe(0);
    await chooseFiles(own, canyon, "photo/march-pastoral.jpg");
    const card = cardOf(own, "black-canyon.jpg");
    await card.getByText("Reading the picture").waitFor();
    await own.clock.fastForward(30_000);
    await card.getByText("The picture took too long.").waitFor();
    await card.getByText("expected a preview within 30000 ms").waitFor();
    await card.locator('[data-way="server"] td').nth(3).waitFor();
    await cardOf(own, "march-pastoral.jpg").locator("canvas").waitFor();
    await card.getByRole("button", { name: "Try again" }).press("Enter");
    await eventually(() => own.locator(":focus").getAttribute("data-picture")).toBe("black-canyon.jpg");
    await card.locator("canvas").waitFor();
    await own.context().close();
  });

  test("a file that is too large is not read, and more pictures than the page holds are left out", async () => {
    const large = join(folder, "large.png");
    writeFileSync(large, "");
    truncateSync(large, 100_600_000);
    await page.getByLabel("Choose pictures").setInputFiles(large);
    await cardOf(page, "large.png").getByText("expected a file of at most 100 MB, got 101 MB").waitFor();
    await switchOf(page, "server").uncheck();
    const pixel = { mimeType: "image/png", buffer: Buffer.from(readImage("png/rgb-1x1.png")) };
    await page
      .getByLabel("Choose pictures")
      .setInputFiles(Array.from({ length: 201 }, (_, index) => ({ name: `${index}.png`, ...pixel })));
    await page.getByText("This page holds 200 pictures at most; 2 of 201 were left out.").waitFor();
    await untilSettled(page, 200);
    await switchOf(page, "server").check();
  });
});
