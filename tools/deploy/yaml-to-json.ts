import { execFileSync } from "node:child_process";
import { requireTool } from "../require-tool.ts";

/** Full path of kubectl, or undefined, as `requireTool` says. */
export const kubectl = requireTool("kubectl");

/** Larger than any file here. */
const outputMaxBytes = 64 * 2 ** 20;

/** Resources of Kubernetes in YAML, read by kubectl without a cluster. */
export function yamlToJson(yaml: string): unknown[] {
  if (kubectl === undefined) throw new Error("expected kubectl on PATH");
  // Takes off an annotation that none has: all that is left to do is to write them again.
  const text = execFileSync(
    kubectl,
    ["annotate", "--local", "--filename", "-", "--output", "json", "portico.example/none-"],
    { input: yaml, encoding: "utf8", maxBuffer: outputMaxBytes },
  );
  // One object after the other.
  return JSON.parse(`[${text.trim().replaceAll("\n}\n{\n", "\n},\n{\n")}]`) as unknown[];
}

/** What `kubectl apply -k FOLDER` would send. */
export function renderKustomization(folder: string): string {
  if (kubectl === undefined) throw new Error("expected kubectl on PATH");
  return execFileSync(kubectl, ["kustomize", folder], { encoding: "utf8" });
}
