import { HttpVersion, Protocol } from "../gen/portico/conformance/v1/target_pb.ts";
import { createConnectClient } from "./connect-client.ts";
import { createGrpcClient } from "./grpc-client.ts";
import { createGrpcWebClient } from "./grpc-web-client.ts";
import { createFetchPost, createH2cPost } from "./http-post.ts";
import type { OperatorClient } from "./operator-client.ts";

/** One way to reach an operator: protocol, message encoding and HTTP version. */
export interface Transport {
  readonly name: string;
  readonly protocol: Protocol;
  readonly httpVersion: HttpVersion;
  /** The form in which a protocol runs every case; the others run those marked `everyTransport`. */
  readonly plain: boolean;
  /** `authority` is host:port. */
  readonly createClient: (authority: string) => OperatorClient;
}

const { GRPC, GRPC_WEB, CONNECT } = Protocol;
const { H1, H2C } = HttpVersion;

export const transports: readonly Transport[] = [
  { name: "grpc", protocol: GRPC, httpVersion: H2C, plain: true, createClient: createGrpcClient },
  {
    name: "grpc-web",
    protocol: GRPC_WEB,
    httpVersion: H1,
    plain: true,
    createClient: (authority) => createGrpcWebClient(createFetchPost(authority)),
  },
  {
    name: "grpc-web-h2c",
    protocol: GRPC_WEB,
    httpVersion: H2C,
    plain: false,
    createClient: (authority) => createGrpcWebClient(createH2cPost(authority)),
  },
  {
    name: "connect",
    protocol: CONNECT,
    httpVersion: H1,
    plain: true,
    createClient: (authority) => createConnectClient(createFetchPost(authority), "proto"),
  },
  {
    name: "connect-h2c",
    protocol: CONNECT,
    httpVersion: H2C,
    plain: false,
    createClient: (authority) => createConnectClient(createH2cPost(authority), "proto"),
  },
  {
    name: "connect-json",
    protocol: CONNECT,
    httpVersion: H1,
    plain: false,
    createClient: (authority) => createConnectClient(createFetchPost(authority), "json"),
  },
  {
    name: "connect-json-h2c",
    protocol: CONNECT,
    httpVersion: H2C,
    plain: false,
    createClient: (authority) => createConnectClient(createH2cPost(authority), "json"),
  },
];

/** The names that `--protocol` takes. */
export const protocolNames: Readonly<Record<string, Protocol>> = {
  grpc: GRPC,
  "grpc-web": GRPC_WEB,
  connect: CONNECT,
};
