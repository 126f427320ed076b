import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import type { ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  type ReleaseHost,
  redirectTo,
  sendFile,
  startReleaseHost,
} from "../../../tools/models/release-host.ts";
import { describeSmallModel, smallWeightsFile } from "../../../tools/models/small-model.ts";
import type { EmbedError } from "../../errors.ts";
import { fetchWeights } from "./model-fetch.ts";

// Every way in which a host of weights may fail, over real sockets.

const weights = await readFile(smallWeightsFile);
const environment = { ...process.env };
let folder: string;
let host: ReleaseHost;

const html = "<!DOCTYPE html><html><body>Please log in</body></html>";
const answers: Record<string, (response: ServerResponse) => void> = {
  "/whole.h5": sendFile(smallWeightsFile, weights.length),
  "/moved.h5": redirectTo("/whole.h5"),
  "/round.h5": redirectTo("/round.h5"),
  "/leaves.h5": redirectTo("http://example.org/whole.h5"),
  "/broken.h5": (response) => void response.writeHead(503).end(),
  "/page.h5": (response) => void response.writeHead(200, { "content-type": "text/html" }).end(html),
  "/long.h5": (response) => void response.writeHead(200, { "content-length": 10 ** 12 }).flushHeaders(),
  "/longer.h5"(response) {
    response.writeHead(200);
    response.write(weights);
    response.end("and more");
  },
  "/short.h5": (response) => void response.writeHead(200).end(weights.subarray(0, 1000)),
  "/cut.h5"(response) {
    response.writeHead(200, { "content-length": weights.length });
    response.write(weights.subarray(0, 1000), () => setTimeout(() => response.destroy(), 50));
  },
  "/silent.h5": () => undefined,
};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "portico-fetch-"));
  host = await startReleaseHost(answers);
  // npm's own configuration and no proxy, whatever the user's are.
  for (const name of Object.keys(process.env)) if (/proxy$/i.test(name)) delete process.env[name];
  process.env.npm_config_userconfig = join(folder, "..", "no-such-npmrc");
});
afterAll(async () => {
  process.env = environment;
  host.close();
  await rm(folder, { recursive: true, force: true });
});

async function fetchFrom(path: string, options: { silenceMs?: number; signal?: AbortSignal } = {}) {
  const url = path.startsWith("http") ? path : `${host.url}${path}`;
  const received: number[] = [];
  const { sources } = await describeSmallModel(url);
  const file = join(folder, "weights.h5");
  const onProgress = (bytes: number) => received.push(bytes);
  await fetchWeights(sources[0], { file, onProgress, ...options });
  return { file, received };
}

test.each(["whole.h5", "moved.h5"])("%s comes whole, and its progress is told", async (path) => {
  const { file, received } = await fetchFrom(path);
  expect(Buffer.compare(await readFile(file), weights)).toBe(0);
  expect(received[0]).toBe(0);
  expect(received.at(-1)).toBe(weights.length);
  await rm(file);
});

test.each<[string, string | RegExp]>([
  ["nothing.h5", "HTTP status 404"],
  ["broken.h5", "HTTP status 503"],
  ["round.h5", "more than 5 redirects"],
  ["leaves.h5", "it leads to example.org without https"],
  [
    "page.h5",
    'expected an HDF5 file, got text/html that begins with "<!DOCTYPE html><html><body>Please log in"',
  ],
  ["long.h5", "expected 28544 bytes, 1000000000000 announced"],
  ["longer.h5", /^expected 28544 bytes, \d+ or more came$/],
  ["short.h5", "it ended after 1000 of 28544 bytes"],
  ["cut.h5", /^.+ \(UND_ERR_SOCKET\) after 1000 of 28544 bytes$/],
  ["http://127.0.0.1:1/x.h5", "connect ECONNREFUSED 127.0.0.1:1"],
])("%s is refused, and nothing is kept", async (path, why) => {
  const url = path.startsWith("http") ? path : `${host.url}${path}`;
  const error = (await fetchFrom(path).catch((reason: unknown) => reason)) as EmbedError;
  expect(error.reason).toBe("MODEL_UNREACHABLE");
  const start = `${url} cannot be fetched: `;
  expect(error.message.slice(0, start.length)).toBe(start);
  if (typeof why === "string") expect(error.message.slice(start.length)).toBe(why);
  else expect(error.message.slice(start.length)).toMatch(why);
  expect(await readdir(folder)).toEqual([]);
});

test("a host that says nothing is left", async () => {
  await expect(fetchFrom("silent.h5", { silenceMs: 500 })).rejects.toMatchObject({
    reason: "MODEL_UNREACHABLE",
    message: `${host.url}silent.h5 cannot be fetched: Headers Timeout Error (UND_ERR_HEADERS_TIMEOUT)`,
  });
});

test("a signal ends it", async () => {
  const reason = new Error("enough");
  const stop = new AbortController();
  const fetching = fetchFrom("silent.h5", { signal: stop.signal });
  setTimeout(() => stop.abort(reason), 100);
  await expect(fetching).rejects.toBe(reason);
});

test("npm is offline", async () => {
  process.env.npm_config_offline = "true";
  await expect(fetchFrom("whole.h5")).rejects.toMatchObject({
    reason: "MODEL_UNREACHABLE",
    message: `${host.url}whole.h5 cannot be fetched: npm is set to offline`,
  });
  delete process.env.npm_config_offline;
});

test("npm's proxy is asked", async () => {
  process.env.npm_config_proxy = host.url;
  await fetchFrom("http://127.0.0.1:1/x.h5").catch(() => undefined);
  expect(host.requests.at(-1)).toMatch(/127\.0\.0\.1:1/);
  delete process.env.npm_config_proxy;
});
