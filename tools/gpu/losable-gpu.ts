import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** The name of the channel on which a process asks the GPUs of its threads for a loss, and hears of it. */
export const lossChannel = "portico-gpu-loss";

/**
 * What is asked for: the device in use is destroyed, which is how WebGPU itself has one lost; or the same, and no other
 * device is given out either.
 */
export type LossRequest = "lose" | "lose-for-good";

/**
 * Writes a package webgpu: the real one, whose devices another thread can take away.
 * @param real folder node_modules of the real one
 * @returns what NODE_PATH must be for that
 */
export async function writeLosableGpu(folder: string, real: string): Promise<string> {
  const modules = join(folder, "node_modules");
  const losable = join(modules, "webgpu");
  await mkdir(losable, { recursive: true });
  await writeFile(join(losable, "package.json"), '{ "version": "0.0.0", "main": "index.js" }');
  await writeFile(
    join(losable, "index.js"),
    `
const real = require(${JSON.stringify(join(real, "webgpu"))});
const channel = new BroadcastChannel(${JSON.stringify(lossChannel)});
channel.unref();
const { requestDevice } = real.globals.GPUAdapter.prototype;
let isGone = false;
real.globals.GPUAdapter.prototype.requestDevice = async function (...args) {
  if (isGone) throw new Error("the GPU is gone");
  const device = await requestDevice.apply(this, args);
  channel.onmessage = ({ data }) => {
    isGone = data === "lose-for-good";
    device.destroy();
    channel.postMessage("lost");
  };
  return device;
};
module.exports = { create: real.create, globals: real.globals };
`,
  );
  return modules;
}
