import { expect, test } from "vitest";
import { checkProcessor } from "./check-processor.ts";

const process = () => [];
const module = "./p.ts";

test("a processor passes as it is", () => {
  const processor = { name: "grey-1.0_b", process };
  expect(checkProcessor(processor, module)).toBe(processor);
  class Grey {
    readonly name = "grey";
    process() {
      return [];
    }
  }
  expect(checkProcessor(new Grey(), module)).toBeInstanceOf(Grey);
});

const shape = "expected ./p.ts to export a processor by default, { name, process(picture) }, got";
const named =
  'expected the processor of ./p.ts to have a name of 1 to 64 letters, digits, ".", "_" or "-", got';

test.each([
  [undefined, `${shape} no default export`],
  [null, `${shape} null`],
  [process, `${shape} a function`],
  [{ name: "grey", run: process }, `${shape} an object with name, run`],
  [{}, `${shape} an object with nothing`],
  [{ process }, `${named} undefined`],
  [{ name: "", process }, `${named} ""`],
  [{ name: "two words", process }, `${named} "two words"`],
  [{ name: "x".repeat(65), process }, `${named} "${"x".repeat(65)}"`],
])("%j is none", (value, message) => {
  expect(() => checkProcessor(value, module)).toThrow(
    expect.objectContaining({ reason: "CONFIG_INVALID", message }),
  );
});
