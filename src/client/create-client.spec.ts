import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readTinyPictures } from "../../tools/load/tiny-model.ts";
import { startTinyServer, type TinyServer } from "../../tools/load/tiny-server.ts";
import { freePort } from "../../tools/loopback-port.ts";
import { embedFailureOf } from "../../tools/service/embed-failure.ts";
import { compareVectors } from "../embed/compare-vectors.ts";
import { createClient } from "./create-client.ts";

let server: TinyServer;
let baseUrl: string;
beforeAll(async () => {
  server = await startTinyServer({ workers: 1, maxItems: 4 });
  baseUrl = server.server.localUrl;
});
afterAll(() => server?.close());

describe.each(["connect", "grpc-web"] as const)("over %s", (protocol) => {
  test("pictures of every kind come back in their order, a bad one as an error in its place", async () => {
    const client = createClient({ baseUrl, protocol });
    const [known] = await readTinyPictures();
    const { bytes, vector, tolerance } = known!;
    const own = bytes.slice();
    const { model, vectorSpace, results } = await client.embed([
      bytes,
      new Blob([own]),
      Uint8Array.of(1, 2, 3),
      own.buffer,
    ]);
    expect(model).toBe("tiny");
    expect(vectorSpace).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(results.map(({ ok }) => ok)).toEqual([true, true, false, true]);
    for (const result of results) {
      if (!result.ok) continue;
      expect(compareVectors(result.vector, vector).maxAbsError).toBeLessThanOrEqual(tolerance);
      expect(result.width).toBeGreaterThan(0);
      expect(result.timings.inferMs).toBeGreaterThan(0);
    }
    const bad = results[2]!;
    expect(bad.ok ? undefined : bad.error.reason).toBe("IMAGE_UNSUPPORTED");
    expect(bytes.length).toBe(own.length);
  });

  test("models are described", async () => {
    const client = createClient({ baseUrl, protocol });
    const [first] = await client.listModels();
    expect(first).toMatchObject({ name: "tiny", metricType: "L2", ready: true });
    expect(await client.getModel("tiny")).toMatchObject({ name: "tiny", dimension: first!.dimension });
  });

  test("a call that fails has the server's reason and words", async () => {
    const client = createClient({ baseUrl, protocol });
    expect(await embedFailureOf(client.getModel("none"))).toEqual([
      "MODEL_UNKNOWN",
      'expected one of the models tiny, got "none"',
    ]);
    const five = Array.from({ length: 5 }, () => Uint8Array.of(1));
    const [reason] = await embedFailureOf(client.embed(five));
    expect(reason).toBe("REQUEST_TOO_LARGE");
  });

  test("a signal and a deadline end a call", async () => {
    const signal = AbortSignal.abort();
    const client = createClient({ baseUrl, protocol });
    expect((await embedFailureOf(client.embed([Uint8Array.of(1)], { signal })))[0]).toBe("CANCELLED");
    // Never answers.
    const fetch: typeof globalThis.fetch = (_input, init) =>
      new Promise((_, reject) => {
        init?.signal?.addEventListener("abort", () => reject(init.signal?.reason));
      });
    const slow = createClient({ baseUrl, protocol, timeoutMs: 20, fetch });
    expect((await embedFailureOf(slow.listModels()))[0]).toBe("DEADLINE_EXCEEDED");
  });

  test("a server that is down, and one that is another, are told", async () => {
    const down = createClient({ baseUrl: `http://127.0.0.1:${await freePort()}`, protocol });
    expect((await embedFailureOf(down.listModels()))[0]).toBe("SERVER_UNREACHABLE");
    const other = createClient({ baseUrl: `${baseUrl}/elsewhere`, protocol });
    expect((await embedFailureOf(other.listModels()))[0]).toBe("SERVER_UNREACHABLE");
  });
});

test("the bearer token goes with every call", async () => {
  const sent: (string | null)[] = [];
  const fetch: typeof globalThis.fetch = (input, init) => {
    sent.push(new Headers(init?.headers).get("authorization"));
    return globalThis.fetch(input, init);
  };
  await createClient({ baseUrl, fetch, bearerToken: "secret" }).listModels();
  await createClient({ baseUrl, fetch }).listModels();
  expect(sent).toEqual(["Bearer secret", null]);
});

test.each([undefined, "", "127.0.0.1:52001", "ftp://127.0.0.1"])("refused as baseUrl: %s", (wrong) => {
  expect(() => createClient({ baseUrl: wrong as string })).toThrow(
    `expected baseUrl to be an http or https URL, got "${wrong}"`,
  );
});
