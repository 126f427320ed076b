/**
 * `node tools/build-go-tools.mjs [NAME...]`: builds programs of tools/go-tools.json that are not there yet, by default all,
 * side by side, since each waits for its modules. Plain JavaScript without packages, so that it can run before `npm ci`.
 */
import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** @type {Record<string, { package: string, version: string }>} */
const tools = JSON.parse(readFileSync(new URL("go-tools.json", import.meta.url), "utf8"));

/** @returns {Promise<number>} the exit code */
function build(name) {
  const { package: path, version } = tools[name];
  const folder = fileURLToPath(new URL(`../output/go/${name}-${version}`, import.meta.url));
  if (existsSync(`${folder}/${name}`)) return Promise.resolve(0);
  const child = spawn("go", ["install", `${path}@${version}`], {
    env: { ...process.env, GOBIN: folder, GOFLAGS: "-mod=mod" },
    stdio: ["ignore", "ignore", "inherit"],
  });
  return new Promise((resolve) => {
    child.on("error", (error) => {
      console.error(`portico: ${name} cannot be built: ${error.message}`);
      resolve(127);
    });
    child.on("exit", (code) => resolve(code ?? 1));
  });
}

const names = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(tools);
process.exitCode = Math.max(...(await Promise.all(names.map(build))));
