/**
 * `node tools/build-go-tools.mjs [NAME...]`: builds programs of tools/go-tools.json that are not there yet, by default all,
 * side by side, since each waits for its modules. Plain JavaScript without packages, so that it can run before `npm ci`.
 */
import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** @type {Record<string, { package: string, version: string }>} */
const tools = JSON.parse(readFileSync(new URL("go-tools.json", import.meta.url), "utf8"));

/** What a shell says of a program that is not there. */
const noGo = 127;

/** @returns {Promise<number>} the exit code */
async function build(name) {
  const folder = fileURLToPath(new URL(`../output/go/${name}-${tools[name].version}`, import.meta.url));
  if (existsSync(`${folder}/${name}`)) return 0;
  const code = await install(name, folder);
  // Modules come over the network, and go does not ask again for one that did not.
  return code === 0 || code === noGo ? code : install(name, folder);
}

/** @returns {Promise<number>} the exit code */
function install(name, folder) {
  const { package: path, version } = tools[name];
  const child = spawn("go", ["install", `${path}@${version}`], {
    env: { ...process.env, GOBIN: folder, GOFLAGS: "-mod=mod" },
    stdio: ["ignore", "ignore", "inherit"],
  });
  return new Promise((resolve) => {
    child.on("error", (error) => {
      console.error(`portico: ${name} cannot be built: ${error.message}`);
      resolve(noGo);
    });
    child.on("exit", (code) => resolve(code ?? 1));
  });
}

const names = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(tools);
process.exitCode = Math.max(...(await Promise.all(names.map(build))));
