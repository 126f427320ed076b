import type { Locator, Page } from "playwright-core";
import { beforeAll, describe, expect, test } from "vitest";
import { requireTool } from "../require-tool.ts";
import { findUnnamed } from "./accessible-names.ts";
import { eventually } from "./eventually.ts";
import {
  cardOf,
  chooseFiles,
  flowTimeoutMs,
  pictureFile,
  switchOf,
  untilSettled,
  wayPanel,
} from "./page-reader.ts";
import { findPoorText } from "./text-contrast.ts";
import { usePage } from "./use-page.ts";

/** The real page for those who use no mouse, see little, or have a small screen. */

const chromium = requireTool("chromium");
const pictures = [
  "photo/locomotion-house-cat.jpg",
  "bad/png-truncated.png",
  "photo/black-canyon.jpg",
  "photo/march-pastoral.jpg",
];

describe.skipIf(chromium === undefined)("the page is accessible", { timeout: flowTimeoutMs }, () => {
  const site = usePage(chromium as string);
  /** With pictures, an error, a table, a way that failed and one that is not there. */
  let page: Page;
  beforeAll(async () => {
    page = await site.open({ expected: /ERR_FAILED/, context: { reducedMotion: "reduce" } });
    await page.route("**/*.onnx", (route) => route.abort());
    await page.context().route("**/*.onnx", (route) => route.abort());
    await switchOf(page, "simd").check();
    await chooseFiles(page, ...pictures);
    await untilSettled(page, pictures.length);
    await wayPanel(page, "simd").getByText("The model cannot be downloaded.").waitFor();
    await page.getByText("Vector space", { exact: true }).first().click();
    await page.evaluate(() => document.documentElement.classList.add("is-dropping"));
    await page.context().setOffline(true);
    await page.locator("main > .offline").waitFor();
  });

  test.each(["light", "dark"] as const)(
    "text has enough contrast where the scheme is %s",
    async (colorScheme) => {
      await page.emulateMedia({ colorScheme });
      expect(await findPoorText(page)).toEqual([]);
      await page.emulateMedia({ colorScheme, contrast: "more" });
      expect(await findPoorText(page)).toEqual([]);
      await page.emulateMedia({ colorScheme: null, contrast: null });
    },
  );

  test("the check of contrast finds what is too faint", async () => {
    await page.evaluate(() =>
      document.querySelector<HTMLElement>("h1")?.style.setProperty("color", "#8a8f98"),
    );
    expect(await findPoorText(page)).toEqual([{ text: "Portico", ratio: expect.closeTo(2.98, 1) }]);
    await page.evaluate(() => document.querySelector<HTMLElement>("h1")?.style.removeProperty("color"));
  });

  test("everything that needs a name has one", async () => {
    expect(await findUnnamed(page)).toEqual([]);
  });

  test("the check of names finds what has none", async () => {
    await page.evaluate(() => document.querySelector("main")?.prepend(document.createElement("button")));
    expect(await findUnnamed(page)).toEqual([expect.stringMatching(/^button /)]);
    await page.evaluate(() => document.querySelector("main > button")?.remove());
  });

  test("what tells screen readers news is there before there is any, and not seen", async () => {
    const own = await site.open();
    expect(await own.getByRole("status").count()).toBe(2);
    const notice = own.locator(".notice");
    expect(await notice.boundingBox()).toMatchObject({ width: 1, height: 1 });
    expect(await notice.textContent()).toBe("");
    await own.context().close();
  });

  test("headings, landmarks and the list of pictures give its order", async () => {
    const headings = await page
      .locator("h1, h2, h3")
      .evaluateAll((all) => all.map(({ tagName }) => Number(tagName[1])));
    expect(headings.filter((level) => level === 1)).toHaveLength(1);
    for (const [index, level] of headings.entries()) {
      expect(level - (headings[index - 1] ?? 0)).toBeLessThanOrEqual(1);
    }
    for (const role of ["banner", "main", "contentinfo"] as const) {
      expect(await page.getByRole(role).count()).toBe(1);
    }
    expect(
      await page
        .getByRole("listitem")
        .filter({ has: page.getByRole("heading") })
        .count(),
    ).toBe(4);
    const columns = await page.getByRole("columnheader", { name: /^\d$/ }).count();
    expect(columns).toBe(3);
  });

  test.each([
    { what: "320 pixels", width: 320, deviceScaleFactor: 1 },
    { what: "1280 pixels at 200 %", width: 640, deviceScaleFactor: 2 },
    { what: "1280 pixels at 400 %", width: 320, deviceScaleFactor: 4 },
  ])("nothing is cut off or scrolls sideways at $what", async ({ width, deviceScaleFactor }) => {
    const cdp = await page.context().newCDPSession(page);
    await cdp.send("Emulation.setDeviceMetricsOverride", {
      width,
      height: 800,
      deviceScaleFactor,
      mobile: false,
    });
    const wide = await page.evaluate(() => {
      const room = document.documentElement.clientWidth;
      const elements = [...document.querySelectorAll("body *:not(.unseen, .scroll *)")];
      return elements
        .filter((element) => element.checkVisibility() && element.getBoundingClientRect().right > room + 1)
        .map(({ outerHTML }) => outerHTML.slice(0, 80));
    });
    expect(wide).toEqual([]);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(width);
    await cdp.send("Emulation.clearDeviceMetricsOverride");
    await cdp.detach();
  });

  test("a table of many pictures scrolls by itself where there is no room for it", async () => {
    const own = await site.open({ context: { viewport: { width: 320, height: 800 } } });
    const small = ["1bit", "2bit", "4bit", "8bit"].flatMap((bits) =>
      [`grey-${bits}`, `grey-${bits}-interlaced`, `palette-${bits}`].map((name) => `png/${name}.png`),
    );
    await chooseFiles(own, ...small);
    await untilSettled(own, small.length);
    await own.getByRole("columnheader", { name: "12", exact: true }).waitFor();
    expect(await own.evaluate(() => document.documentElement.scrollWidth)).toBe(320);
    await own.context().close();
  });

  test("nothing moves for those who want no motion", async () => {
    const moving = await page.evaluate(() => document.getAnimations().length);
    expect(moving).toBe(0);
  });

  test("all is done by keyboard, and the focus is seen wherever it is", async () => {
    const own = await site.open();
    const press = (key: string) => own.keyboard.press(key);
    // Asked for first: the browser has to be told to leave its own dialog out.
    const chooser = own.waitForEvent("filechooser");
    await wayPanel(own, "server").getByText("Ready, engine simd").waitFor();
    await press("Tab");
    await press("Enter");
    await (await chooser).setFiles([pictureFile(pictures[0] as string), pictureFile(pictures[2] as string)]);
    await untilSettled(own, 2);

    const reached = await tabThrough(own);
    const controls = await own
      .locator("input:enabled, button, select, summary, [tabindex='0']")
      .evaluateAll((all) => all.filter((element) => element.checkVisibility()).length);
    expect(reached).toHaveLength(controls);
    expect(reached.filter(({ isSeen }) => !isSeen)).toEqual([]);

    await focusOn(own, "Browser, SIMD kernels");
    await press("Space");
    await eventually(() => switchOf(own, "simd").isChecked()).toBe(true);
    await press("Space");
    await eventually(() => switchOf(own, "simd").isChecked()).toBe(false);
    await focusOn(own, "Remove locomotion-house-cat.jpg");
    await press("Enter");
    await eventually(() => cardOf(own, "locomotion-house-cat.jpg").count()).toBe(0);
    await focusOn(own, "Remove all");
    await press("Enter");
    await eventually(() => own.locator(".card").count()).toBe(0);
    await own.context().close();
  });

  test("the focus goes on to what is beside a picture that goes", async () => {
    const own = await site.open({ context: { viewport: { width: 400, height: 600 } } });
    const names = ["grey-1bit", "grey-2bit", "grey-4bit", "grey-8bit"].map((name) => `${name}.png`);
    const focused = own.locator(":focus");
    const expectFocus = async (name: string) => {
      await eventually(() => own.locator(".card").count()).toBe(names.length);
      await eventually(async () => (await focused.textContent()) || focused.getAttribute("id")).toBe(name);
      await eventually(() => isInView(focused)).toBe(true);
    };
    await chooseFiles(own, ...names.map((name) => `png/${name}`));
    await untilSettled(own, 4);
    await focusOn(own, "Remove grey-2bit.png");
    for (const [gone, next] of [
      [1, "Remove grey-4bit.png"],
      [1, "Remove grey-8bit.png"],
      [1, "Remove grey-1bit.png"],
      [0, "files"],
    ] as const) {
      names.splice(gone, 1);
      await own.keyboard.press("Enter");
      await expectFocus(next);
    }
    names.push("grey-1bit.png", "grey-2bit.png");
    await chooseFiles(own, ...names.map((name) => `png/${name}`));
    await untilSettled(own, 2);
    await focusOn(own, "Remove all");
    names.length = 0;
    await own.keyboard.press("Enter");
    await expectFocus("files");
    await own.context().close();
  });
});

