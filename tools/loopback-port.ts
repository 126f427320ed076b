import { randomInt } from "node:crypto";
import { once } from "node:events";
import { type AddressInfo, createServer, type Server } from "node:net";

/** A TCP port of 127.0.0.1 that accepts connections and never answers, until `listener` is closed. */
export async function silentPort(): Promise<{ listener: Server; port: number }> {
  const listener = createServer().listen(0, "127.0.0.1");
  await once(listener, "listening");
  return { listener, port: (listener.address() as AddressInfo).port };
}

/**
 * Below those that Linux hands out to whoever asks for any port, and to connections (ip_local_port_range): tests that run
 * meanwhile are not given one of these.
 */
const [firstPort, lastPort] = [11_000, 30_000];

/** A TCP port of 127.0.0.1 that was free a moment ago. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(firstPort, lastPort + 1);
    const listener = createServer().listen(port, "127.0.0.1");
    const isFree = await once(listener, "listening").then(
      () => true,
      () => false,
    );
    if (!isFree) continue;
    listener.close();
    await once(listener, "close");
    return port;
  }
}
