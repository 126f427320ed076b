import { readFile } from "node:fs/promises";
import type { Locator, Page } from "playwright-core";
import { packageFile } from "../../src/node/package-file.ts";
import type { WayName } from "../../src/web/page/state/way-names.ts";

/** Longest time until something that a test waits for is seen: a machine that does other things, too, takes its time. */
export const workTimeoutMs = 60_000;

/** Longest time of a whole flow: it takes a tenth of it on a machine that does nothing else. */
export const flowTimeoutMs = 240_000;

/** Full path of a fixture's picture. */
export const pictureFile = (path: string): string => packageFile(`fixtures/images/${path}`);

/** Lets the page read files, as if they were chosen in its dialog. */
export const chooseFiles = (page: Page, ...paths: readonly string[]): Promise<void> =>
  page.getByLabel("Choose pictures").setInputFiles(paths.map(pictureFile));

/** The card of a picture. */
export const cardOf = (page: Page, name: string): Locator =>
  page.getByRole("listitem", { name, exact: true });

/** The panel of a way. */
export const wayPanel = (page: Page, way: WayName): Locator => page.locator(`.way[data-way="${way}"]`);

export const switchOf = (page: Page, way: WayName): Locator => wayPanel(page, way).getByRole("checkbox");

/** Waits until each picture has a vector of each way that is on, or an error. */
export async function untilSettled(page: Page, pictures: number): Promise<void> {
  const count = pictures === 1 ? "1 picture" : `${pictures} pictures`;
  const pane = page.getByRole("region", { name: "Pictures", exact: true });
  await pane.getByText(new RegExp(`^${count} done[,.]`)).waitFor();
}

/** What a download of the page holds. */
export interface DownloadedVectors {
  readonly pictures: readonly {
    readonly name: string;
    readonly format?: string;
    readonly error?: { readonly reason: string };
    readonly vectors: readonly {
      readonly way: WayName;
      readonly engine: string;
      readonly vectorSpace: string;
      readonly vector: readonly number[];
    }[];
  }[];
}

/** Presses a button that downloads JSON, and reads it. */
export async function downloadVectors(page: Page, button: Locator): Promise<DownloadedVectors> {
  const [download] = await Promise.all([page.waitForEvent("download"), button.click()]);
  return JSON.parse(await readFile(await download.path(), "utf8")) as DownloadedVectors;
}

export interface SeenPixels {
  readonly width: number;
  readonly height: number;
  /** (height, width, 3) uint8 RGB */
  readonly data: Uint8Array;
}

/** Reads the pixels of a card's canvas back. */
export async function readCanvas(card: Locator): Promise<SeenPixels> {
  const { width, height, base64 } = await card.locator("canvas").evaluate((element) => {
    const canvas = element as HTMLCanvasElement;
    const { width, height } = canvas;
    const { data } = canvas.getContext("2d")!.getImageData(0, 0, width, height);
    return { width, height, base64: btoa(Array.from(data, (byte) => String.fromCharCode(byte)).join("")) };
  });
  return {
    width,
    height,
    data: Uint8Array.from(Buffer.from(base64, "base64").filter((_byte, index) => index % 4 !== 3)),
  };
}
