import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bodyOfBytes, readWhole } from "../../src/node/page/page-body.ts";
import { openPageSource, type PageSource } from "../../src/node/page/page-source.ts";
import { writePage } from "../../src/node/page/write-page.ts";
import { requireTool } from "../require-tool.ts";
import { startPortico } from "../start-portico.ts";
import { launchChromium, openPage } from "./open-page.ts";
import { cardOf, chooseFiles, switchOf, untilSettled, wayPanel } from "./page-reader.ts";
import { type StaticHost, startStaticHost } from "./static-host.ts";

/** The page without its server, its versions, and the page on a host of static files, in the real Chromium. */

const chromium = requireTool("chromium");
/** For tests that download a model and start engines, on a machine that does other things, too. */
const longTestMs = 180_000;
const unreachable = /ERR_CONNECTION_REFUSED|ERR_FAILED|ERR_INTERNET_DISCONNECTED/;

/** Waits until the service worker keeps the page and answers for it. */
const untilKept = (page: Page): Promise<unknown> =>
  page.waitForFunction(
    async () =>
      (await navigator.serviceWorker.ready).active?.state === "activated" &&
      navigator.serviceWorker.controller,
  );

/** Names of the page's caches, and the paths in them, without the hashes of their names. */
const readCaches = (page: Page) =>
  page.evaluate(async () => {
    const names = (await caches.keys()).filter((name) => name.startsWith("portico-page-"));
    const requests = await Promise.all(names.map(async (name) => (await caches.open(name)).keys()));
    const paths = requests.flat().map(({ url }) => new URL(url).pathname.replace(/-[\w-]{8}(?=\.\w+$)/, ""));
    return { names, paths: paths.sort() };
  });

/** Looks for another version, and waits until its service worker has come so far. */
const untilUpdated = (page: Page, state: ServiceWorkerState): Promise<void> =>
  page.evaluate(async (expected) => {
    const registration = await navigator.serviceWorker.ready;
    const found = new Promise<ServiceWorker>((resolve) => {
      registration.addEventListener("updatefound", () => resolve(registration.installing as ServiceWorker));
    });
    await registration.update();
    const worker = await found;
    while (worker.state !== expected) await new Promise((resolve) => setTimeout(resolve, 50));
  }, state);

/** The server that the page was told of. */
const serverOf = async (page: Page): Promise<string> =>
  JSON.parse((await page.locator('meta[name="portico"]').getAttribute("content")) as string).server;

/** Another build: its entry has another name. */
async function withOtherMain(source: PageSource): Promise<PageSource> {
  const name = [...source.keys()].find((path) => /^assets\/main-.*\.js$/.test(path)) as string;
  const entries = [...source].map(async ([path, body]) => {
    if (path === name) return ["assets/main-00000000.js", body] as const;
    if (path !== "index.html" && path !== "service-worker.js") return [path, body] as const;
    const text = new TextDecoder().decode(await readWhole(body));
    return [
      path,
      bodyOfBytes(new TextEncoder().encode(text.replaceAll(name, "assets/main-00000000.js"))),
    ] as const;
  });
  return new Map(await Promise.all(entries));
}

