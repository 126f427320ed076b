import { readFile } from "node:fs/promises";
import { Client, credentials } from "@grpc/grpc-js";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type RefusingReplica, serveRefusals } from "./refusing-replica.ts";

const hosts = ["127.0.0.6", "127.0.0.7"];
let replicas: readonly RefusingReplica[];
beforeAll(async () => {
  replicas = await Promise.all(hosts.map(serveRefusals));
});
afterAll(async () => {
  await Promise.all(replicas.map(({ close }) => close()));
});

/** An empty ExecuteRequest, and the empty reply. */
const empty = Buffer.alloc(0);

test("with the service config of docs/deploy.md gRPC spreads calls, and gives refused ones to another pod", async () => {
  const [, config] = /^```json\n(\{\n {2}"loadBalancingConfig".+?)^```/ms.exec(
    await readFile("docs/deploy.md", "utf8"),
  )!;
  const addresses = replicas.map(({ port }, index) => `${hosts[index]}:${port}`);
  const client = new Client(`ipv4:${addresses.join()}`, credentials.createInsecure(), {
    "grpc.service_config": config!,
  });
  const call = () =>
    new Promise<Buffer | undefined>((resolve, reject) => {
      client.makeUnaryRequest<Buffer, Buffer>(
        "/omnisearch.Operator/Execute",
        (request) => request,
        (reply) => reply,
        empty,
        (error, reply) => (error ? reject(error) : resolve(reply)),
      );
    });
  for (let count = 0; count < 6; count++) expect(await call()).toEqual(empty);
  client.close();
  const calls = replicas.map((replica) => replica.calls());
  // Every second one is refused.
  expect(Math.min(...calls)).toBeGreaterThan(1);
  expect(calls[0]! + calls[1]!).toBeGreaterThan(6);
});
