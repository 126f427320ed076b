import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type LockOwner, withLock } from "./model-lock.ts";

let folder: string;
let lock: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "portico-lock-"));
  lock = join(folder, "prepare.lock");
});

afterAll(() => rm(folder, { recursive: true, force: true }));

const owner = (pid: number, host = hostname()) => JSON.stringify({ pid, host } satisfies LockOwner);

/** The id of a process that has ended. */
async function deadPid(): Promise<number> {
  const child = spawn(process.execPath, ["--version"], { stdio: "ignore" });
  await once(child, "close");
  return child.pid!;
}

test("one after the other, whoever comes first", async () => {
  let running = 0;
  const order: number[] = [];
  const work = (id: number) =>
    withLock(lock, {}, async () => {
      expect(++running).toBe(1);
      expect(JSON.parse(await readFile(lock, "utf8"))).toEqual({ pid: process.pid, host: hostname() });
      order.push(id);
      running--;
    });
  await Promise.all([work(1), work(2), work(3)]);
  expect(order.toSorted()).toEqual([1, 2, 3]);
  expect(await readdir(folder)).toEqual([]);
});

test("the lock goes when the work fails", async () => {
  await expect(withLock(lock, {}, () => Promise.reject(new Error("no luck")))).rejects.toThrow("no luck");
  expect(await readdir(folder)).toEqual([]);
});

test("a dead process's lock is taken over without waiting", async () => {
  await writeFile(lock, owner(await deadPid()));
  const waits: LockOwner[] = [];
  await withLock(lock, { onWait: (one) => waits.push(one) }, async () => {
    expect(JSON.parse(await readFile(lock, "utf8")).pid).toBe(process.pid);
  });
  expect(waits).toEqual([]);
  expect(await readdir(folder)).toEqual([]);
});

test("a lock of another machine is taken over once it is no longer renewed", async () => {
  await writeFile(lock, owner(process.pid, "another-host"));
  const waits: LockOwner[] = [];
  const done = withLock(lock, { onWait: (one) => waits.push(one) }, async () => "done");
  await expect.poll(() => waits).toEqual([{ pid: process.pid, host: "another-host" }]);
  const longAgo = new Date(Date.now() - 21_000);
  await utimes(lock, longAgo, longAgo);
  expect(await done).toBe("done");
  expect(await readdir(folder)).toEqual([]);
});

test("the holder renews it while it works", async () => {
  await withLock(lock, {}, async () => {
    const { mtimeMs } = await stat(lock);
    await expect.poll(async () => (await stat(lock)).mtimeMs, { timeout: 10_000 }).toBeGreaterThan(mtimeMs);
  });
});