describe.skipIf(chromium === undefined)("the page that was kept", () => {
  let browser: Browser;
  let folder: string;
  let source: PageSource;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "portico-kept-"));
    [browser, source] = await Promise.all([launchChromium(chromium as string), openPageSource()]);
  });
  afterAll(async () => {
    await browser?.close();
    await rm(folder, { recursive: true });
  });

  test(
    "opens without its server, isolated as before, and an engine that was used computes",
    async () => {
      const server = await startPortico({ args: ["--workers", "1"] });
      const { page, problems, context } = await openPage(browser, `http://${server.address}/`, {
        expected: unreachable,
      });
      await untilKept(page);
      await switchOf(page, "ort-wasm").check();
      await wayPanel(page, "ort-wasm").getByText("Ready").waitFor();
      const { paths } = await readCaches(page);
      expect(paths.filter((path) => path.includes("ort"))).toEqual([
        "/assets/ort-wasm-simd-threaded.wasm",
        "/assets/ort.wasm.bundle.min.mjs",
      ]);
      expect(paths).toContain("/");
      expect(paths.filter((path) => path.includes("portico.v1") || path.includes("models"))).toEqual([]);

      await server.stop("SIGKILL");
      await page.reload();
      await chooseFiles(page, "photo/locomotion-house-cat.jpg");
      await wayPanel(page, "ort-wasm").getByText("Ready").waitFor();
      await untilSettled(page, 1);
      await cardOf(page, "locomotion-house-cat.jpg")
        .locator('[data-way="ort-wasm"] td:nth-child(4)')
        .waitFor();
      expect(await page.evaluate(() => globalThis.crossOriginIsolated)).toBe(true);
      const policy = await page.evaluate(async () => {
        const reply = await fetch("./assets/none", { method: "HEAD" }).catch(() => undefined);
        return [
          reply?.status,
          (await caches.match(new URL(".", location.href)))?.headers.get("content-security-policy"),
        ];
      });
      expect(policy[0]).toBeUndefined();
      expect(policy[1]).toContain("frame-ancestors 'none'");
      expect(problems).toEqual([]);
      await context.close();
    },
    longTestMs,
  );

  describe("on a host of static files", () => {
    let host: StaticHost;
    const written = (name: string) => join(folder, name);
    beforeAll(async () => {
      await writePage(source, { folder: join(written("first"), "sub"), server: undefined, models: [] });
      const other = await withOtherMain(source);
      for (const name of ["second", "broken"]) {
        await writePage(other, {
          folder: join(written(name), "sub"),
          server: "http://127.0.0.1:1",
          models: [],
        });
      }
      await rm(join(written("broken"), "sub/assets/main-00000000.js"));
      host = await startStaticHost(written("first"));
    });
    afterAll(() => host?.close());

    test("it opens in any folder, under the policy of its index.html, and without a server says so", async () => {
      const { page, problems, context } = await openPage(browser, `${host.url}sub/`);
      await page.getByText("This page was built without a server.").waitFor();
      await untilKept(page);
      await chooseFiles(page, "photo/locomotion-house-cat.jpg");
      await cardOf(page, "locomotion-house-cat.jpg").locator("canvas").waitFor();
      const refused = await page.evaluate(async () => {
        const violated = new Promise((resolve) => {
          document.addEventListener("securitypolicyviolation", ({ violatedDirective }) =>
            resolve(violatedDirective),
          );
        });
        await fetch("http://127.0.0.1:1/").catch(() => undefined);
        return violated;
      });
      expect(refused).toBe("connect-src");
      // What this test caused itself.
      expect(problems.filter((problem) => !problem.includes("127.0.0.1:1"))).toEqual([]);
      await context.close();
    });

    test(
      "it computes on a server of another origin, which must allow it",
      async () => {
        const pages = await startStaticHost(written("calling"));
        const origin = pages.url.slice(0, -1);
        const servers = await Promise.all([
          startPortico({ args: ["--workers", "1", "--cors-origins", origin] }),
          startPortico({ args: ["--workers", "1"] }),
        ]);
        for (const [index, { address }] of servers.entries()) {
          const server = `http://${address}`;
          await writePage(source, { folder: written("calling"), server, models: [] });
          const { page, problems, context } = await openPage(browser, pages.url);
          await chooseFiles(page, "photo/locomotion-house-cat.jpg");
          const card = cardOf(page, "locomotion-house-cat.jpg");
          if (index === 0) {
            await card.locator('[data-way="server"] td:nth-child(4)').waitFor();
          } else {
            await card.getByText("The server does not answer.").waitFor();
          }
          const others = problems.filter((problem) => !problem.startsWith(`request: ${server}/`));
          // Chromium tells of what CORS refuses, and of nothing that the policy of the page does.
          expect(others.filter((problem) => index === 0 || !/CORS policy|ERR_FAILED/.test(problem))).toEqual(
            [],
          );
          await context.close();
        }
        await Promise.all([pages.close(), ...servers.map((server) => server.stop())]);
      },
      longTestMs,
    );

    test("another version is there at the next load, what is the same is not fetched again, and old caches are gone", async () => {
      host.serve(written("first"));
      const { page, problems, context } = await openPage(browser, `${host.url}sub/`);
      await untilKept(page);
      const before = await readCaches(page);
      host.serve(written("second"));
      const asked = host.paths.length;
      await untilUpdated(page, "activated");
      await page.reload();
      expect(await serverOf(page)).toBe("http://127.0.0.1:1");
      await expect.poll(async () => (await readCaches(page)).names.length).toBe(1);
      const after = await readCaches(page);
      expect(after.names).not.toEqual(before.names);
      expect(after.paths).toEqual(before.paths);
      const fetched = host.paths.slice(asked).filter((path) => path.includes("/assets/"));
      expect(fetched).toEqual(["/sub/assets/main-00000000.js"]);
      // Of its server, which there is not.
      expect(problems.filter((problem) => !/127\.0\.0\.1:1\/|ERR_UNSAFE_PORT/.test(problem))).toEqual([]);
      await context.close();
    });

    test("a window that is still open finds its own files when another version is there", async () => {
      host.serve(written("first"));
      const { page, problems, context } = await openPage(browser, `${host.url}sub/`);
      await untilKept(page);
      host.serve(written("second"));
      await untilUpdated(page, "activated");
      const statuses = await page.evaluate(async () => {
        const { src } = document.querySelector("script[src]") as HTMLScriptElement;
        const own = await fetch(src, { cache: "no-store" });
        const unknown = await fetch(new URL("none-00000000.js", src), { cache: "no-store" });
        return [own.status, unknown.status];
      });
      expect(statuses).toEqual([200, 404]);
      expect(problems.filter((problem) => !problem.includes("404"))).toEqual([]);
      await context.close();
    });

    test("a version that cannot be fetched whole leaves the one before", async () => {
      host.serve(written("first"));
      const { page, context } = await openPage(browser, `${host.url}sub/`, { expected: /404/ });
      await untilKept(page);
      const before = await readCaches(page);
      host.serve(written("broken"));
      await untilUpdated(page, "redundant");
      await page.reload();
      await page.getByText("This page was built without a server.").waitFor();
      await expect.poll(() => readCaches(page)).toEqual(before);
      await context.close();
    });

    test("without room for it the page works as long as its host does", async () => {
      host.serve(written("first"));
      const { page, problems, context } = await openPage(browser, "about:blank");
      const cdp = await context.newCDPSession(page);
      await cdp.send("Storage.overrideQuotaForOrigin", { origin: host.url.slice(0, -1), quotaSize: 1_000 });
      await page.goto(`${host.url}sub/`);
      await untilKept(page);
      expect((await readCaches(page)).paths).not.toContain("/sub/assets/main.js");
      await page.reload();
      await page.getByText("This page was built without a server.").waitFor();
      expect(problems.filter((problem) => !problem.startsWith("request: "))).toEqual([]);
      await context.close();
    });
  });
});
