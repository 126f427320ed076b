import type { Dispatcher } from "undici";
import { expect, test } from "vitest";
import { readBody } from "./fetch-body.ts";

const url = new URL("http://example.com/a.png");

/** An answer whose body comes in chunks of these sizes, all of them in one buffer that is used again and again. */
function answerOf(sizes: readonly number[], headers: Record<string, string> = {}): Dispatcher.ResponseData {
  const buffer = new Uint8Array(Math.max(0, ...sizes));
  async function* body() {
    for (const [index, size] of sizes.entries()) {
      buffer.fill(index);
      yield buffer.subarray(0, size);
    }
    buffer.fill(255);
  }
  return { statusCode: 200, headers, body: body() } as unknown as Dispatcher.ResponseData;
}

const bytesOf = (sizes: readonly number[]) =>
  Uint8Array.from(sizes.flatMap((size, index) => Array<number>(size).fill(index & 255)));

test.each([
  [[1]],
  [[1000, 500]],
  [Array<number>(3000).fill(1)],
  [[65536]],
  [[65535, 1, 1]],
  [[10, 300_000]],
  [[0, 70_000, 0, 70_000]],
])("chunks of %j bytes are copied, not kept", async (sizes) => {
  const bytes = await readBody(url, answerOf(sizes), 1_000_000);
  expect(Buffer.compare(bytes, bytesOf(sizes))).toBe(0);
  expect([bytes.byteOffset, bytes.buffer.byteLength]).toEqual([0, bytes.length]);
});

test("one byte more than the limit is too much, announced or not", async () => {
  expect(await readBody(url, answerOf([60, 40]), 100)).toHaveLength(100);
  const start = "expected at most 100 bytes (--max-image-bytes) from example.com, got";
  await expect(readBody(url, answerOf([60, 41]), 100)).rejects.toThrow(`${start} more`);
  await expect(readBody(url, answerOf([1], { "content-length": "101" }), 100)).rejects.toThrow(
    `${start} 101 bytes announced`,
  );
});
