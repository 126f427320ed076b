import { writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { EmbedError } from "../errors.ts";
import { openFixtureFiles } from "./fixture-files.ts";
import { startFixtureHost } from "./fixture-host.ts";
import { packageFolder } from "./package-folder.ts";
import { formatJson, largestDifference } from "./report-json.ts";
import { formatJunit } from "./report-junit.ts";
import { createTableFormat, formatSummary, summarise } from "./report-table.ts";
import { runTests, type TestResult } from "./run-tests.ts";
import { selectTests } from "./select-tests.ts";
import { loadKnownFailing, loadSuites, loadTarget } from "./suite-file.ts";

export interface ConformanceOptions {
  /** host:port of the operator; only `list` can do without. */
  readonly endpoint: string | undefined;
  /** Name of a file of conformance/targets/. */
  readonly target: string;
  readonly profile: "contract" | "portico";
  /** All that the target speaks if undefined. */
  readonly protocols: readonly string[] | undefined;
  readonly filter: string | undefined;
  /** host:port to serve fixtures on; a free port of 127.0.0.1 if undefined. */
  readonly fixtureHost: string | undefined;
  /** Time for each call. */
  readonly timeoutMs: number;
  /** Paths of the reports to write. */
  readonly json: string | undefined;
  readonly junit: string | undefined;
  /** Print the cases and do nothing. */
  readonly list: boolean;
  readonly print: (line: string) => void;
}

const connectTimeoutMs = 5000;

/**
 * Tests the operator at an endpoint and prints a line for each case and transport.
 * @returns whether nothing failed
 * @throws EmbedError `CONFIG_INVALID` if an option or a suite is wrong or nobody listens at the endpoint
 */
export async function runConformance(options: ConformanceOptions): Promise<boolean> {
  const { target: targetName, profile, protocols, filter, print } = options;
  const folder = join(packageFolder, "conformance");
  const files = openFixtureFiles(join(packageFolder, "fixtures"));
  const [suites, target, knownFailing] = await Promise.all([
    loadSuites(join(folder, "suites")),
    loadTarget(join(folder, "targets"), targetName),
    loadKnownFailing(join(folder, "known-failing"), targetName),
  ]);
  const hasFixtureHost = options.fixtureHost !== undefined;
  const tests = selectTests(suites, target, { profile, protocols, filter, hasFixtureHost }, files);
  if (options.list) {
    for (const { testCase, transport, skip } of tests) {
      print(`${testCase.name}@${transport.name}${skip === undefined ? "" : ` (skipped: ${skip})`}`);
    }
    return true;
  }

  const endpoint = parseAuthority(options.endpoint, "--endpoint");
  const { host, port } = parseAuthority(options.fixtureHost ?? "127.0.0.1:0", "--fixture-host");
  await checkReachable(endpoint);
  const fixtureHost = await startFixtureHost(host, port, files);
  const startedAt = new Date().toISOString();
  const results: TestResult[] = [];
  try {
    print(
      `fixtures are served on http://${fixtureHost.authority} (start Portico with --allow-hosts ${fixtureHost.authority})`,
    );
    const format = createTableFormat(tests);
    const running = runTests(tests, {
      authority: endpoint.authority,
      files,
      fixtureUrl: `http://${fixtureHost.authority}`,
      timeoutMs: options.timeoutMs,
      model: target.model,
      tolerance: target.tolerance,
      imagesPerPicture: target.imagesPerPicture,
      knownFailing,
    });
    for await (const result of running) {
      results.push(result);
      print(format(result));
    }
  } finally {
    await fixtureHost.close();
  }

  const description = { endpoint: endpoint.authority, target: targetName, profile, startedAt };
  if (options.json !== undefined) await writeReport(options.json, formatJson(description, results));
  if (options.junit !== undefined) await writeReport(options.junit, formatJunit(results));
  const difference = largestDifference(results);
  if (difference !== undefined)
    print(`largest difference from a Keras vector: ${difference.toExponential(2)}`);
  print(formatSummary(summarise(results)));
  return results.every(({ outcome }) => outcome !== "failed");
}

export interface Authority {
  readonly host: string;
  readonly port: number;
  /** host:port as a URL takes it. */
  readonly authority: string;
}

/** @throws EmbedError `CONFIG_INVALID` if the text is not host:port */
export function parseAuthority(text: string | undefined, option: string): Authority {
  const [, bracketed, plain, digits] =
    /^(?:\[([0-9a-f:.]+)\]|([^\s:/[\]]+)):(\d{1,5})$/i.exec(text ?? "") ?? [];
  const host = bracketed ?? plain;
  const port = Number(digits);
  if (host === undefined || port > 65535) {
    throw new EmbedError(
      "CONFIG_INVALID",
      `expected ${option} HOST:PORT, got ${text === undefined ? "none" : `"${text}"`}`,
    );
  }
  return { host, port, authority: bracketed === undefined ? `${host}:${port}` : `[${host}]:${port}` };
}

/** One line now is better than the same failure in every case. */
async function checkReachable({ host, port, authority }: Authority): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const fail = (text: string, cause?: Error): void => {
      socket.destroy();
      reject(
        new EmbedError("CONFIG_INVALID", `no operator listens on ${authority} (--endpoint): ${text}`, {
          cause,
        }),
      );
    };
    const socket = connect({ host, port, timeout: connectTimeoutMs }, () => {
      socket.destroy();
      resolve();
    });
    socket.once("timeout", () => fail(`no answer within ${connectTimeoutMs} ms`));
    // An AggregateError, as for a name with several addresses, has a code but no message.
    socket.once("error", (error: NodeJS.ErrnoException) =>
      fail(error.message || error.code || error.name, error),
    );
  });
}

async function writeReport(path: string, text: string): Promise<void> {
  try {
    await writeFile(path, text);
  } catch (cause) {
    throw new EmbedError("CONFIG_INVALID", `cannot write the report ${path}: ${String(cause)}`, { cause });
  }
}
