import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { healthAnswerTimeoutMs } from "../../src/cli/health-answer-timeout.ts";
import { modelFile } from "../../src/node/model/model-cache.ts";
import { findModelManifest } from "../../src/node/model/model-catalog.ts";
import { type CaseResult, type Cases, createCases } from "../cases.ts";
import { freePort } from "../loopback-port.ts";
import { checkBadStarts } from "./check-bad-starts.ts";
import { checkDrain } from "./check-drain.ts";
import { checkRights } from "./check-rights.ts";
import type { OpenImage } from "./image-store.ts";
import { type Container, startContainer } from "./start-container.ts";
import { setUnprivilegedPortStart } from "./unprivileged-ports.ts";

/**
 * Runs both images as `docker run --cap-drop ALL --read-only --security-opt no-new-privileges` would and holds them against
 * what they promise. It must run as root in a network of loopback alone, which the containers share: so nothing can be fetched
 * but what this serves itself. `node tools/container/test-image.ts SETTINGS.json REPORT.json`
 */
export interface TestSettings {
  readonly full: OpenImage;
  readonly slim: OpenImage;
  /** Of the conformance suite, "grpc,connect"; by default all. */
  readonly protocols?: string;
}

/** No account has these numbers. */
const user = "12345:54321";
/** What is aimed at, and at the very latest: beyond it a start counts as broken however busy the machine is. */
const ready = { aimMs: 1_500, maxMs: 10_000 };
/** Health can be asked for this long after SIGTERM. */
const shutdownDelayMs = 5_000;
const root = fileURLToPath(new URL("../../", import.meta.url));

const [settingsFile, reportFile] = process.argv.slice(2) as [string, string];
const { full, slim, protocols } = JSON.parse(readFileSync(settingsFile, "utf8")) as TestSettings;
const healthcheck = full.config.Healthcheck?.Test.slice(1) ?? [];
const modelFolder = "app/cache";
const modelPath = modelFile(modelFolder, await findModelManifest("resnet50"));
const cases = createCases();
let suite: readonly CaseResult[] = [];

setUnprivilegedPortStart(0);
await cases.attempt("the image", testFull);
await cases.attempt("the image without a model", testSlim);
await cases.attempt("bad starts", () => checkBadStarts(cases, { full, slim, modelPath }));
writeFileSync(reportFile, JSON.stringify([...cases.results, ...suite]));

async function testFull(): Promise<void> {
  const [port, fixturePort] = [await freePort(), await freePort()];
  const address = `127.0.0.1:${port}`;
  const fixtureHost = `127.0.0.1:${fixturePort}`;
  const container = startContainer(full, {
    user,
    env: { OP_ENDPOINT: address },
    args: [
      ...["--allow-hosts", fixtureHost, "--fetch-timeout-ms", "3000", "--workers", "1"],
      ...["--shutdown-delay-ms", String(shutdownDelayMs), "--grace-ms", "120000"],
    ],
  });
  try {
    await checkReady(cases, container, "ready");
    await checkRights(cases, container, full, user);
    await checkHealth(container, `http://${address}/readyz`);
    await checkDoctor(container);
    const page = await fetch(`http://${address}/`, { headers: { accept: "text/html" } });
    cases.equal("the page in a browser", page.headers.get("content-type"), "text/html; charset=utf-8");
    suite = await runSuite(["--endpoint", address, "--fixture-host", fixtureHost]);
    await checkDrain(cases, container, address, healthcheck);
  } finally {
    await container.remove();
  }
}

/** As its own user, on the port where Phantoscope dials, with the model of the other image mounted. */
async function testSlim(): Promise<void> {
  const container = startContainer(slim, { mounts: { "/cache": join(full.root, modelFolder) } });
  try {
    await checkReady(cases, container, "slim with a mounted model: ready");
    const { code, output } = await container.exec(...healthcheck);
    cases.equal(
      "slim on port 80: HEALTHCHECK",
      [code, output.trim()],
      [0, "http://127.0.0.1:80/readyz: ready"],
    );
    await container.kill("SIGTERM");
    cases.equal("slim: exit code after SIGTERM", await container.ended, 0);
  } finally {
    await container.remove();
  }
}

async function checkReady(cases: Cases, container: Container, name: string): Promise<void> {
  const { startMs, maxAbsError } = await container.untilLogged("ready");
  const ms = performance.now() - container.startedAt;
  cases.check(
    `${name} within ${ready.maxMs} ms`,
    ms <= ready.maxMs,
    `${Math.round(ms)} ms after runc was called, ${startMs} ms by its own clock, aim ${ready.aimMs} ms; ${maxAbsError} from Keras`,
  );
}

async function checkHealth(container: Container, url: string): Promise<void> {
  const startedAt = performance.now();
  const { code, output } = await container.exec(...healthcheck);
  const ms = Math.round(performance.now() - startedAt);
  cases.check(
    "HEALTHCHECK while ready",
    code === 0 && output.trim() === `${url}: ready`,
    `${code}: ${output.trim()} (${ms} ms)`,
  );
  // A process that is stopped neither answers nor closes.
  await container.kill("SIGSTOP");
  const stopped = await container.exec(...healthcheck);
  await container.kill("SIGCONT");
  cases.check(
    "HEALTHCHECK while the server hangs",
    stopped.code === 1 && stopped.output.trim().endsWith(`: no answer within ${healthAnswerTimeoutMs} ms`),
    `${stopped.code}: ${stopped.output.trim()}`,
  );
}

/** By the name that messages give the program, where the server runs already. */
async function checkDoctor(container: Container): Promise<void> {
  const { code, output } = await container.exec("portico", "doctor");
  const isFound = /^ok +port .*: Portico runs there already$/m.test(output);
  const told = output.split("\n").filter((line) => !/^( |\?|$)/.test(line));
  cases.check("portico doctor in the container", code === 0 && isFound, `${code}: ${told.join("; ")}`);
}

/** The conformance suite; its cases are counted among those of this run. */
async function runSuite(args: readonly string[]): Promise<readonly CaseResult[]> {
  const report = `${reportFile}.conformance`;
  const child = spawn(
    process.execPath,
    [
      "src/cli/portico.ts",
      "conformance",
      ...args,
      ...(protocols ? ["--protocol", protocols] : []),
      "--json",
      report,
    ],
    {
      cwd: root,
      stdio: "inherit",
    },
  );
  const [code] = (await once(child, "exit")) as [number | null];
  cases.equal("conformance: exit code", code, 0);
  const { results } = JSON.parse(readFileSync(report, "utf8")) as {
    results: readonly { name: string; transport: string; outcome: CaseResult["outcome"]; reason?: string }[];
  };
  return results.map(({ name, transport, outcome, reason = "" }) => ({
    name: `${name} over ${transport}`,
    outcome,
    reason,
  }));
}
