import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect } from "vitest";
import { type PorticoProcess, startPortico } from "../start-portico.ts";
import { launchChromium, type OpenedPage, type OpenPageOptions, openPage } from "./open-page.ts";

/** A server, a browser and pages of it, for the tests of one file. */
export interface PageUnderTest {
  readonly server: PorticoProcess;
  readonly browser: Browser;
  /** `http://HOST:PORT/` */
  readonly url: string;
  /** Opens the page in a profile of its own, until the test file ends. */
  open(options?: OpenPageOptions): Promise<Page>;
}

/**
 * Starts both before the tests, and ends them afterwards. After each test it expects that no page of it had a problem.
 * @param program full path of Chromium
 */
export function usePage(program: string, serverArgs: readonly string[] = []): PageUnderTest {
  let server: PorticoProcess;
  let browser: Browser;
  const opened: OpenedPage[] = [];

  beforeAll(async () => {
    [server, browser] = await Promise.all([startPortico({ args: serverArgs }), launchChromium(program)]);
  });
  afterEach(() => {
    // Taken out, so that each is the fault of one test.
    expect(opened.flatMap(({ problems }) => problems.splice(0))).toEqual([]);
  });
  afterAll(async () => {
    await browser?.close();
    await server?.stop();
  });

  const url = () => `http://${server.address}/`;
  return {
    get server() {
      return server;
    },
    get browser() {
      return browser;
    },
    get url() {
      return url();
    },
    async open(options) {
      const one = await openPage(browser, url(), options);
      opened.push(one);
      return one.page;
    },
  };
}
