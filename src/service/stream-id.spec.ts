import { Code } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { checkStreamIds } from "./stream-id.ts";

async function idsOf(...ids: string[]): Promise<string[]> {
  async function* requests() {
    for (const id of ids) yield { id };
  }
  const got: string[] = [];
  for await (const { id } of checkStreamIds(requests())) got.push(id);
  return got;
}

test.each(["", "a".repeat(1024), "\u00fc".repeat(512), "\u20ac".repeat(341), "\u{1f600}".repeat(256)])(
  "an id of up to 1024 bytes passes",
  async (id) => {
    expect(await idsOf(id)).toEqual([id]);
  },
);

test.each([
  ["a".repeat(1025), 1025],
  ["\u00fc".repeat(513), 1026],
  ["\u20ac".repeat(342), 1026],
  ["\u{1f600}".repeat(257), 1028],
  ["i".repeat(2 ** 20), 2 ** 20],
])("a longer one fails the call", async (id, bytes) => {
  expect(new TextEncoder().encode(id)).toHaveLength(bytes);
  await expect(idsOf("a", id)).rejects.toMatchObject({
    code: Code.InvalidArgument,
    rawMessage: `REQUEST_INVALID: expected an id of at most 1024 bytes of UTF-8, got ${bytes}`,
  });
});
