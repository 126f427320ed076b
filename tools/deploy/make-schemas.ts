import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { orUsage } from "../or-usage.ts";
import { yamlToJson } from "./yaml-to-json.ts";

/**
 * Writes tools/deploy/schemas, which deploy/ is checked against: the schemas of Kubernetes, KServe and the Prometheus
 * Operator for the kinds in use, less what checks nothing (descriptions), closed so that an unknown field is an error.
 * What is not given stays as it is.
 *
 *   node tools/deploy/make-schemas.ts [--kubernetes SWAGGER_JSON] [--kserve CRD_YAML]... [--prometheus CRD_YAML]...
 *
 * SWAGGER_JSON is api/openapi-spec/swagger.json of the Go module k8s.io/kubernetes. KServe's are
 * config/crd/full/serving.kserve.io_{servingruntimes,inferenceservices}.yaml of its repository, Prometheus's is
 * example/prometheus-operator-crd/monitoring.coreos.com_podmonitors.yaml of the Go module
 * github.com/prometheus-operator/prometheus-operator.
 */

const folder = "tools/deploy/schemas";

/** Kinds by group and version. */
const kubernetesKinds = [
  ["io.k8s.api.apps.v1.Deployment", "apps/v1"],
  ["io.k8s.api.core.v1.Service", "v1"],
  ["io.k8s.api.autoscaling.v2.HorizontalPodAutoscaler", "autoscaling/v2"],
  ["io.k8s.api.policy.v1.PodDisruptionBudget", "policy/v1"],
  ["io.k8s.api.networking.v1.NetworkPolicy", "networking.k8s.io/v1"],
] as const;

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
interface JsonObject {
  [key: string]: Json;
}

const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Of a schema: what a validator reads. `additionalProperties: false` unless the schema leaves the object open. */
function closeSchema(schema: Json): Json {
  if (Array.isArray(schema)) return schema.map(closeSchema);
  if (!isObject(schema)) return schema;
  if (schema.format === "int-or-string" || schema["x-kubernetes-int-or-string"] === true)
    return { type: ["integer", "string"] };
  const closed: JsonObject = {};
  for (const [key, value] of Object.entries(schema)) {
    if (key === "description" || key === "default" || key === "format" || key.startsWith("x-kubernetes-"))
      continue;
    // Names of fields, of which one may well be called "description".
    if (key === "properties" && isObject(value)) {
      closed.properties = Object.fromEntries(
        Object.entries(value).map(([name, property]) => [name, closeSchema(property)]),
      );
      // metadata of a custom resource is only said to be an object.
      if (!("additionalProperties" in schema) && schema["x-kubernetes-preserve-unknown-fields"] !== true)
        closed.additionalProperties = false;
    } else closed[key] = key === "enum" || key === "required" ? value : closeSchema(value);
  }
  return closed;
}

/** Definitions that `schema` refers to, directly or not. */
function collect(schema: Json, all: JsonObject, found: JsonObject): void {
  if (Array.isArray(schema)) for (const entry of schema) collect(entry, all, found);
  if (!isObject(schema)) return;
  const { $ref } = schema;
  if (typeof $ref === "string") {
    const name = $ref.replace("#/definitions/", "");
    if (name in found) return;
    found[name] = definitionOf(name, all);
    collect(found[name], all, found);
    return;
  }
  for (const value of Object.values(schema)) collect(value, all, found);
}

function definitionOf(name: string, all: JsonObject): Json {
  // "500m" and 2 alike; the API server reads both.
  if (name === "io.k8s.apimachinery.pkg.api.resource.Quantity") return { type: ["string", "number"] };
  const definition = all[name];
  if (definition === undefined) throw new Error(`expected a definition of ${name}`);
  return closeSchema(definition);
}

