import { describe, expect, test } from "vitest";
import { askHttp, httpVersions } from "../../../tools/ask-http.ts";
import { openSamplePage } from "../../../tools/page/sample-page.ts";
import { html, usePageServer } from "../../../tools/page/use-page-server.ts";
import { EmbedError } from "../../errors.ts";

const site = usePageServer();
const _asset = "/assets/main-0a1b2c3d.js";

describe("a page that cannot be made", () => {
  test.each([
    [
      new EmbedError("CONFIG_INVALID", "the page cannot be bundled from its sources: no main.tsx"),
      "the page cannot be bundled from its sources: no main.tsx; calls are answered as usual\n",
    ],
    [new Error("/inner/path"), "this page could not be made; calls are answered as usual\n"],
  ])("is told in words, and tried again for the next: %s", async (error, text) => {
    let times = 0;
    const openSource = async () => {
      times += 1;
      if (times === 1) throw error;
      return openSamplePage();
    };
    const broken = await site.start({ openSource });
    site.logged.length = 0;
    const first = await askHttp("1.1", broken.address, { path: "/", headers: html });
    expect([first.status, first.body]).toEqual([500, text]);
    expect(site.logged).toEqual([["error", "the page could not be sent", { path: "/", error }]]);
    for (let i = 0; i < 3; i++) {
      expect((await askHttp("1.1", broken.address, { path: "/", headers: html })).status).toBe(200);
    }
    expect(times).toBe(2);
    await broken.server.close({ graceMs: 0 });
  });

  test("a file that cannot be read is told as one, without the headers of the file", async () => {
    const lost = {
      bytes: 7,
      cost: 0,
      // biome-ignore lint/correctness/useYield: it fails before its first piece
      async *pieces(): AsyncGenerator<Uint8Array> {
        throw new Error("no such file");
      },
    };
    const openSource = async () => new Map([...(await openSamplePage()), ["assets/lost-0a1b2c3d.js", lost]]);
    const broken = await site.start({ openSource });
    for (const version of httpVersions) {
      const { status, body, headers } = await askHttp(version, broken.address, {
        path: "/assets/lost-0a1b2c3d.js",
      });
      expect([status, body]).toEqual([500, "this page could not be made; calls are answered as usual\n"]);
      expect([headers.etag, headers["cache-control"]]).toEqual([undefined, "no-store"]);
    }
    await broken.server.close({ graceMs: 0 });
  });

  test("a built page that lacks a part is one", async () => {
    const broken = await site.start({ openSource: async () => new Map() });
    expect((await askHttp("2", broken.address, { path: "/", headers: html })).status).toBe(500);
    await broken.server.close({ graceMs: 0 });
  });
});
