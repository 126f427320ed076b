import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { withLock } from "../../src/node/model/model-lock.ts";
import { packageFile } from "../../src/node/package-file.ts";

/**
 * A virtual environment with grpcio, kept between runs, and the stubs that the README's command writes.
 * @param out folder of the stubs
 * @returns the path of its python3
 */
export async function preparePython(out: string): Promise<string> {
  const root = packageFile("");
  const environment = join(root, "node_modules/.cache/portico/python-grpc");
  const python = join(environment, "bin/python3");
  mkdirSync(dirname(environment), { recursive: true });
  // Two files of tests may want it at once.
  await withLock(`${environment}.lock`, {}, async () => {
    if (existsSync(join(environment, "complete"))) return;
    execFileSync("python3", ["-m", "venv", environment]);
    execFileSync(python, ["-m", "pip", "install", "--quiet", "grpcio==1.76.0", "grpcio-tools==1.76.0"]);
    writeFileSync(join(environment, "complete"), "");
  });
  mkdirSync(out, { recursive: true });
  const command = ["-m", "grpc_tools.protoc", "-I", "proto"];
  const outputs = [`--python_out=${out}`, `--grpc_python_out=${out}`];
  execFileSync(python, [...command, ...outputs, "omnisearch/operator.proto"], { cwd: root });
  return python;
}
