import { type ContextKey, createContextKey } from "@connectrpc/connect";

/**
 * Counts bytes that a call's reply will hold against the server's bound for what all calls hold at once, until the reply was
 * taken.
 * @throws EmbedError `OVERLOADED` if that would be too many
 */
export type ChargeCall = (bytes: number) => void;

/** Of a server without such a bound nothing is counted. */
export const chargeCallKey: ContextKey<ChargeCall> = createContextKey<ChargeCall>(() => undefined, {
  description: "portico: charge bytes of the reply",
});
