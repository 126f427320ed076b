import type { Page } from "playwright-core";

export interface PoorText {
  readonly text: string;
  readonly ratio: number;
}

/** Contrast that WCAG 2.2 (1.4.3, level AA) asks of text; large text may have less, which is not made use of. */
export const contrastMin = 4.5;

/**
 * Every visible text of a page whose contrast with what lies behind it is too low, by WCAG's formula; switched-off controls
 * too. Backgrounds are plain colours, laid over each other.
 */
export function findPoorText(page: Page): Promise<PoorText[]> {
  return page.evaluate((least) => {
    type Colour = readonly [red: number, green: number, blue: number, alpha: number];
    const parse = (css: string): Colour => {
      const [red = 0, green = 0, blue = 0, alpha = 1] = (css.match(/[\d.]+/g) ?? []).map(Number);
      if (!css.startsWith("rgb")) throw new Error(`expected a colour as rgb(), got ${css}`);
      return [red, green, blue, alpha];
    };
    const over = (top: Colour, under: Colour): Colour => {
      const mix = (i: 0 | 1 | 2) => top[i] * top[3] + under[i] * (1 - top[3]);
      return [mix(0), mix(1), mix(2), 1];
    };
    const backgroundOf = (element: Element | null): Colour => {
      // A page without a colour is drawn on the browser's own, which follows its scheme.
      if (!element)
        return matchMedia("(prefers-color-scheme: dark)").matches ? [18, 18, 18, 1] : [255, 255, 255, 1];
      const colour = parse(getComputedStyle(element).backgroundColor);
      return colour[3] === 1 ? colour : over(colour, backgroundOf(element.parentElement));
    };
    const luminance = (colour: Colour): number => {
      const linear = (i: 0 | 1 | 2) => {
        const part = colour[i] / 255;
        return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
      };
      return 0.2126 * linear(0) + 0.7152 * linear(1) + 0.0722 * linear(2);
    };
    const poor: PoorText[] = [];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      const element = node.parentElement as Element;
      const text = node.textContent?.trim() ?? "";
      if (
        text === "" ||
        !element.checkVisibility({ contentVisibilityAuto: false }) ||
        element.closest("noscript")
      )
        continue;
      const under = backgroundOf(element);
      const [a, b] = [luminance(over(parse(getComputedStyle(element).color), under)), luminance(under)];
      const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
      if (!(ratio >= least)) poor.push({ text, ratio });
    }
    return poor;
  }, contrastMin);
}
