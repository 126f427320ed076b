/** A file of tests in vitest's JSON report, as far as it is read here. */
export interface VitestFile {
  /** An absolute path. */
  readonly name: string;
  readonly status: string;
  /** What is wrong with the file as a whole: an import or a hook that failed. */
  readonly message: string;
  readonly assertionResults: readonly {
    readonly fullName: string;
    /** `pending` for a test that was still to come, or ran, when the process of its file ended. */
    readonly status: string;
    readonly failureMessages?: readonly string[] | null;
  }[];
}

/** A case of a suite of our own: conformance, protocol or soak. */
export interface FailedCase {
  readonly name: string;
  readonly reason: string;
}

/** How much of a message is shown: enough to see what was expected and what came. */
const messageLines = 4;
const maxLineLength = 200;

/**
 * What failed in a run of vitest: the tests, the files that failed as a whole, and those whose process ended
 * before all their tests had, with the first test that has no result. Paths are relative to `root`.
 */
export function failedTestLines(files: readonly VitestFile[], root: string): string[] {
  return files.flatMap((file) => {
    const name = file.name.startsWith(`${root}/`) ? file.name.slice(root.length + 1) : file.name;
    const of = (status: string) => file.assertionResults.filter((test) => test.status === status);
    const [failed, unfinished] = [of("failed"), of("pending")];
    const lines = failed.flatMap(({ fullName, failureMessages }) => [
      `${name} > ${fullName}`,
      ...firstLines((failureMessages ?? []).join("\n")),
    ]);
    if (file.message !== "") lines.push(`${name} as a whole`, ...firstLines(file.message));
    if (unfinished.length > 0)
      lines.push(`${name}: ended without a result of ${unfinished.length}, from: ${unfinished[0]?.fullName}`);
    // A process that ends before its file is read leaves no more than this.
    if (file.status === "failed" && lines.length === 0) lines.push(`${name}: ended without a test`);
    return lines;
  });
}

/** Errors of no test: something thrown beside all tests, or a process that ended. */
export function strayErrorLines(messages: readonly string[]): string[] {
  return messages.flatMap((message) => ["an error outside all tests", ...firstLines(message)]);
}

/** What failed in a suite of our own. */
export function failedCaseLines(cases: readonly FailedCase[]): string[] {
  return cases.flatMap(({ name, reason }) => [name, ...firstLines(reason)]);
}

/** @returns at most `max` lines; the last one then tells how many are missing */
export function limitLines(lines: readonly string[], max: number): string[] {
  if (lines.length <= max) return [...lines];
  return [...lines.slice(0, max - 1), `and ${lines.length - max + 1} lines more`];
}

/** Of a message and its stack: the message. */
function firstLines(text: string): string[] {
  return text
    .split("\n")
    .filter((line) => line.trim() !== "" && !/^\s+at /.test(line))
    .slice(0, messageLines)
    .map((line) => `  ${line.length > maxLineLength ? `${line.slice(0, maxLineLength)}...` : line}`);
}
