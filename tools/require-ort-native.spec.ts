import { createRequire } from "node:module";
import { expect, test } from "vitest";
import { ortNativePackage } from "../src/node/pool/native-runtime.ts";
import ownPackage from "./ort-native/package.json" with { type: "json" };
import { requireOrtNative } from "./require-ort-native.ts";

test("the version that is tested is the one that users are told to install", () => {
  expect(ownPackage.dependencies).toEqual({ [ortNativePackage.name]: ortNativePackage.version });
  const folder = requireOrtNative();
  if (folder === undefined) return;
  const { version } = createRequire(`${folder}/`)("onnxruntime-node/package.json") as { version: string };
  expect(version).toBe(ortNativePackage.version);
});
