import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import {
  createFileRegistry,
  type DescMessage,
  type DescService,
  type FileRegistry,
  fromBinary,
} from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";

/** For what a run writes. Git ignores it. */
export const outputFolder = fileURLToPath(new URL("../../output/protocol", import.meta.url));

/** The protos of the suite, compiled. Written at each run, so it is always of the suite's own version. */
const conformanceImagePath = `${outputFolder}/connectconformance.binpb`;

const packageName = "connectrpc.conformance.v1";

/** Compiles the protos in the suite's Go module, which is downloaded if it is not there, into `output`. */
export function buildConformanceImage(go: string, goModule: string): void {
  const download = execFileSync(go, ["mod", "download", "-json", goModule], { encoding: "utf8" });
  const { Dir } = JSON.parse(download) as { Dir: string };
  mkdirSync(outputFolder, { recursive: true });
  execFileSync("buf", ["build", `${Dir}/proto`, "-o", conformanceImagePath], { stdio: "inherit" });
}

export interface ConformanceRegistry {
  /** For messages packed in `google.protobuf.Any`, which JSON cannot write without knowing them. */
  readonly registry: FileRegistry;
  readonly service: DescService;
  /** @param name without its package */
  message(name: string): DescMessage;
}

/** Reads what `buildConformanceImage` wrote. */
export function readConformanceRegistry(): ConformanceRegistry {
  const registry = createFileRegistry(
    fromBinary(FileDescriptorSetSchema, readFileSync(conformanceImagePath)),
  );
  const service = registry.getService(`${packageName}.ConformanceService`);
  if (!service) throw new Error(`expected ${packageName}.ConformanceService in ${conformanceImagePath}`);
  return {
    registry,
    service,
    message(name) {
      const desc = registry.getMessage(`${packageName}.${name}`);
      if (!desc) throw new Error(`expected the message ${packageName}.${name} in ${conformanceImagePath}`);
      return desc;
    },
  };
}
