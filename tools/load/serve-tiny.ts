import { startTinyServer } from "./tiny-server.ts";

/**
 * The tiny server in a process of its own: `node tools/load/serve-tiny.ts` prints
 * {"url": "http://127.0.0.1:PORT", "pid": N} when it is ready. SIGTERM, or the end of stdin, ends it.
 */
const { server, close } = await startTinyServer();

async function stop(): Promise<void> {
  await close();
  process.exit(0);
}
process.once("SIGTERM", stop);
// Whoever started it has ended.
process.stdin.resume().once("end", stop);
console.log(JSON.stringify({ url: server.localUrl, pid: process.pid }));
