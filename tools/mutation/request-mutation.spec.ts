import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createRandom } from "../random.ts";
import { unaccountedAnswers } from "./request-internal-answers.ts";
import { mutateRequest, type RequestSample } from "./request-mutations.ts";
import { findGrowth, runRequests } from "./request-run.ts";
import { recordRequestSamples } from "./request-samples.ts";
import { type RequestVictim, startRequestVictim } from "./request-victim-process.ts";

// `npm run mutate:requests` sends 100,000.

let victim: RequestVictim;
let samples: readonly RequestSample[];
beforeAll(async () => {
  victim = await startRequestVictim();
  samples = await recordRequestSamples(victim.port);
});
afterAll(() => victim?.stop());

const requestOf = (seed: number, index: number) => mutateRequest(samples, createRandom(seed, index));

describe("mutated requests", () => {
  test("are the same for the same seed and index, and others for others", () => {
    const seen = new Set<string>();
    for (let index = 0; index < 1_000; index++) {
      const request = requestOf(7, index);
      expect(requestOf(7, index)).toEqual(request);
      seen.add(Buffer.from(request.bytes).toString("latin1"));
    }
    // A step may change nothing, and one inside the frames of many samples is of a frame without a payload.
    expect(seen.size).toBeGreaterThan(850);
  });

  test("come from every sample and take every step, as they lie on the wire and inside their frames", () => {
    const names = Array.from({ length: 5_000 }, (_, index) => requestOf(7, index).name);
    for (const { name } of samples) expect(names.some((one) => one.startsWith(`${name}: `))).toBe(true);
    const steps = new Set(
      names.flatMap((name) => name.replace(/^.*?: (in its frames, )?| \(with.*$/g, "").split(", ")),
    );
    expect([...steps].sort()).toEqual([
      "change",
      "delete",
      "flip",
      "insert",
      "insert token",
      "move",
      "number",
      "overwrite with token",
      "repeat",
      "splice",
      "splice behind",
      "truncate",
    ]);
  });

  test("hurt nobody: 5,000 of them", { timeout: 300_000 }, async () => {
    const figures = await runRequests({ victim, samples, seed: 1, count: 5_000 });
    expect(figures.goodCalls).toBeGreaterThanOrEqual(200);
    expect(unaccountedAnswers(figures.internalAnswers)).toEqual([]);
    expect(findGrowth(figures)).toBeUndefined();
  });
});

describe("a run finds", () => {
  test("a server that ends, and names what was sent", { timeout: 120_000 }, async () => {
    const ending = await startRequestVictim();
    // Once requests are under way, however slow this machine is.
    const onProgress = () => void process.kill(ending.pid, "SIGKILL");
    const run = runRequests({ victim: ending, samples, seed: 3, count: 1_000_000, onProgress });
    await expect(run).rejects.toThrow(
      /^it ended with SIGKILL: [\s\S]*the last requests of seed 3, by index; send one again with --seed 3 --only INDEX:\n\d+ http\/.*\n {2}[\w+/=]+/,
    );
    await ending.stop();
  });

  test("an answer that blames the server, unless the protocol asks for it", () => {
    const asked = "grpc-status 13: received compressed envelope, but do not know how to decompress";
    expect(unaccountedAnswers([asked, "HTTP/2 500"])).toEqual(["HTTP/2 500"]);
  });

  test("a heap that grows", () => {
    const trend = (firstBytes: number, lastBytes: number) => ({ firstBytes, lastBytes });
    const figures = { seconds: 1, goodCalls: 1, internalAnswers: [] };
    const [flat, grown] = [trend(20e6, 21e6), trend(20e6, 23e6)];
    expect(findGrowth({ ...figures, heap: flat, resident: trend(2e8, 2.9e8) })).toBeUndefined();
    expect(findGrowth({ ...figures, heap: grown, resident: flat })).toBe(
      "the heap has grown from 20000000 to 23000000 bytes",
    );
    expect(findGrowth({ ...figures, heap: flat, resident: trend(2e8, 3.1e8) })).toBe(
      "the process has grown from 200000000 to 310000000 bytes",
    );
  });
});
