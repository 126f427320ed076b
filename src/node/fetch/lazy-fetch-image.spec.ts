import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const moduleUrl = (path: string) => JSON.stringify(new URL(path, import.meta.url).href);

/** Two URLs come at once while the process may open no more files, and a third one when it may. */
const script = `
import { closeSync, openSync } from "node:fs";
import { defaultFetchPolicy } from ${moduleUrl("./fetch-policy.ts")};
import { lazyFetchImage } from ${moduleUrl("./lazy-fetch-image.ts")};
const { load } = lazyFetchImage(defaultFetchPolicy, {});
const told = [];
const ask = () => load().then(() => told.push("loaded"), ({ code }) => told.push(code));
const files = [];
try {
  for (;;) files.push(openSync("/dev/null"));
} catch {}
await Promise.all([ask(), ask()]);
for (const file of files) closeSync(file);
await ask();
console.log(told.join(" "));
`;

test("an import that failed for lack of open files is tried again", async () => {
  const { stdout } = await promisify(execFile)("sh", [
    ...["-c", 'ulimit -n 64 && exec "$0" --input-type=module -e "$1"'],
    ...[process.execPath, script],
  ]);
  expect(stdout).toBe("EMFILE EMFILE loaded\n");
});
