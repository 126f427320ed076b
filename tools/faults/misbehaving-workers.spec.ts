import { readFile } from "node:fs/promises";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { compareVectors } from "../../src/embed/compare-vectors.ts";
import type { SelfCheck } from "../../src/embed/self-check.ts";
import { EmbeddingService, ErrorPolicy } from "../../src/gen/portico/v1/embedding_pb.ts";
import { readVectorGolden } from "../../src/node/model/vector-golden.ts";
import { runPortico } from "../run-portico.ts";
import { type PorticoProcess, startPortico } from "../start-portico.ts";
import { type Fault, markPicture } from "./marked-picture.ts";

/** The threads of the server get it as well. */
const preload = { NODE_OPTIONS: `--import=${new URL("./misbehave.ts", import.meta.url)}` };

let server: PorticoProcess;
let photo: SelfCheck;
let client: ReturnType<typeof createClient<typeof EmbeddingService>>;

beforeAll(async () => {
  photo = await readVectorGolden("photo/locomotion-house-cat.jpg");
  server = await startPortico({
    args: ["--workers", "1", "--item-timeout-ms", "10000", "--log-level", "debug"],
    env: preload,
  });
  client = createClient(EmbeddingService, createGrpcTransport({ baseUrl: `http://${server.address}` }));
});
afterAll(() => server?.stop("SIGKILL"));

/** "right", or why the picture failed. */
async function embed(pictures: readonly Uint8Array[]): Promise<string[]> {
  const images = pictures.map((value) => ({ source: { case: "data" as const, value } }));
  const { results } = await client.embed({ images, errorPolicy: ErrorPolicy.PER_ITEM });
  return results.map(({ outcome }) => {
    if (outcome.case !== "embedding") return `${outcome.value?.reason}: ${outcome.value?.message}`;
    const { maxAbsError } = compareVectors(Float32Array.from(outcome.value.vector), photo.vector);
    return maxAbsError <= photo.tolerance ? "right" : `off by ${maxAbsError}`;
  });
}

const readPage = async (path: string) => (await fetch(`http://${server.address}${path}`)).status;
const countLines = (pattern: RegExp) => server.log.filter(({ msg }) => pattern.test(msg)).length;

/** For a worker to start on a busy machine. */
const patiently = { timeout: 30_000 };

const lost = /^(a worker .*|expected a picture .*) is being replaced/;

describe("a worker that misbehaves is replaced, and only its own picture fails", () => {
  test.each<{ fault: Fault; outcome: string; workersLost: number }>([
    {
      fault: "hang",
      outcome:
        "IMAGE_TOO_SLOW: expected a picture to take at most 10000 ms (--item-timeout-ms); its worker is being replaced",
      workersLost: 1,
    },
    {
      fault: "heap",
      outcome:
        "IMAGE_TOO_LARGE: expected a picture to need at most 256 MiB of a worker's JavaScript heap; its worker is being replaced",
      workersLost: 1,
    },
    {
      fault: "exit",
      outcome: "ENGINE_FAILED: a worker ended with exit code 7; it is being replaced, try again",
      workersLost: 2,
    },
    {
      fault: "throw",
      outcome: "ENGINE_FAILED: a worker failed; it is being replaced, try again",
      workersLost: 2,
    },
  ])("$fault", async ({ fault, outcome, workersLost }) => {
    const before = countLines(lost);
    const called = embed([photo.bytes, markPicture(photo.bytes, fault), photo.bytes]);
    expect(await readPage("/livez")).toBe(200);
    expect(await called).toEqual(["right", outcome, "right"]);
    await expect.poll(() => countLines(lost) - before).toBe(workersLost);
    await expect.poll(() => readPage("/readyz"), patiently).toBe(200);
  });

  test("one whose WebAssembly memory has grown makes way for another, and no picture fails", async () => {
    const started = countLines(/self-check/);
    const pictures = [photo.bytes, markPicture(photo.bytes, "grow"), photo.bytes, photo.bytes];
    expect(await embed(pictures)).toEqual(pictures.map(() => "right"));
    await expect.poll(() => countLines(/grown beyond/)).toBe(1);
    await expect.poll(() => countLines(/self-check/), patiently).toBeGreaterThan(started);
  });
});

test("an engine that fails its self-check is never ready, and ends the server with the reason", async () => {
  const run = await runPortico(["serve", "--listen", "127.0.0.1:0"], { ...preload, PORTICO_TEST_DRIFT: "1" });
  const message =
    /expected the embedding of photo\/allium-oreophilum\.jpg within 0\.000001 of Keras's, got a largest absolute error of 0\.[45]\d*/;
  expect(run.code).toBe(1);
  expect(run.stderr).toMatch(new RegExp(`^portico: ${message.source}\n$`));
  const log = run.stdout.split("\n").flatMap((line) => (line ? [JSON.parse(line)] : []));
  expect(log.map(({ msg }) => msg)).not.toContain("ready");
  expect(log.at(-1)).toMatchObject({
    level: 60,
    reason: "VECTOR_DRIFT",
    msg: expect.stringMatching(message),
  });
});

test("the preload leaves unmarked pictures alone", async () => {
  const other = await readFile(new URL("../../fixtures/images/photo/black-canyon.jpg", import.meta.url));
  expect(await embed([photo.bytes])).toEqual(["right"]);
  expect(await embed([other])).not.toEqual(["right"]);
});
