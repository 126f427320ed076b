import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { requireGoTool } from "../require-go-tool.ts";
import { kubectl, renderKustomization, yamlToJson } from "./yaml-to-json.ts";

const kubeconform = requireGoTool("kubeconform");

/** Whether the programs that the tests of deploy/kubernetes and deploy/kserve need are not there. */
export const clusterToolsAreMissing = kubectl === undefined || kubeconform === undefined;

export interface Container {
  readonly securityContext: object;
  readonly args: readonly string[];
  readonly env: readonly { readonly name: string; readonly value: string }[];
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
  readonly resources: { readonly limits: { readonly [resource: string]: string; readonly memory: string } };
}

export interface PodSpec {
  readonly containers: readonly [Container];
  readonly securityContext?: object;
  readonly terminationGracePeriodSeconds: number;
}

/** An object of a cluster. */
export interface Resource {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec: Readonly<Record<string, unknown>>;
}

/** What a cluster would get from a kustomization with these components, as YAML; without kubectl nothing. */
export function render(folder: string, components: readonly string[] = []): string {
  if (kubectl === undefined) return "";
  if (components.length === 0) return renderKustomization(folder);
  // Test files run side by side, so each set has a folder of its own.
  const overlay = `output/deploy/overlay-${components.join("-")}`;
  mkdirSync(overlay, { recursive: true });
  const up = "../../../";
  const paths = components.map((name) => `${up}${folder}/components/${name}`);
  writeFileSync(
    `${overlay}/kustomization.yaml`,
    JSON.stringify({ resources: [up + folder], components: paths }),
  );
  return renderKustomization(overlay);
}

/** What is wrong with resources by the schemas of Kubernetes, KServe and the Prometheus Operator, or nothing. */
export function validate(yaml: string): string {
  const schemas = "tools/deploy/schemas/{{.ResourceKind}}{{.KindSuffix}}.json";
  const { stdout } = spawnSync(kubeconform!, ["-schema-location", schemas, "-"], {
    input: yaml,
    encoding: "utf8",
  });
  return stdout;
}

const known = new Map<string, Resource[]>();

/** Each text is read once. */
export function resourcesOf(yaml: string): Resource[] {
  const resources = known.get(yaml) ?? (yamlToJson(yaml) as Resource[]);
  known.set(yaml, resources);
  return resources;
}

/** @throws Error unless there is one of that kind */
export function find(yaml: string, kind: string): Resource {
  const found = resourcesOf(yaml).filter((resource) => resource.kind === kind);
  if (found.length !== 1) throw new Error(`expected one ${kind}, got ${found.length}`);
  return found[0]!;
}

/** Of a Deployment. */
export const podOf = (deployment: Resource) => (deployment.spec.template as { readonly spec: PodSpec }).spec;
/** What every container of Portico is held to. */
export const secure = {
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  capabilities: { drop: ["ALL"] },
};
/** No user by number: the image has one, and a cluster may prefer another. */
export const user = { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } };
/** The labels of the pods of deploy/kubernetes. */
export const podLabels = { "app.kubernetes.io/name": "portico" };
