import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type PageServer, startPageServer } from "./page-server.ts";
import { findMissing } from "./peer-files.ts";

let server: PageServer;
beforeAll(async () => {
  server = await startPageServer(new URL("../../package.json", import.meta.url).pathname);
});
afterAll(() => server.close());

const get = (path: string) => fetch(new URL(path, server.url));

describe("the page's server", () => {
  test.each([
    { path: "", type: "text/html", holds: "/bench/peers/page/page.ts" },
    { path: "src/engine/simd/relaxed-simd.ts", type: "text/javascript", holds: "WebAssembly.validate" },
    { path: "src/engine/simd/kernels-plain.wasm", type: "application/wasm", holds: "\0asm" },
    {
      path: "modules/@bufbuild/protobuf/dist/esm/index.js",
      type: "text/javascript",
      holds: "export",
    },
    { path: "files/resnet50.onnx", type: "application/octet-stream", holds: '"name": "portico"' },
  ])("gives /$path as $type to an isolated page", async ({ path, type, holds }) => {
    const reply = await get(path);
    expect(reply.status).toBe(200);
    expect(reply.headers.get("content-type")).toBe(type);
    expect(reply.headers.get("cross-origin-opener-policy")).toBe("same-origin");
    expect(reply.headers.get("cross-origin-embedder-policy")).toBe("require-corp");
    expect(await reply.text()).toContain(holds);
  });

  test("strips the types of what it gives", async () => {
    expect(await (await get("src/engine/engine.ts")).text()).not.toContain("interface");
  });

  test.each(["src/none.ts", "package.json", "src/../package.json", "modules/none/index.js"])(
    "has no /%s",
    async (path) => {
      expect((await get(path)).status).toBe(404);
    },
  );

  test.each([
    { reply: [7, 8], answer: { ok: [7, 8] } },
    { reply: { error: "no memory" }, answer: { error: "the page: no memory" } },
  ])("hands a command to the page and its reply back: $reply", async ({ reply, answer }) => {
    const asked = server.ask({ engine: "simd", count: 2 }).then(
      (ok) => ({ ok }),
      (error: Error) => ({ error: error.message }),
    );
    expect(await (await get("next")).json()).toEqual({ engine: "simd", count: 2 });
    await fetch(new URL("reply", server.url), { method: "POST", body: JSON.stringify(reply) });
    expect(await asked).toEqual(answer);
  });
});

test.each([
  { wanted: {}, missing: undefined },
  { wanted: { here: import.meta.filename }, missing: undefined },
  {
    wanted: { here: import.meta.filename, chromium: "/no/chromium", weights: "/no/weights" },
    missing: "chromium, weights (npm run bench:peers:install)",
  },
])("of $wanted what is missing is $missing", ({ wanted, missing }) => {
  expect(findMissing(wanted)).toBe(missing);
});
