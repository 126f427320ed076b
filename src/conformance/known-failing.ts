import { EmbedError } from "../errors.ts";
import { globToRegExp } from "./glob.ts";

/** A line of known-failing/<target>.txt: cases that are known to fail, and why. */
export interface KnownFailing {
  readonly pattern: string;
  readonly reason: string;
}

/**
 * Reads the lines `PATTERN REASON...`; `#` begins a comment line. A pattern matches `<case>@<transport>` or
 * the case's name alone.
 * @throws EmbedError `CONFIG_INVALID` for a line without a reason
 */
export function parseKnownFailing(text: string, file: string): readonly KnownFailing[] {
  return text
    .split("\n")
    .map((line, index) => ({ line: line.trim(), number: index + 1 }))
    .filter(({ line }) => line !== "" && !line.startsWith("#"))
    .map(({ line, number }) => {
      const [pattern = "", ...words] = line.split(/\s+/);
      if (words.length === 0) {
        throw new EmbedError("CONFIG_INVALID", `${file}:${number}: expected "PATTERN REASON", got "${line}"`);
      }
      return { pattern, reason: words.join(" ") };
    });
}

/** Whether `pattern` names the case `caseName`, or its run over `transport`. */
export function matchesTest(pattern: string, caseName: string, transport: string): boolean {
  const expression = globToRegExp(pattern);
  return expression.test(caseName) || expression.test(`${caseName}@${transport}`);
}

export function findKnownFailing(
  list: readonly KnownFailing[],
  caseName: string,
  transport: string,
): KnownFailing | undefined {
  return list.find(({ pattern }) => matchesTest(pattern, caseName, transport));
}
