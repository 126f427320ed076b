import { once } from "node:events";
import { get as getHttp } from "node:http";
import { get as getHttps } from "node:https";
import { createServer } from "node:net";
import { EmbedError } from "../errors.ts";
import { hostToDial, type ListenAddress, resolveListenAddress } from "../node/http/listen-address.ts";
import { toListenError } from "../node/http/listen-error.ts";
import type { Finding } from "./doctor-report.ts";

const name = "port";
/** For a server on this machine to say that it is Portico. */
const answerTimeoutMs = 3_000;

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
    if (await isPortico(address)) {
      return { name, state: "ok", value: `${shown}: Portico runs there already` };
    }
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

/** How the page `/` of every server begins, in src/node/http/unknown-path.ts. */
const pageStart = "Portico:";

/** Whether the page of Portico is there, in plain text or with TLS. One that asks for client certificates hides it. */
async function isPortico(address: ListenAddress): Promise<boolean> {
  const pages = await Promise.all([getPage(getHttp, address), getPage(getHttps, address)]);
  return pages.some((page) => page.startsWith(pageStart));
}

/** The start of the text of the page `/`; empty if there is none. Not `fetch`, which refuses some ports and uses proxies. */
function getPage(get: typeof getHttp | typeof getHttps, address: ListenAddress) {
  const options = {
    host: hostToDial(address),
    port: address.port,
    agent: false,
    // Its certificate is for its clients' names; nothing is sent that a stranger may not see.
    rejectUnauthorized: false,
    signal: AbortSignal.timeout(answerTimeoutMs),
  } as const;
  return new Promise<string>((resolve) => {
    // Whatever listens there, it is no server of ours; the port is taken, which is told.
    const onError = () => resolve("");
    get(options, (response) => {
      let text = "";
      response.setEncoding("utf8").on("error", onError);
      response.on("data", (piece: string) => {
        text += piece;
        if (text.length >= pageStart.length) response.destroy();
      });
      response.on("close", () => resolve(text));
    }).on("error", onError);
  });
}
