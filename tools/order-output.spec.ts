import { expect, test } from "vitest";
import { orderOutput } from "./order-output.ts";

function open(count: number) {
  let written = "";
  const parts = orderOutput(count, (chunk) => {
    written += new TextDecoder().decode(chunk);
  });
  const say = (index: number, text: string) => parts[index]?.write(new TextEncoder().encode(text));
  return { parts, say, written: () => written };
}

test("the first part goes out at once, the others when all before them have ended", () => {
  const { parts, say, written } = open(3);
  say(0, "a");
  say(2, "c");
  say(1, "b");
  say(0, "a");
  expect(written()).toBe("aa");
  expect(parts.map((part) => part.isLive())).toEqual([true, false, false]);
  parts[0]?.end();
  expect(written()).toBe("aab");
  say(2, "c");
  say(1, "b");
  expect(written()).toBe("aabb");
  parts[1]?.end();
  expect(written()).toBe("aabbcc");
  say(2, "c");
  expect(written()).toBe("aabbccc");
});

test("parts that ended before their turn are written whole, in their order", () => {
  const { parts, say, written } = open(4);
  for (const index of [3, 2, 1]) {
    say(index, String(index));
    parts[index]?.end();
  }
  expect(written()).toBe("");
  say(0, "0");
  parts[0]?.end();
  expect(written()).toBe("0123");
});
