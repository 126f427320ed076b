import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { decodePng } from "../../src/image/decode-png.ts";
import { readVectorGolden } from "../../src/node/model/vector-golden.ts";
import { packageFile } from "../../src/node/package-file.ts";
import { requireTool } from "../require-tool.ts";
import { runPortico } from "../run-portico.ts";
import type { ProgramEnd } from "../run-to-end.ts";
import { findUnnamed } from "./accessible-names.ts";
import { launchChromium, type OpenedPage, openPage } from "./open-page.ts";
import { findPoorText } from "./text-contrast.ts";

/** The page of a real `portico compare`, of two variants of ResNet50, as text and in a browser. */

/** Three photographs under other names, one of them meant to do harm, and a file that no model takes. */
const hostile = `<img src=x onerror=alert(1)>"'&\u202e.jpg`;
const pictures: Readonly<Record<string, string>> = {
  [hostile]: "photo/march-pastoral.jpg",
  "a/airplane.jpg": "photo/airplane-from-above.jpg",
  "boats.jpg": "photo/nagasaki-boats.jpg",
  "canyon.jpg": "photo/black-canyon.jpg",
};
const names = Object.keys(pictures);
/** As the page shows it: what would not be seen is replaced. */
const shown = (name: string) => name.replaceAll("\u202e", "\ufffd");
const count = 2;

let folder: string;
let run: ProgramEnd;
let html: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "portico-compare-page-"));
  const dir = join(folder, "photos");
  await mkdir(join(dir, "a"), { recursive: true });
  await Promise.all(
    Object.entries(pictures).map(([name, from]) =>
      copyFile(packageFile(`fixtures/images/${from}`), join(dir, name)),
    ),
  );
  await writeFile(join(dir, "broken.png"), "<script>alert(2)</script>");
  const out = ["--out", join(folder, "page.html"), "--neighbours", String(count)];
  run = await runPortico(["compare", "--models", "resnet50,resnet50:fp16", "--dir", dir, ...out]);
  html = await readFile(join(folder, "page.html"), "utf8");
});
afterAll(() => rm(folder, { recursive: true }));

test("the command says what it wrote and what is left out", async () => {
  expect(run.code).toBe(1);
  expect(run.stdout).toMatch(
    /^.*page\.html: 4 of 5 pictures\nresnet50 and resnet50 fp16 share \d+\.\d % of 2 neighbours, and have the same nearest for \d+\.\d % of the pictures\n$/,
  );
  expect(run.stderr.trimEnd().split("\n").slice(-2)).toEqual([
    expect.stringMatching(/^portico: broken\.png: resnet50: IMAGE_UNSUPPORTED: /),
    "portico: 1 of 5 pictures were left out; the lines above say why",
  ]);
  expect(await readdir(folder)).toEqual(["page.html", "photos"]);
});

