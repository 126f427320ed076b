import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { describe, expect, test } from "vitest";
import {
  failure,
  filesInCache,
  half,
  handFile,
  modelFile,
  prepare,
  registry,
  sendHalfThenHang,
  sendWhole,
  useModelRegistry,
} from "../../../tools/model-registry.ts";
import type { PrepareEvent } from "./model-store.ts";
import { readModel } from "./read-model.ts";

useModelRegistry();

/** Prepares in a process of its own, as a second `portico` would. */
function spawnPrepare(): ChildProcess {
  const env = {
    ...process.env,
    TINY: JSON.stringify({ manifest: registry.manifest, cacheDir: registry.cacheDir }),
  };
  return spawn(process.execPath, [join(registry.work, "prepare.mjs")], {
    env,
    stdio: ["ignore", "pipe", "inherit"],
  });
}

/** The events that the child reports, as they come. */
function followEvents(child: ChildProcess): readonly PrepareEvent[] {
  const events: PrepareEvent[] = [];
  createInterface(child.stdout!).on("line", (line) => events.push(JSON.parse(line)));
  return events;
}

describe("several at once, and interruptions", () => {
  test("two processes fetch it once, and the second says that it waits", async () => {
    let finish: (() => void) | undefined;
    registry.answer = (response) => {
      sendHalfThenHang(response);
      finish = () => response.end(registry.tarball.subarray(half));
    };
    const children = [spawnPrepare(), spawnPrepare()];
    const ended = Promise.all(children.map((child) => once(child, "close")));
    const logs = children.map(followEvents);
    const waiting = () => logs.flat().filter((event) => event.kind === "waiting");
    await expect.poll(() => waiting().length > 0 && finish !== undefined, { timeout: 20_000 }).toBe(true);
    finish!();
    expect((await ended).map(([code]) => code)).toEqual([0, 0]);
    expect(registry.tarballRequests).toBe(1);
    expect(waiting()).toHaveLength(1);
    expect(children.map((child) => child.pid)).toContain(waiting()[0]!.pid);
    await readModel(modelFile(), registry.manifest);
    expect(await filesInCache()).toEqual([modelFile().slice(registry.cacheDir.length + 1)]);
  });

  test("after a killed process the next starts again and says so", async () => {
    registry.answer = sendHalfThenHang;
    const child = spawnPrepare();
    const ended = once(child, "close");
    const partial = async () => (await filesInCache()).find((name) => name.endsWith(".partial"));
    await expect.poll(async () => (await partial()) !== undefined, { timeout: 20_000 }).toBe(true);
    const leftover = join(registry.cacheDir, (await partial())!);
    await expect.poll(async () => (await stat(leftover)).size, { timeout: 20_000 }).toBeGreaterThan(0);
    child.kill("SIGKILL");
    await ended;
    const lostBytes = (await stat(leftover)).size;

    registry.answer = sendWhole;
    const events: PrepareEvent[] = [];
    await prepare({ onProgress: (event) => events.push(event) });
    expect(events[0]).toEqual({ kind: "restarting", lostBytes });
    await readModel(modelFile(), registry.manifest);
    expect(await filesInCache()).toEqual([modelFile().slice(registry.cacheDir.length + 1)]);
  });

  test("a leftover of this process's own number goes too: in a container all are number 1", async () => {
    await mkdir(join(registry.cacheDir, "downloads"));
    await writeFile(`${handFile()}.${process.pid}-0123abcd.partial`, "12345");
    const events: PrepareEvent[] = [];
    await prepare({ onProgress: (event) => events.push(event) });
    expect(events[0]).toEqual({ kind: "restarting", lostBytes: 5 });
    expect(await filesInCache()).toEqual([modelFile().slice(registry.cacheDir.length + 1)]);
  });

  test("the signal stops it and nothing is left", async () => {
    registry.answer = sendHalfThenHang;
    const interrupt = new AbortController();
    const onProgress = (event: PrepareEvent) => {
      if (event.kind === "downloading" && event.receivedBytes > 0) interrupt.abort();
    };
    const error = await failure(prepare({ signal: interrupt.signal, onProgress }));
    expect(error.reason).toBe("CANCELLED");
    expect(error.message).toBe("preparing was stopped; the next run starts again");
    expect(await filesInCache()).toEqual([]);
  });

  test("the signal ends the wait for another process", async () => {
    registry.answer = sendHalfThenHang;
    const child = spawnPrepare();
    const ended = once(child, "close");
    await expect.poll(() => registry.tarballRequests, { timeout: 20_000 }).toBe(1);
    const interrupt = new AbortController();
    const onProgress = (event: PrepareEvent) => {
      expect(event).toMatchObject({ kind: "waiting", pid: child.pid });
      interrupt.abort();
    };
    const error = await failure(prepare({ signal: interrupt.signal, onProgress }));
    expect(error.reason).toBe("CANCELLED");
    child.kill("SIGKILL");
    await ended;
  });
});
