import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, rmSync } from "node:fs";
import { constants } from "node:os";
import { limitLines } from "./failed-tests.ts";
import { type OutputPart, orderOutput } from "./order-output.ts";
import { type Counts, output, type Step, stages } from "./test-steps.ts";

/**
 * `npm test`: every check of the project, with one closing line for all of them. Some run side by side, since many of them
 * wait; the log reads as if they ran one after the other. `npm test -- NAME...` runs only the steps with these names. What
 * failed is named last, since a log is often read by its end alone.
 */

/** A log shows its last lines; these are for what failed. */
const failureLinesMax = 40;

/** What a step wrote is read for so long after its end, if it has left a process behind that could write more. */
const readOnMs = 2_000;

const running = new Set<ChildProcess>();

/** Writes straight to where the log goes while nothing before it is still running, else by way of `output`. */
function run({ command, env }: Step, output: OutputPart): Promise<number> {
  return new Promise((resolve) => {
    const [program, ...args] = command as [string, ...string[]];
    const [input, to] = output.isLive() ? (["inherit", "inherit"] as const) : (["ignore", "pipe"] as const);
    const child = spawn(program, args, {
      env: { ...process.env, ...env },
      stdio: [input, to, to],
      shell: process.platform === "win32",
    });
    running.add(child);
    const streams = [child.stdout, child.stderr];
    for (const stream of streams) stream?.on("data", output.write);
    let patience: NodeJS.Timeout | undefined;
    const end = (code: number) => {
      clearTimeout(patience);
      running.delete(child);
      for (const stream of streams) stream?.destroy();
      resolve(code);
    };
    child.on("error", () => end(127));
    child.on("close", (code) => end(code ?? 1));
    child.on("exit", (code) => {
      patience = setTimeout(() => end(code ?? 1), readOnMs);
    });
  });
}

/** The steps end with this process, and what they wrote so far is shown. */
function endTogether(outputs: readonly OutputPart[], signal: NodeJS.Signals): void {
  for (const child of running) child.kill(signal);
  for (const output of outputs) output.end();
  process.exit(128 + constants.signals[signal]);
}

async function runStep(step: Step, output: OutputPart): Promise<Counts> {
  const say = (line: string) => output.write(Buffer.from(`${line}\n`));
  const start = performance.now();
  for (const file of step.report?.files ?? []) rmSync(file, { force: true });
  say(`\n== ${step.name}: ${step.command.join(" ")}`);
  const code = await run(step, output);
  say(`== ${step.name}: exit code ${code}, ${((performance.now() - start) / 1000).toFixed(1)} s`);
  output.end();
  const single = { passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1, skipped: 0 };
  if (!step.report) return single;
  try {
    const counts = step.report.count();
    // A runner that fails without a failed case, or counts no case at all, has failed itself.
    const silent = (code !== 0 && counts.failed === 0) || counts.passed + counts.skipped === 0;
    return silent ? { ...counts, failed: counts.failed + 1 } : counts;
  } catch {
    // No report was written: the runner never got as far, which its own output explains.
    return { passed: 0, failed: 1, skipped: 0 };
  }
}

function describeFailures(step: Step): string[] {
  const elsewhere = `nothing that a report names; see the output of the step, above: == ${step.name}:`;
  try {
    const lines = step.report?.failures() ?? [];
    return lines.length > 0 ? lines : [elsewhere];
  } catch {
    return [elsewhere];
  }
}

const steps = stages.flat(2);
mkdirSync(output, { recursive: true });
const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !steps.some((step) => step.name === name));
if (unknown.length > 0) {
  console.error(`no such step: ${unknown.join(", ")}; steps: ${steps.map(({ name }) => name).join(", ")}`);
  process.exit(2);
}

const isWanted = ({ name }: Step) => wanted.length === 0 || wanted.includes(name);
const counted = new Map<Step, Counts>();
const isCovered = ({ coveredBy }: Step) =>
  [...counted].some(([{ name }, counts]) => name === coveredBy && counts.passed > 0 && counts.skipped === 0);
for (const stage of stages) {
  const lanes = stage.map((lane) => lane.filter(isWanted));
  const outputs = orderOutput(lanes.flat().length, (chunk) => void process.stdout.write(chunk));
  const outputOf = new Map(lanes.flat().map((step, index) => [step, outputs[index] as OutputPart]));
  const runLane = async (lane: readonly Step[]) => {
    for (const step of lane) {
      const output = outputOf.get(step) as OutputPart;
      if (isCovered(step)) {
        output.write(Buffer.from(`\n== ${step.name}: left out, ${step.coveredBy} asked the same\n`));
        output.end();
      } else counted.set(step, await runStep(step, output));
    }
  };
  const onSignal = (signal: NodeJS.Signals) => endTogether(outputs, signal);
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, onSignal);
  await Promise.all(lanes.map(runLane));
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.off(signal, onSignal);
}

const sum = (of: keyof Counts) => [...counted.values()].reduce((total, counts) => total + counts[of], 0);
const total: Counts = { passed: sum("passed"), failed: sum("failed"), skipped: sum("skipped") };
const failedSteps = steps.filter((step) => (counted.get(step)?.failed ?? 0) > 0);

if (failedSteps.length > 0) console.log(`\nfailed steps: ${failedSteps.map(({ name }) => name).join(", ")}`);
console.log(`\n${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
for (const step of failedSteps) {
  console.log(`\n== what failed in ${step.name}`);
  for (const line of limitLines(describeFailures(step), failureLinesMax)) console.log(line);
}
process.exitCode = total.failed > 0 ? 1 : 0;
