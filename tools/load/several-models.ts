import { createClient } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport } from "@connectrpc/connect-node";
import { expect } from "vitest";
import { compareVectors } from "../../src/embed/compare-vectors.ts";
import { Health } from "../../src/gen/grpc/health/v1/health_pb.ts";
import { Operator } from "../../src/gen/omnisearch/operator_pb.ts";
import { EmbeddingService, type EmbedResponse } from "../../src/gen/portico/v1/embedding_pb.ts";
import { type PorticoProcess, startPortico } from "../start-portico.ts";
import { embeddingOverGrpcJs } from "./embedding-over-grpc-js.ts";
import { readTestPictures } from "./test-models.ts";

/** A server of several test models in a process of its own, its clients, and what they must get. */

export const pictures = {
  tiny: await readTestPictures("tiny"),
  mean: await readTestPictures("mean"),
  plain: await readTestPictures("plain"),
};
export type WorkingModel = keyof typeof pictures;

/** `serve-several.ts` with these models, each with one worker. */
export function startSeveral(
  models: readonly string[],
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Promise<PorticoProcess> {
  const named = models.flatMap((name) => ["--model", name]);
  const common = ["--page", "off", "--workers", "1"];
  return startPortico({ entry: "tools/load/serve-several.ts", args: [...named, ...common, ...args], env });
}

export const image = (bytes: Uint8Array) => ({ source: { case: "data" as const, value: bytes } });
export const imagesOf = (name: WorkingModel) => pictures[name].map(({ bytes }) => image(bytes));

/** Of each protocol, and one that shares no code with the server. */
export function clientsOf({ address }: PorticoProcess) {
  const baseUrl = `http://${address}`;
  const grpc = createGrpcTransport({ baseUrl });
  return {
    grpc: createClient(EmbeddingService, grpc),
    connect: createClient(EmbeddingService, createConnectTransport({ baseUrl, httpVersion: "1.1" })),
    operator: createClient(Operator, grpc),
    health: createClient(Health, grpc),
    grpcJs: embeddingOverGrpcJs(address),
  };
}

export function vectorsOf({ results }: EmbedResponse): Float32Array[] {
  return results.map(({ outcome }) => {
    if (outcome.case !== "embedding") throw new Error(`no embedding: ${outcome.value?.message}`);
    return Float32Array.from(outcome.value.vector);
  });
}

/** The vectors are the reference's, in order. */
export function expectRight(name: WorkingModel, reply: EmbedResponse): Float32Array[] {
  expect(reply.model).toBe(name);
  const vectors = vectorsOf(reply);
  expect(vectors).toHaveLength(pictures[name].length);
  for (const [index, vector] of vectors.entries()) {
    const { vector: expected, tolerance } = pictures[name][index]!;
    expect(compareVectors(vector, expected).maxAbsError).toBeLessThanOrEqual(tolerance);
  }
  return vectors;
}

/** Portico's own series by name and labels. */
export async function metricsOf({ address }: PorticoProcess): Promise<ReadonlyMap<string, number>> {
  const text = await (await fetch(`http://${address}/metrics`)).text();
  return new Map(
    [...text.matchAll(/^(portico_\S+) (\S+)$/gm)].map(([, name = "", value]) => [name, Number(value)]),
  );
}
