import { createCases, reportCases } from "../cases.ts";
import { requireGoTool } from "../require-go-tool.ts";
import { requireTool } from "../require-tool.ts";
import { afterCalls, loadDuring, measureBalance } from "./load-balancing.ts";
import { loseUnderLongCall } from "./long-call.ts";
import { askHalfAnswers, askRefusing, askSilent } from "./odd-replicas.ts";
import type { Replica } from "./replica.ts";
import { type Stack, startStack, untilHealthy, waysIn } from "./stack.ts";

/**
 * `npm run deploy:compose [-- FILE]`: Envoy with the configuration of deploy/compose before three replicas of the real
 * server over a tiny network. Under load one is killed and another restarted: no call may be lost, none wrong, and calls
 * are spread evenly before and after. FILE gets {passed, failed, skipped, results} as JSON.
 */
const balanceRound = { callers: 8, calls: 1_000 };
/** While replicas come and go: for as long as that takes, so not faster than it needs to be. */
const round = { callers: 16, calls: 500, callsPerSecond: 100 };
/** The replica that is furthest from the mean of all, as a part of it. */
const balanceLimits = { tolerance: 0.1, maxRounds: 6 };
/** Calls that a replica answers between one event and the next. */
const callsBetween = 100;

const { results, check, skip, attempt } = createCases();

async function checkBalance(when: string, stack: Stack, ghz: string): Promise<void> {
  const { balance, codes } = await measureBalance(stack, { ghz, ...balanceRound }, balanceLimits);
  check(`${when}: ghz: all calls OK`, Object.keys(codes).join() === "OK", JSON.stringify(codes));
  check(
    `${when}: calls are spread within ${balanceLimits.tolerance * 100} % of their mean`,
    balance.furthest <= balanceLimits.tolerance,
    `${balance.calls.join(", ")}: ${(balance.furthest * 100).toFixed(1)} %`,
  );
}

async function checkFaults(stack: Stack, ghz: string): Promise<void> {
  const [killed, restarted] = stack.replicas;
  let exitCode: number | null = null;
  const { codes, checked, lost } = await loadDuring(stack, { ghz, ...round }, async () => {
    await afterCalls(killed, callsBetween);
    await killed.stop("SIGKILL");
    // At once: while Envoy still takes the killed one for healthy, a single other is left.
    exitCode = await restarted.stop();
    await restarted.start();
    await untilHealthy(stack, 2);
    await afterCalls(restarted, callsBetween);
  });
  const retries = await stack.envoy.readClusterStat("upstream_rq_retry_success");
  check(
    "one killed, one restarted: ghz: all calls OK",
    Object.keys(codes).join() === "OK" && lost.length === 0,
    `${JSON.stringify(codes)}; ${lost.slice(0, 3).join("; ") || "none lost"}`,
  );
  for (const { name, vectors, wrong } of checked) {
    check(
      `one killed, one restarted: vectors over ${name} right, bit for bit`,
      vectors > 0 && wrong.length === 0,
      `${vectors} compared; ${wrong.slice(0, 3).join("; ") || "none wrong"}`,
    );
  }
  check("Envoy tried calls of the killed replica again", retries > 0, `${retries} calls`);
  check("the restarted replica had cut off no call", exitCode === 0, `exit code ${exitCode}`);
}

/** A long call whose replica is lost, by `lose`, while it works on it. */
async function checkLongCall(
  stack: Stack,
  wayIn: string,
  how: string,
  lose: (busy: Replica) => Promise<unknown>,
): Promise<void> {
  const [name, open] = waysIn.find(([way]) => way === wayIn)!;
  const started = performance.now();
  const { requestBytes, vectors, wrong } = await loseUnderLongCall(stack, open(stack.envoy.url), lose);
  const seconds = (performance.now() - started) / 1000;
  check(
    `a long call over ${name} whose replica ${how} is done by another`,
    vectors > 0 && wrong === 0,
    `${(requestBytes / 1e6).toFixed(1)} MB, ${vectors} vectors, ${wrong} wrong, ${seconds.toFixed(1)} s`,
  );
}

async function checkKilled(stack: Stack): Promise<void> {
  for (const wayIn of ["gRPC", "gRPC-Web over HTTP/1.1"]) {
    await checkLongCall(stack, wayIn, "is killed", async (busy) => {
      await busy.stop("SIGKILL");
      await busy.start();
    });
    await untilHealthy(stack, 3);
  }
}

/** It ends no connection; Envoy finds out by a ping. */
const checkStandstill = (stack: Stack) =>
  checkLongCall(stack, "Connect over HTTP/1.1", "stands still", async (busy) => busy.standStill());

async function checkHalfAnswers(envoy: string): Promise<void> {
  const [execute, stream] = await askHalfAnswers(envoy, [
    "/omnisearch.Operator/Execute",
    "/portico.v1.EmbeddingService/EmbedStream",
  ]);
  check(
    "an answer that breaks off in the middle is asked for again",
    execute?.tries === 2 && execute.isWhole && execute.status === "0",
    JSON.stringify(execute),
  );
  // What has been passed on cannot be taken back.
  check(
    "a stream that breaks off is not begun again",
    stream?.tries === 1 && !stream.isWhole,
    JSON.stringify(stream),
  );
}

async function checkRefusals(envoy: string): Promise<void> {
  for (const { name, outcome, tries } of await askRefusing(envoy)) {
    check(
      `a call over ${name} that a replica refuses is done all the same`,
      outcome === "OK" && tries === 2,
      `${outcome}, ${tries} tries`,
    );
  }
}

async function checkSilence(envoy: string): Promise<void> {
  const [lifted, limited] = await Promise.all([askSilent(envoy, true), askSilent(envoy, false)]);
  for (const [name, outcome] of lifted)
    check(`a call over ${name} may be silent for longer than stream_idle_timeout`, outcome === "OK", outcome);
  // Or the above would say nothing.
  check(
    "without the route's idle_timeout each of them is cut off",
    limited.every(([, outcome]) => outcome !== "OK"),
    limited.map(([name, outcome]) => `${name}: ${outcome}`).join("; "),
  );
}

async function run(envoy: string, ghz: string): Promise<void> {
  const stack = await startStack(envoy);
  try {
    await untilHealthy(stack, 3);
    await checkBalance("three replicas", stack, ghz);
    await checkFaults(stack, ghz);
    await stack.replicas[0].start();
    await untilHealthy(stack, 3);
    await checkBalance("three again", stack, ghz);
    await checkKilled(stack);
    await Promise.all([
      checkStandstill(stack),
      checkHalfAnswers(envoy),
      checkRefusals(envoy),
      checkSilence(envoy),
    ]);
  } finally {
    await stack.close();
  }
}

const envoy = requireTool("envoy");
const ghz = envoy && requireGoTool("ghz");
if (envoy && ghz) await attempt("the run came to its end", () => run(envoy, ghz));
else skip("behind Envoy");
reportCases(results, process.argv[2]);