test("the file needs nothing else and holds no name as markup", () => {
  expect(html).not.toMatch(/<script|<img|https?:/i);
  expect(html.match(/ href="(?!#|data:image\/jpeg;base64,)/g)).toBeNull();
  expect(html.match(/data:image\/jpeg/g)).toHaveLength(names.length);
  expect(html.length).toBeLessThan(60_000);
});

/** What real Keras's vectors say: other rows by falling cosine, and their squared distance 2 - 2 cos. */
async function kerasNeighbours() {
  const goldens = await Promise.all(Object.values(pictures).map(readVectorGolden));
  const vectors = goldens.map(({ vector }) => vector);
  return new Map(
    vectors.map((own, query) => {
      const others = vectors.map((other, index) => ({
        name: shown(names[index] as string),
        cosine: own.reduce((sum, value, i) => sum + value * (other[i] as number), 0),
      }));
      const nearest = others.filter((_, index) => index !== query).sort((a, b) => b.cosine - a.cosine);
      return [shown(names[query] as string), nearest.slice(0, count)];
    }),
  );
}

const chromium = requireTool("chromium");
describe.skipIf(chromium === undefined)("in a browser", () => {
  let browser: Browser;
  let opened: OpenedPage;
  let page: Page;
  beforeAll(async () => {
    browser = await launchChromium(chromium as string);
    opened = await openPage(browser, pathToFileURL(join(folder, "page.html")).href);
    page = opened.page;
  });
  afterAll(() => browser?.close());

  test("it opens without a problem and shows every thumbnail", async () => {
    expect(opened.problems).toEqual([]);
    const stored = await page.locator("defs image").evaluateAll((all) =>
      Promise.all(
        all.map(async (element) => {
          const image = new Image();
          image.src = element.getAttribute("href") ?? "";
          await image.decode();
          return (
            [image.naturalWidth, image.naturalHeight].join() ===
            ["width", "height"].map((side) => element.getAttribute(side)).join()
          );
        }),
      ),
    );
    expect(stored).toEqual(names.map(() => true));
    const thumbnails = page.locator(".thumb");
    expect(await thumbnails.count()).toBe(names.length * (1 + 2 * count));
    // What is drawn is a photograph, not an empty frame.
    for (const thumbnail of [thumbnails.first(), thumbnails.last()]) {
      const { data } = await decodePng(await thumbnail.screenshot());
      const greens = new Set(data.filter((_, index) => index % 3 === 1));
      expect(greens.size).toBeGreaterThan(50);
    }
  });

  test("its neighbours and distances are those of real Keras's vectors", async () => {
    const expected = await kerasNeighbours();
    const rows = await page.locator("article").evaluateAll((articles) =>
      articles.map((article) => ({
        name: article.querySelector("h2")?.textContent ?? "",
        models: [...article.querySelectorAll("section")].map((section) => ({
          label: section.querySelector("h3")?.textContent,
          near: [...section.querySelectorAll("li")].map((item) => ({
            name: item.querySelector("bdi")?.textContent,
            numbers: [...item.querySelectorAll(".number")].map(({ textContent }) => textContent),
            target: document.querySelector(`${item.querySelector("a")?.getAttribute("href")} h2`)
              ?.textContent,
          })),
        })),
      })),
    );
    expect(rows.map(({ name }) => name).sort()).toEqual([...expected.keys()].sort());
    for (const { name, models } of rows) {
      expect(models.map(({ label }) => label)).toEqual(["resnet50", "resnet50 fp16"]);
      for (const [index, { near }] of models.entries()) {
        const nearest = expected.get(name) ?? [];
        expect(near.map(({ name }) => name)).toEqual(nearest.map(({ name }) => name));
        // fp32 to the four digits that are shown; fp16 is a vector space of its own.
        const digits = index === 0 ? 3 : 2;
        for (const [rank, { name, numbers, target }] of near.entries()) {
          const { cosine } = nearest[rank] as { cosine: number };
          const [squaredL2, shownCosine] = numbers.map((text) => Number(text?.replace(/^\S+ /, "")));
          expect(squaredL2).toBeCloseTo(2 - 2 * cosine, digits);
          expect(shownCosine).toBeCloseTo(cosine, digits);
          expect(target).toBe(name);
        }
      }
    }
  });

  test("it says of each model what it is, and what is left out", async () => {
    const manifest = JSON.parse(await readFile(packageFile("models/resnet50/manifest.json"), "utf8")) as {
      fingerprint: string;
      variants: { fp16: { fingerprint: string } };
    };
    const cards = await page.locator(".model").allInnerTexts();
    expect(cards[0]).toContain("2048");
    expect(cards[0]).toContain(manifest.fingerprint);
    expect(cards[1]).toContain(manifest.variants.fp16.fingerprint);
    expect(await page.getByRole("region", { name: "1 picture is left out" }).innerText()).toMatch(
      /broken\.png \(resnet50\): IMAGE_UNSUPPORTED: /,
    );
  });

  test.each(["light", "dark"] as const)(
    "every text can be read where the scheme is %s",
    async (colorScheme) => {
      await page.emulateMedia({ colorScheme });
      expect(await findPoorText(page)).toEqual([]);
      await page.emulateMedia({ colorScheme: null });
    },
  );

  test("everything has a name, and headings give the order", async () => {
    expect(await findUnnamed(page)).toEqual([]);
    const levels = await page
      .locator("h1, h2, h3")
      .evaluateAll((all) => all.map(({ tagName }) => Number(tagName[1])));
    expect(levels.filter((level) => level === 1)).toHaveLength(1);
    for (const [index, level] of levels.entries()) {
      expect(level - (levels[index - 1] ?? 0)).toBeLessThanOrEqual(1);
    }
  });

  test("nothing scrolls sideways on 320 pixels, and on paper no row is torn apart", async () => {
    await page.setViewportSize({ width: 320, height: 800 });
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(320);
    await page.emulateMedia({ media: "print" });
    const breaks = await page
      .locator("article")
      .evaluateAll((all) => all.map((row) => getComputedStyle(row).breakInside));
    expect(new Set(breaks)).toEqual(new Set(["avoid"]));
    expect((await page.pdf()).length).toBeGreaterThan(20_000);
    await page.emulateMedia({ media: null });
    await page.setViewportSize({ width: 1280, height: 900 });
  });
});
