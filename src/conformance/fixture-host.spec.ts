import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openFixtureFiles } from "./fixture-files.ts";
import { type FixtureHost, startFixtureHost } from "./fixture-host.ts";
import { packageFolder } from "./package-folder.ts";

const files = openFixtureFiles(join(packageFolder, "fixtures"));
const picture = "jpeg/crop-256x256.jpg";
let host: FixtureHost;

beforeAll(async () => {
  host = await startFixtureHost("127.0.0.1", 0, files);
});

afterAll(() => host.close());

const get = (path: string, options: RequestInit = {}) =>
  fetch(`http://${host.authority}${path}`, {
    redirect: "manual",
    signal: AbortSignal.timeout(2000),
    ...options,
  });

test("pictures, with and without a query", async () => {
  for (const path of [`/images/${picture}`, `/images/${picture}?width=3&x=/y`]) {
    const response = await get(path);
    expect(response.status).toBe(200);
    expect(new Uint8Array(await response.arrayBuffer())).toEqual(new Uint8Array(files.image(picture)));
  }
});

test.each([
  [`/redirect/2/${picture}`, `/redirect/1/${picture}`],
  [`/redirect/1/${picture}`, `/images/${picture}`],
  ["/loop", "/loop"],
  ["/to/http://127.0.0.1:1/a.jpg", "http://127.0.0.1:1/a.jpg"],
  ["/to/file:///etc/hostname", "file:///etc/hostname"],
])("%s redirects to %s", async (path, location) => {
  const response = await get(path);
  expect(response.status).toBe(302);
  expect(response.headers.get("location")).toBe(location);
});

test.each([
  ["/status/503", 503],
  ["/images/none.jpg", 404],
  ["/nothing", 404],
  ["/constructor", 404],
  ["/", 404],
])("%s answers %i", async (path, status) => {
  expect((await get(path)).status).toBe(status);
});

test("an empty body, and a page", async () => {
  expect((await (await get("/empty")).arrayBuffer()).byteLength).toBe(0);
  expect(await (await get("/page")).text()).toContain("Please sign in");
});

test("large promises 4 GiB, endless sends without a promise; both stop when the reader does", async () => {
  const large = await get("/large");
  expect(large.headers.get("content-length")).toBe(String(4 * 2 ** 30));
  const endless = await get("/endless");
  expect(endless.headers.get("content-length")).toBeNull();
  for (const response of [large, endless]) {
    const reader = response.body!.getReader();
    for (let length = 0; length < 2 ** 20; ) length += (await reader.read()).value!.length;
    await reader.cancel();
  }
});

test("slow drips, silent never answers, cut breaks off", async () => {
  const slow = (await get("/slow")).body!.getReader();
  expect((await slow.read()).value!.length).toBeLessThan(10);
  await slow.cancel();
  await expect(get("/silent", { signal: AbortSignal.timeout(300) })).rejects.toThrow("timeout");
  await expect(get("/cut").then((response) => response.arrayBuffer())).rejects.toThrow("terminated");
});

test("an address in use is told with its flag", async () => {
  const port = Number(host.authority.split(":")[1]);
  await expect(startFixtureHost("127.0.0.1", port, files)).rejects.toThrow(
    `cannot serve fixtures on 127.0.0.1:${port} (--fixture-host): listen EADDRINUSE`,
  );
});
