import { Command, InvalidArgumentError } from "commander";
import { expect, test } from "vitest";
import { usageError } from "./usage-error.ts";

/** What commander itself makes of these arguments, in our words. */
function errorOf(...args: string[]): string {
  let text = "";
  const command = new Command()
    .exitOverride()
    .configureOutput({
      outputError(error) {
        text += usageError(error);
      },
    })
    .option("-n, --number <n>", "any", (value) => {
      throw new InvalidArgumentError(`expected an integer, got "${value}"`);
    })
    .option("--list <a...>", "any", () => {
      throw new InvalidArgumentError("expected a list");
    })
    .option("--other <n>", "any", () => {
      throw new InvalidArgumentError("No.");
    });
  expect(() => command.parse(args, { from: "user" })).toThrow();
  return text;
}

test.each([
  [["--number", "0"], 'portico: --number: expected an integer, got "0"\n'],
  [["-n", "it's"], 'portico: --number: expected an integer, got "it\'s"\n'],
  [["--number", "a\nb"], 'portico: --number: expected an integer, got "a\nb"\n'],
  [["--list", "a"], "portico: --list: expected a list\n"],
  [["--other", "0"], "portico: option '--other <n>' argument '0' is invalid. No.\n"],
  [["--frob"], "portico: unknown option '--frob'\n"],
])("%j", (args, line) => {
  expect(errorOf(...args)).toBe(line);
});
