import { spawn } from "node:child_process";
import { once } from "node:events";
import { freePort } from "./loopback-port.ts";
import { startPortico } from "./start-portico.ts";

/**
 * Starts the built server and holds it against the conformance suites, over all protocols unless some are named, with all cases
 * unless a filter is given.
 * `node tools/conformance-dist.ts REPORT.json ENGINE|preview [PROTOCOLS [FILTER]]`
 */

const [report, engine, protocols, filter] = process.argv.slice(2);
if (report === undefined || engine === undefined)
  throw new Error("expected REPORT.json and ENGINE, got too few");
const served =
  engine === "preview"
    ? { args: ["--processor", "preview"], target: "portico-preview" }
    : { args: ["--engine", engine], target: "portico" };
// The server must be told the runner's address before the runner starts.
const fixtureHost = `127.0.0.1:${await freePort()}`;
const server = await startPortico({
  entry: "dist/cli/portico.js",
  // A host that never answers is one of the cases; three seconds of it are enough.
  args: [...served.args, "--allow-hosts", fixtureHost, "--fetch-timeout-ms", "3000"],
});
const runner = spawn(
  process.execPath,
  [
    ...["src/cli/portico.ts", "conformance", "--endpoint", server.address, "--fixture-host", fixtureHost],
    ...(protocols === undefined ? [] : ["--protocol", protocols]),
    ...(filter === undefined ? [] : ["--filter", filter]),
    ...["--target", served.target, "--json", report, "--junit", report.replace(/\.json$/, ".xml")],
  ],
  { stdio: "inherit" },
);
const [code] = (await once(runner, "exit")) as [number | null];
const exitCode = await server.stop();
if (exitCode !== 0) console.error(`the server ended with exit code ${exitCode} instead of 0`);
process.exitCode = code === 0 && exitCode === 0 ? 0 : 1;
