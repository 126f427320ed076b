import type { HandlerContext } from "@connectrpc/connect";

/**
 * Runs after a call's headers and before its body is read. It lets the call pass by returning and refuses it
 * by throwing, best a `ConnectError`: the client gets that in its own protocol.
 */
export type RequestGate = (context: HandlerContext) => void | Promise<void>;

/** One gate of several, asked in order: the first that refuses ends it, so that the cheapest should come first. */
export function allGates(...gates: readonly RequestGate[]): RequestGate {
  return async (context) => {
    for (const gate of gates) await gate(context);
  };
}