/** A custom resource repeats the schema of a pod a dozen times; each part that comes again is a definition. */
function shareParts(schema: Json): JsonObject {
  const shareMinLength = 300;
  const seen = new Map<string, number>();
  const count = (part: Json): void => {
    if (Array.isArray(part)) for (const entry of part) count(entry);
    if (!isObject(part)) return;
    const text = JSON.stringify(part);
    const times = (seen.get(text) ?? 0) + 1;
    if (text.length >= shareMinLength) seen.set(text, times);
    // What lies within a part that comes again is shared with it.
    if (times === 1) for (const value of Object.values(part)) count(value);
  };
  count(schema);
  const definitions: JsonObject = {};
  const share = (part: Json): Json => {
    if (Array.isArray(part)) return part.map(share);
    if (!isObject(part)) return part;
    const text = JSON.stringify(part);
    const isShared = (seen.get(text) ?? 0) > 1 && ("type" in part || "properties" in part);
    const name = createHash("sha256").update(text).digest("hex").slice(0, 12);
    if (isShared && name in definitions) return { $ref: `#/definitions/${name}` };
    const inner = Object.fromEntries(Object.entries(part).map(([key, value]) => [key, share(value)]));
    if (!isShared) return inner;
    definitions[name] = inner;
    return { $ref: `#/definitions/${name}` };
  };
  const root = share(schema);
  if (!isObject(root)) throw new Error("expected the schema of an object");
  return { ...root, definitions };
}

/** As kubeconform looks for it: the kind, the first part of the group, the version. */
function write(kind: string, apiVersion: string, source: string, schema: JsonObject): void {
  const [group, version] = apiVersion.includes("/") ? apiVersion.split("/") : ["", apiVersion];
  const name = [kind.toLowerCase(), group?.split(".")[0], version].filter(Boolean).join("-");
  const $comment = `${source}, Apache-2.0; made by tools/deploy/make-schemas.ts`;
  writeFileSync(join(folder, `${name}.json`), `${JSON.stringify({ $comment, ...schema })}\n`);
}

const { swagger, crds } = orUsage(
  "node tools/deploy/make-schemas.ts [--kubernetes SWAGGER_JSON] [--kserve CRD_YAML]... [--prometheus CRD_YAML]...",
  () => {
    const crdFiles = { type: "string", multiple: true, default: [] as string[] } as const;
    const { values } = parseArgs({
      options: { kubernetes: { type: "string" }, kserve: crdFiles, prometheus: crdFiles },
    });
    const { kubernetes, kserve, prometheus } = values;
    if (!kubernetes && kserve.length + prometheus.length === 0) throw new RangeError("expected a file");
    const from = (source: string, paths: readonly string[]) => paths.map((path) => ({ source, path }));
    return {
      swagger: kubernetes,
      crds: [...from("KServe 0.20.0", kserve), ...from("Prometheus Operator 0.85.0", prometheus)],
    };
  },
);
mkdirSync(folder, { recursive: true });
if (swagger) {
  const { definitions: all } = JSON.parse(readFileSync(swagger, "utf8")) as { definitions: JsonObject };
  for (const [name, apiVersion] of kubernetesKinds) {
    const definitions: JsonObject = {};
    const schema = definitionOf(name, all);
    collect(schema, all, definitions);
    write(name.split(".").at(-1)!, apiVersion, "Kubernetes 1.36.1", {
      ...(schema as JsonObject),
      definitions,
    });
  }
}
interface Crd {
  readonly spec: {
    readonly group: string;
    readonly names: { readonly kind: string };
    readonly versions: readonly { readonly name: string; readonly schema: { openAPIV3Schema: Json } }[];
  };
}
for (const { source, path } of crds) {
  const [crd] = yamlToJson(readFileSync(path, "utf8")) as Crd[];
  const { group, names, versions } = crd!.spec;
  for (const { name, schema } of versions)
    write(names.kind, `${group}/${name}`, source, shareParts(closeSchema(schema.openAPIV3Schema)));
}
