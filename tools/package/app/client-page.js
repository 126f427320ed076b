import { askServer } from "./ask-server.js";

/** Asks the server that the query names, which is of another origin. */
async function run() {
  const photo = await fetch("/photo.jpg");
  return askServer(
    new URLSearchParams(location.search).get("server"),
    new Uint8Array(await photo.arrayBuffer()),
  );
}

const report = await run().catch((error) => ({ error: String(error?.stack ?? error) }));
await fetch("/report", { method: "POST", body: JSON.stringify(report) });
