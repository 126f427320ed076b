import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { skipFor } from "./require-tool.ts";

const folder = fileURLToPath(new URL("ort-native/node_modules", import.meta.url));

/**
 * What NODE_PATH must be for `--engine ort-native` to find its package, or undefined: the test is then skipped as
 * `requireTool` says. The package lies in a folder of its own, or `auto` would take it in every other test:
 * `npm ci --prefix tools/ort-native --ignore-scripts`.
 */
export function requireOrtNative(): string | undefined {
  return existsSync(`${folder}/onnxruntime-node`)
    ? folder
    : skipFor("onnxruntime-node", "in tools/ort-native");
}
