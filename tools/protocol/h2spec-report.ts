import { type AccountedFailure, accountedFailures } from "./h2spec-accounted.ts";

/** What a run of h2spec showed, held against the failures that are accounted for. */
export interface H2specResult {
  readonly passed: readonly string[];
  readonly skipped: readonly string[];
  /** Failures that nothing accounts for. */
  readonly failed: readonly string[];
  readonly accounted: readonly string[];
  /** Accounted for, but no longer failing: the list is to be shortened. */
  readonly mended: readonly string[];
}

/**
 * Reads the JUnit report of h2spec. It is no XML, since h2spec writes bytes of the protocol into it as they
 * are; only the lines that h2spec itself lays out are looked at.
 */
export function readH2specReport(
  report: string,
  accountedList: readonly AccountedFailure[] = accountedFailures,
): H2specResult {
  const known = new Set(accountedList.map(({ name }) => name));
  const passed: string[] = [];
  const skipped: string[] = [];
  const failed: string[] = [];
  const accounted: string[] = [];
  const cases = /<testcase package="([^"]*)" classname="([^"]*)"[^>]*>(.*?)<\/testcase>/gs;
  for (const [, section, title, content = ""] of report.matchAll(cases)) {
    const name = `${section}: ${title}`;
    if (content === "") passed.push(name);
    else if (content.trimStart().startsWith("<skipped>")) skipped.push(name);
    else if (known.has(name)) accounted.push(name);
    else failed.push(name);
  }
  const mended = passed.filter((name) => known.has(name));
  return { passed, skipped, failed, accounted, mended };
}
