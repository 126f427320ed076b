import { createRequire } from "node:module";
import { expect, test } from "vitest";
import { webGpuPackage } from "../src/node/pool/webgpu-runtime.ts";
import { requireWebGpu } from "./require-webgpu.ts";
import ownPackage from "./webgpu/package.json" with { type: "json" };

test("the version that is tested is the one that users are told to install", () => {
  expect(ownPackage.dependencies).toEqual({ [webGpuPackage.name]: webGpuPackage.version });
  const env = requireWebGpu();
  if (env === undefined) return;
  const { version } = createRequire(`${env.NODE_PATH}/`)("webgpu/package.json") as { version: string };
  expect(version).toBe(webGpuPackage.version);
});
