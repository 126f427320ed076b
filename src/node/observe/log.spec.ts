import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, openSync } from "node:fs";
import { text } from "node:stream/consumers";
import { expect, test } from "vitest";

/** Runs this code in a process of its own, with the log of level info at hand. */
function runWithLog(code: string, stdout: "pipe" | number = "pipe") {
  const source = `
    import { createLog } from "./log.ts";
    import { runForRequest } from "./request-record.ts";
    const log = createLog("info");
    ${code}`;
  return spawn(process.execPath, ["--input-type=module", "-e", source], {
    cwd: import.meta.dirname,
    stdio: ["ignore", stdout, "pipe"],
  });
}

test("every line of a request holds its id and its trace's, and an error its message", async () => {
  const child = runWithLog(`
    const record = { requestId: "r-1", trace: { traceId: "t-1" } };
    log.info("before");
    await runForRequest(record, async () => {
      await new Promise((resolve) => setTimeout(resolve, 1));
      log.warn({ error: new TypeError("it broke", { cause: new Error("deep down") }) }, "within");
    });
    log.debug("too fine");
    log.info({ requestId: "own" }, "after");
    process.exit(0);`);
  const lines = (await text(child.stdout!)).trimEnd().split("\n");
  const parsed = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(parsed.map(({ msg, requestId, traceId }) => [msg, requestId, traceId])).toEqual([
    ["before", undefined, undefined],
    ["within", "r-1", "t-1"],
    ["after", "own", undefined],
  ]);
  expect(parsed[1]?.error).toMatchObject({ type: "TypeError", message: "it broke: deep down" });
});

test("a reader that reads nothing stops no work", async () => {
  const child = runWithLog(`
    import { writeSync } from "node:fs";
    // 20 MB: more than a pipe and the log itself hold.
    const line = "x".repeat(1000);
    for (let count = 0; count < 20_000; count++) {
      log.info(line);
      if (count % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    writeSync(2, "worked on");`);
  child.stdout!.pause();
  const [words] = await once(child.stderr!, "data");
  expect(String(words)).toBe("worked on");
  child.kill("SIGKILL");
  await once(child, "exit");
});

test.skipIf(!existsSync("/dev/full"))(
  "a disk that is full stops no work, and is told on stderr",
  async () => {
    const child = runWithLog(
      `
    for (let count = 0; count < 3; count++) {
      log.info("lost");
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    log.info("lost at the end");`,
      openSync("/dev/full", "w"),
    );
    const [told, [code]] = await Promise.all([text(child.stderr!), once(child, "exit")]);
    expect({ code, told }).toEqual({
      code: 0,
      told: "portico: log lines were lost: ENOSPC: no space left on device, write\n",
    });
  },
);

test("a reader that goes ends nothing", async () => {
  const child = runWithLog(`
    import { writeSync } from "node:fs";
    for (let count = 0; count < 5; count++) {
      log.info("line");
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    writeSync(2, "worked on");`);
  child.stdout!.destroy();
  const [told, [code]] = await Promise.all([text(child.stderr!), once(child, "exit")]);
  expect({ code, told }).toEqual({ code: 0, told: "worked on" });
});