/** Places on a screen are scrolled to in whole pixels. */
const isInView = (locator: Locator): Promise<boolean> =>
  locator.evaluate((element) => {
    const { top, bottom } = element.getBoundingClientRect();
    return top > -1 && bottom < innerHeight + 1;
  });

interface Reached {
  readonly name: string;
  /** Whether it, or the field that it fills, is drawn round. */
  readonly isSeen: boolean;
}

/** What the key Tab reaches, from the top until it leaves the page. */
async function tabThrough(page: Page): Promise<Reached[]> {
  // Tab goes on from where the focus was last.
  await page.evaluate(() => {
    const title = document.querySelector("h1") as HTMLElement;
    title.tabIndex = -1;
    title.focus();
    title.removeAttribute("tabindex");
  });
  const reached: Reached[] = [];
  for (;;) {
    await page.keyboard.press("Tab");
    const one = await page.evaluate(() => {
      const element = document.activeElement;
      if (!element || element === document.body) return undefined;
      const outlined = element.closest(".drop") ?? element;
      const { outlineStyle, outlineWidth } = getComputedStyle(outlined);
      const name = element.getAttribute("aria-label") ?? element.textContent ?? "";
      return { name, isSeen: outlineStyle !== "none" && Number.parseFloat(outlineWidth) >= 2 };
    });
    if (!one) return reached;
    reached.push(one);
    if (reached.length > 200) throw new Error("the key Tab never leaves the page");
  }
}

/** Moves on by Tab until a control with this label has the focus. */
async function focusOn(page: Page, label: string): Promise<void> {
  for (let steps = 0; steps < 100; steps++) {
    const text = await page.evaluate(() => {
      const { activeElement } = document;
      const [labelElement] = (activeElement as HTMLInputElement | null)?.labels ?? [];
      return (labelElement ?? activeElement)?.textContent;
    });
    if (text === label) return;
    await page.keyboard.press("Tab");
  }
  throw new Error(`the key Tab does not reach ${label}`);
}
