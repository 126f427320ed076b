import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** The name of the channel on which the worker asks what to do. */
export const verdictChannel = "portico-verdicts";

/**
 * What a worker is to do with a command: work on it, throw outside of any handler, end without a word, hang; lose its GPU
 * device, or all of them for good, and then work on it; or work on it with a software adapter that passes for a real one.
 */
export type Verdict = "go" | "throw" | "end" | "hang" | "lose-device" | "lose-gpu" | "as-real-gpu";

/** What the worker was about to do: `start`, or a number of pictures. */
export type AskedCommand = "start" | number;

/**
 * Writes the package's Web Worker with a few lines before it, by which it does as it is told.
 * @param folder what `buildPackageForPages` wrote
 * @returns what a host gives for it
 */
export async function writeToldWorker(folder: string): Promise<Readonly<Record<string, string>>> {
  const real = await readFile(join(folder, "embed-worker.js"), "utf8");
  const file = join(folder, "told-worker.js");
  await writeFile(
    file,
    `
const channel = new BroadcastChannel(${JSON.stringify(verdictChannel)});
const devices = [];
let hasGpu = true;
if (globalThis.GPUAdapter) {
  const { requestDevice } = GPUAdapter.prototype;
  GPUAdapter.prototype.requestDevice = async function (...args) {
    if (!hasGpu) throw new Error("the GPU is gone");
    devices.push(await requestDevice.apply(this, args));
    return devices.at(-1);
  };
}
const verdicts = {
  go: (event) => onmessage(event),
  throw: () => setTimeout(() => { throw new Error("told to throw"); }),
  end: () => close(),
  hang: () => { for (;;); },
  "lose-device": (event) => { devices.at(-1).destroy(); onmessage(event); },
  "as-real-gpu": (event) => {
    Object.defineProperty(GPUAdapterInfo.prototype, "isFallbackAdapter", { value: false });
    onmessage(event);
  },
  "lose-gpu": (event) => { hasGpu = false; devices.at(-1).destroy(); onmessage(event); },
};
addEventListener("message", (event) => {
  event.stopImmediatePropagation();
  channel.onmessage = ({ data }) => verdicts[data](event);
  channel.postMessage(event.data.kind === "start" ? "start" : event.data.pictures.length);
});
${real}`,
  );
  return { "/embed-worker.js": file };
}
