import { parseArgs } from "node:util";
import { resolveListenAddress } from "../../src/node/http/listen-address.ts";
import { startTinyServer } from "./tiny-server.ts";

/**
 * The tiny server in a process of its own: `node tools/load/serve-tiny.ts [--listen HOST:PORT] [--workers N]
 * [--shutdown-delay-ms N]` prints {"url": "http://127.0.0.1:PORT", "pid": N} when it is ready. SIGTERM, or the end
 * of stdin, ends it, with exit code 1 if calls were cut off.
 */
const { values: flags } = parseArgs({
  options: {
    listen: { type: "string", default: "127.0.0.1:0" },
    workers: { type: "string", default: "2" },
    "shutdown-delay-ms": { type: "string", default: "0" },
  },
});
const { server, close } = await startTinyServer({
  listen: resolveListenAddress(flags.listen, undefined),
  workers: Number(flags.workers),
});

let isStopping = false;
async function stop(shutdownDelayMs: number): Promise<void> {
  if (isStopping) return;
  isStopping = true;
  process.exit((await close(shutdownDelayMs)) > 0 ? 1 : 0);
}
process.once("SIGTERM", () => stop(Number(flags["shutdown-delay-ms"])));
// Whoever started it has ended.
process.stdin.resume().once("end", () => stop(0));
console.log(JSON.stringify({ url: server.localUrl, pid: process.pid }));
