import { type ContextValues, createContextKey, createContextValues } from "@connectrpc/connect";
import { EmbedError } from "../../errors.ts";
import { toConnectError } from "../../service/to-connect-error.ts";
import type { HttpRequest } from "../http/http-types.ts";
import type { RequestGate } from "../http/request-gate.ts";
import { type ClientCap, clientOfAddress } from "./client-caps.ts";

const clientKey = createContextKey("unknown", { description: "who calls, by the connection's address" });

/** Tells the calls of a request who their client is; `clientCapGate` needs it. */
export function clientContextValues(request: HttpRequest): ContextValues {
  return createContextValues().set(clientKey, clientOfAddress(request.socket.remoteAddress));
}

/**
 * Refuses a call whose client has as many in flight as it may. A call counts from its headers until it is
 * over, by its answer, by its deadline or by its client's leave.
 */
export function clientCapGate(cap: ClientCap, max: number): RequestGate {
  return ({ values, signal }) => {
    const client = values.get(clientKey);
    if (!cap.enter(client)) {
      const message = `expected at most ${max} calls in flight from one client (--max-streams-per-client), got one more from ${client}`;
      throw toConnectError(new EmbedError("OVERLOADED", message));
    }
    const leave = () => cap.leave(client);
    if (signal.aborted) leave();
    else signal.addEventListener("abort", leave, { once: true });
  };
}
