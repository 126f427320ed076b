import { expect, test } from "vitest";
import { lookRegularly } from "./look-regularly.ts";

const told = (results: readonly (string | undefined)[]) => {
  const words: string[] = [];
  let count = 0;
  let atOnce = 0;
  let mostAtOnce = 0;
  const { promise, resolve } = Promise.withResolvers<{ words: string[]; mostAtOnce: number }>();
  const { stop } = lookRegularly({
    async look() {
      mostAtOnce = Math.max(mostAtOnce, ++atOnce);
      const result = results[count++];
      // Longer than the interval.
      await new Promise((done) => setTimeout(done, 5));
      atOnce -= 1;
      if (count === results.length) {
        stop();
        setTimeout(resolve, 20, { words, mostAtOnce });
      }
      if (result !== undefined) throw new Error(result);
    },
    tell: (why) => words.push(why),
    intervalMs: 1,
  });
  return promise.then((end) => ({ ...end, count }));
};

test.each<[string, (string | undefined)[], string[]]>([
  ["nothing is wrong", [undefined, undefined], []],
  ["the same is wrong for long", ["gone", "gone", "gone"], ["gone"]],
  ["another thing is wrong", ["gone", "empty", "gone"], ["gone", "empty", "gone"]],
  ["it was right in between", ["gone", undefined, "gone"], ["gone", "gone"]],
])("%s", async (_name, results, words) => {
  expect(await told(results)).toEqual({ words, mostAtOnce: 1, count: results.length });
});

test("what is no error is told as well", async () => {
  const why = await new Promise((resolve) => {
    const { stop } = lookRegularly({
      look: () => Promise.reject("no error object"),
      tell(text) {
        stop();
        resolve(text);
      },
      intervalMs: 1,
    });
  });
  expect(why).toBe("no error object");
});
