import { once } from "node:events";
import { type AddressInfo, createServer, type Server } from "node:net";

/** A TCP port of 127.0.0.1 that accepts connections and never answers, until `listener` is closed. */
export async function silentPort(): Promise<{ listener: Server; port: number }> {
  const listener = createServer().listen(0, "127.0.0.1");
  await once(listener, "listening");
  return { listener, port: (listener.address() as AddressInfo).port };
}

/** A TCP port of 127.0.0.1 that was free a moment ago. */
export async function freePort(): Promise<number> {
  const { listener, port } = await silentPort();
  listener.close();
  await once(listener, "close");
  return port;
}
