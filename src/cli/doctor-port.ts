import { once } from "node:events";
import { createServer } from "node:net";
import { EmbedError } from "../errors.ts";
import { type ListenAddress, resolveListenAddress } from "../node/listen-address.ts";
import { toListenError } from "../node/listen-error.ts";
import type { Finding } from "./doctor-report.ts";

const name = "port";
/** For a server on this machine to say that it is Portico. */
const answerTimeoutMs = 1_000;

/** Whether `portico serve` could listen where it would, with these settings. */
export async function checkPort(
  listen: string | undefined,
  opEndpoint: string | undefined,
): Promise<Finding> {
  try {
    const address = resolveListenAddress(listen, opEndpoint);
    const shown = `${address.host ?? "all interfaces"}, port ${address.port}`;
    const error = await tryToListen(address);
    if (!error) return { name, state: "ok", value: `${shown}: free` };
    if (await isPortico(address))
      return { name, state: "info", value: `${shown}: Portico runs there already` };
    return { name, state: "failed", value: error.message };
  } catch (error) {
    return { name, state: "failed", value: EmbedError.from(error).message };
  }
}

async function tryToListen(address: ListenAddress): Promise<EmbedError | undefined> {
  const server = createServer();
  try {
    server.listen(address);
    await once(server, "listening");
    return undefined;
  } catch (error) {
    return toListenError(error, address);
  } finally {
    server.close();
  }
}

async function isPortico({ host = "127.0.0.1", port }: ListenAddress): Promise<boolean> {
  const authority = host.includes(":") ? `[${host}]` : host;
  try {
    const response = await fetch(`http://${authority}:${port}/`, {
      signal: AbortSignal.timeout(answerTimeoutMs),
    });
    return (await response.text()).startsWith("Portico:");
  } catch {
    // Whatever listens there, it is no server of ours; the port is taken, which is told.
    return false;
  }
}
