import { afterAll, beforeAll, expect, test } from "vitest";
import { ExecuteRequestSchema, IdentityRequestSchema, Operator } from "../src/gen/omnisearch/operator_pb.ts";
import { freePort } from "../tools/loopback-port.ts";
import { type PorticoProcess, startPortico } from "../tools/start-portico.ts";
import { createExecute } from "./execute-picture.ts";
import { readPhotographs } from "./photographs.ts";
import { createUnaryCall, frameOf } from "./unary-call.ts";

let server: PorticoProcess;
beforeAll(async () => {
  server = await startPortico({ args: ["--workers", "1"] });
});
afterAll(() => server.stop());

test("replies are decoded, call after call on one connection", async () => {
  const identity = createUnaryCall(server.address, Operator.method.identity);
  const frame = frameOf(IdentityRequestSchema, {});
  const replies = await Promise.all([identity(frame), identity(frame)]);
  expect([...replies, await identity(frame)].map(({ name }) => name)).toEqual(
    Array(3).fill("resnet50_encoder"),
  );
});

test("a photograph gives a vector, a picture that is none an error", async () => {
  const execute = createExecute(server.address);
  await execute(Buffer.from((await readPhotographs())[0]!).toString("base64"));
  await expect(execute("bm90aGluZw==")).rejects.toThrow("Execute: expected the gRPC status 0, got 3");
});

test("a call waits for no connection, and the next one tries again", async () => {
  const execute = createUnaryCall(`127.0.0.1:${await freePort()}`, Operator.method.execute);
  const frame = frameOf(ExecuteRequestSchema, { datas: [] });
  await expect(execute(frame)).rejects.toThrow("ECONNREFUSED");
  await expect(execute(frame)).rejects.toThrow("ECONNREFUSED");
});
