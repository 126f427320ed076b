import { createServer } from "node:http";
import { createServer as createHttp2Server } from "node:http2";
import type { AddressInfo } from "node:net";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import { Code as ConnectCode, ConnectError, type ConnectRouter } from "@connectrpc/connect";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import {
  type handleUnaryCall,
  Metadata,
  type MethodDefinition,
  Server,
  ServerCredentials,
  type StatusObject,
  status,
} from "@grpc/grpc-js";
import {
  ExecuteReplySchema,
  ExecuteRequestSchema,
  HealthyReplySchema,
  IdentityReplySchema,
  Operator,
} from "../../src/gen/omnisearch/operator_pb.ts";
import { RpcStatusSchema } from "../../src/gen/portico/conformance/v1/rpc_status_pb.ts";
import { BatchFailureSchema } from "../../src/gen/portico/v1/errors_pb.ts";
import { CallError, execute, type Parts } from "./honest-operator.ts";

export interface RunningOperator {
  readonly authority: string;
  readonly close: () => Promise<void>;
}

/** Answers one method: request bytes to reply bytes. */
type Answer = (request: Buffer) => Promise<Uint8Array>;

/** The operator behind @grpc/grpc-js. */
export async function serveGrpc(parts: Parts): Promise<RunningOperator> {
  const server = new Server({
    "grpc.max_receive_message_length": parts.maxMessageBytes,
    "grpc.max_send_message_length": -1,
  });
  const answers: Readonly<Record<string, Answer>> = {
    Identity: async () => toBinary(IdentityReplySchema, parts.identity()),
    Healthy: async () =>
      toBinary(HealthyReplySchema, create(HealthyReplySchema, { healthy: parts.healthy() })),
    Execute: async (request) =>
      toBinary(ExecuteReplySchema, await execute(parts, fromBinary(ExecuteRequestSchema, request))),
    Segment: async () => new Uint8Array(0),
  };
  for (const name of parts.methods) {
    const handler: handleUnaryCall<Buffer, Uint8Array> = ({ request }, callback) => {
      answers[name]!(request).then(
        (reply) => callback(null, reply),
        (error: unknown) => callback(toServiceError(error)),
      );
    };
    server.addService({ [name]: bytesMethod(`/${Operator.typeName}/${name}`) }, { [name]: handler });
  }
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  return { authority: `127.0.0.1:${port}`, close: async () => server.forceShutdown() };
}

function bytesMethod(path: string): MethodDefinition<Buffer, Uint8Array> {
  return {
    path,
    requestStream: false,
    responseStream: false,
    requestSerialize: (bytes) => bytes,
    requestDeserialize: (bytes) => bytes,
    responseSerialize: (bytes) => Buffer.from(bytes),
    responseDeserialize: (bytes) => bytes,
  };
}

function toServiceError(error: unknown): Partial<StatusObject> {
  if (!(error instanceof CallError)) return { code: status.UNKNOWN, details: String(error) };
  const metadata = new Metadata();
  if (error.detail) {
    const details = [anyPack(BatchFailureSchema, error.detail)];
    const rpcStatus = create(RpcStatusSchema, { code: error.code, message: error.message, details });
    metadata.set("grpc-status-details-bin", Buffer.from(toBinary(RpcStatusSchema, rpcStatus)));
  }
  return { code: error.code, details: error.message, metadata };
}

/** The operator behind connect-node, over HTTP/1.1 or h2c. */
export async function serveConnect(parts: Parts, http: "http/1.1" | "h2c"): Promise<RunningOperator> {
  const routes = (router: ConnectRouter) =>
    router.service(Operator, {
      identity: () => parts.identity(),
      healthy: () => ({ healthy: parts.healthy() }),
      execute: (request) =>
        execute(parts, request).catch((error: unknown) => Promise.reject(toConnectError(error))),
    });
  const adapter = connectNodeAdapter({ routes });
  const server = http === "h2c" ? createHttp2Server(adapter) : createServer(adapter);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
  return {
    authority: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

function toConnectError(error: unknown): ConnectError {
  if (!(error instanceof CallError)) return new ConnectError(String(error), ConnectCode.Unknown);
  const details = error.detail ? [{ desc: BatchFailureSchema, value: error.detail }] : [];
  return new ConnectError(error.message, error.code as ConnectCode, undefined, details);
}
