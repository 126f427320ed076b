import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const file = (name: string) => fileURLToPath(new URL(name, import.meta.url));

test("a thread that decodes for another's engine is replaced, and only its own picture fails", async () => {
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [file("misbehaving-decoders.ts")], {
    env: { ...process.env, NODE_OPTIONS: `--import=${new URL("misbehave.ts", import.meta.url)}` },
  });
  expect({ ...JSON.parse(stdout), stderr }).toEqual({
    hang: "IMAGE_TOO_SLOW: expected a picture to take at most 15000 ms (--item-timeout-ms); its worker is being replaced",
    heap: "IMAGE_TOO_LARGE: expected a picture to need at most 256 MiB of a worker's JavaScript heap; its worker is being replaced",
    exit: "ENGINE_FAILED: a worker ended with exit code 7; it is being replaced, try again",
    throw: "ENGINE_FAILED: a worker failed; it is being replaced, try again",
    // It makes way for another after its picture.
    grow: "a vector",
    others: ["a vector"],
    workers: 1,
    stderr: "",
  });
});
