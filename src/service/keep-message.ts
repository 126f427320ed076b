import { type ContextKey, createContextKey } from "@connectrpc/connect";

/** Says that the message that was read last is needed for longer; call what it gives when it no longer is. */
export type KeepMessage = () => () => void;

/**
 * Of a call whose client streams. A message counts against the server's bound for request bytes until the
 * next one is read; a service that still works on it then must say so, before it reads on.
 */
export const keepMessageKey: ContextKey<KeepMessage> = createContextKey<KeepMessage>(() => () => undefined, {
  description: "portico: keep the last message",
});
