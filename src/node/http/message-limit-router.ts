import { type ConnectRouter, createServiceImplSpec } from "@connectrpc/connect";
import type { HttpLimits } from "./http-limits.ts";

export type RequestLimits = Pick<
  HttpLimits,
  "messageMaxBytes" | "smallRequestMaxBytes" | "requestMaxBytesByRpc"
>;

/** What identifies an RPC; a `DescMethod` does. */
interface Rpc {
  readonly name: string;
  readonly parent: { readonly typeName: string };
}

/** Largest request message, unpacked, of an RPC. */
export function requestMaxBytes(rpc: Rpc, limits: RequestLimits): number {
  const own = limits.requestMaxBytesByRpc[`${rpc.parent.typeName}/${rpc.name}`];
  return Math.min(limits.messageMaxBytes, own ?? limits.smallRequestMaxBytes);
}

/** A router that adds to `router`, where each RPC has its own limit: Connect gives one to a whole service. */
export function createMessageLimitRouter(router: ConnectRouter, limits: RequestLimits): ConnectRouter {
  const limited: ConnectRouter = {
    handlers: router.handlers,
    rpc(method, implementation, options) {
      router.rpc(method, implementation, { ...options, readMaxBytes: requestMaxBytes(method, limits) });
      return limited;
    },
    service(service, implementation, options) {
      const { methods } = createServiceImplSpec(service, implementation);
      for (const { method, impl } of Object.values(methods)) limited.rpc(method, impl, options);
      return limited;
    },
  };
  return limited;
}
