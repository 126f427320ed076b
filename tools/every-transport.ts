import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from "@connectrpc/connect-node";

/** Every protocol that clients of connect-node speak, over each version of HTTP that it goes over. */
export const everyTransport = [
  ["gRPC", createGrpcTransport, "2"],
  ["gRPC-Web", createGrpcWebTransport, "2"],
  ["gRPC-Web", createGrpcWebTransport, "1.1"],
  ["Connect", createConnectTransport, "2"],
  ["Connect", createConnectTransport, "1.1"],
] as const;
