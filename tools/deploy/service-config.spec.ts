import { readFile } from "node:fs/promises";
import { create, toBinary } from "@bufbuild/protobuf";
import { type ChannelOptions, Client, credentials, type ServiceError, status } from "@grpc/grpc-js";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ExecuteRequestSchema } from "../../src/gen/omnisearch/operator_pb.ts";
import { type RefusingReplica, serveRefusals } from "./refusing-replica.ts";

const hosts = ["127.0.0.6", "127.0.0.7"];
let replicas: readonly RefusingReplica[];
beforeEach(async () => {
  replicas = await Promise.all(hosts.map(serveRefusals));
});
afterEach(async () => {
  await Promise.all(replicas.map(({ close }) => close()));
});

const docs = await readFile("docs/deploy.md", "utf8");

/** A block of JSON in docs/deploy.md, by its first key. */
function documented(firstKey: string): string {
  const [, ...blocks] = docs.split("```json\n");
  const found = blocks
    .map((block) => block.split("```")[0]!)
    .filter((block) => Object.keys(JSON.parse(block))[0] === firstKey);
  expect(found).toHaveLength(1);
  return found[0]!;
}

const serviceConfig = documented("loadBalancingConfig");
const bufferOptions = JSON.parse(documented("grpc.per_rpc_retry_buffer_size")) as ChannelOptions;
const { "grpc.retry_buffer_size": _, ...optionsOfOneCall } = bufferOptions;

const requestOf = (bytes: number) =>
  Buffer.from(toBinary(ExecuteRequestSchema, create(ExecuteRequestSchema, { datas: ["a".repeat(bytes)] })));

/** Calls one after the other, as a client with the service config makes them. @returns "OK" or the status of each */
async function callAll(count: number, request: Buffer, options: ChannelOptions): Promise<readonly string[]> {
  const addresses = replicas.map(({ port }, index) => `${hosts[index]}:${port}`);
  const client = new Client(`ipv4:${addresses.join()}`, credentials.createInsecure(), {
    "grpc.service_config": serviceConfig,
    ...options,
  });
  const call = () =>
    new Promise<string>((resolve) => {
      client.makeUnaryRequest<Buffer, Buffer>(
        "/omnisearch.Operator/Execute",
        (bytes) => bytes,
        (bytes) => bytes,
        request,
        (error: ServiceError | null) => resolve(error ? status[error.code]! : "OK"),
      );
    });
  const outcomes: string[] = [];
  for (let done = 0; done < count; done++) outcomes.push(await call());
  client.close();
  return outcomes;
}

const countTries = () => replicas.reduce((sum, replica) => sum + replica.calls(), 0);

describe("with the service config of docs/deploy.md", () => {
  test("gRPC spreads calls over all pods", async () => {
    await callAll(6, requestOf(0), {});
    expect(Math.min(...replicas.map((replica) => replica.calls()))).toBeGreaterThan(1);
  });

  test.each([
    ["a small call", 0, {}],
    ["a call of 3 MB, with the options beside it,", 3_000_000, bufferOptions],
    ["a call of 20 MB, with the options beside it,", 20_000_000, bufferOptions],
  ])("%s that a pod refuses goes to another", async (_name, bytes, options) => {
    expect(await callAll(4, requestOf(bytes), options)).toEqual(["OK", "OK", "OK", "OK"]);
    expect(countTries()).toBeGreaterThan(4);
  });

  // Why the options are there; should one of these pass, the page may leave them out.
  test.each([
    ["a call of 3 MB without the options", 3_000_000, {}],
    ["a call of 20 MB with the option for one call alone", 20_000_000, optionsOfOneCall],
  ])("%s that a pod refuses fails", async (_name, bytes, options) => {
    const outcomes = await callAll(4, requestOf(bytes), options);
    expect(new Set(outcomes)).toEqual(new Set(["OK", "UNAVAILABLE"]));
    expect(countTries()).toBe(4);
  });
});
