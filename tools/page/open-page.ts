import {
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  chromium,
  type Page,
} from "playwright-core";
import { workTimeoutMs } from "./page-reader.ts";

/** A tab with the page in it, and what went wrong there. */
export interface OpenedPage {
  readonly context: BrowserContext;
  readonly page: Page;
  /**
   * What no flow may cause: errors and warnings of the console (violations of the Content-Security-Policy are among them), errors
   * that nobody caught, requests to other origins.
   */
  readonly problems: string[];
}

export interface OpenPageOptions {
  readonly context?: BrowserContextOptions;
  /** Problems that the flow means to cause. */
  readonly expected?: RegExp;
}

/** A name of this machine that browsers do not know for it, so that plain http from there is not secure. */
export const otherHost = "portico.test";

/** Chromium says so of every page that asks for a GPU where there is none. */
const noGpu = "console: No available adapters.";

/** @param program full path of Chromium */
export function launchChromium(program: string, flags: readonly string[] = []): Promise<Browser> {
  const args = ["--no-sandbox", `--host-resolver-rules=MAP ${otherHost} 127.0.0.1`, ...flags];
  return chromium.launch({ executablePath: program, args });
}

/** Opens the page in a profile of its own: nothing of another flow is kept there. */
export async function openPage(
  browser: Browser,
  url: string,
  { context: contextOptions = {}, expected }: OpenPageOptions = {},
): Promise<OpenedPage> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...contextOptions });
  context.setDefaultTimeout(workTimeoutMs);
  const page = await context.newPage();
  const problems: string[] = [];
  const note = (problem: string) => {
    if (problem !== noGpu && !expected?.test(problem)) problems.push(problem);
  };
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) note(`console: ${message.text()}`);
  });
  page.on("pageerror", (error) => note(`uncaught: ${error.message}`));
  // Of workers and of the service worker, too.
  context.on("request", (request) => {
    const { protocol, origin } = new URL(request.url());
    if (/^https?:$/.test(protocol) && origin !== new URL(url).origin) note(`request: ${request.url()}`);
  });
  await page.goto(url);
  return { context, page, problems };
}
