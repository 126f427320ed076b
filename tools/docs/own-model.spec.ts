import { copyFile, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { packageFile } from "../../src/node/package-file.ts";
import { freePort } from "../loopback-port.ts";
import { makeStandIn, readKerasGolden, toVectors } from "../stand-in-keras.ts";
import { type PorticoProcess, startPortico } from "../start-portico.ts";
import { outputPattern, readSnippets, type Snippet } from "./read-snippets.ts";
import { createReaderShell, type ReaderShell } from "./reader-shell.ts";

/**
 * Runs each command of docs/own-model.md in its order, with a tiny model that real Keras saved. In Python's place stands a program that
 * gives what real Keras made of that model.
 */

const snippets = readSnippets("docs/own-model.md");
const saved = packageFile("fixtures/golden/saved");
const portico = packageFile("src/cli/portico.ts");

let work: string;
let python: string;
let shell: ReaderShell;
let server: PorticoProcess | undefined;

beforeAll(async () => {
  work = await mkdtemp(join(tmpdir(), "portico-own-"));
  await mkdir(join(work, "models"));
  await copyFile(join(saved, "convolutions.keras3.keras"), join(work, "flowers.keras"));
  await copyFile(join(saved, "convolutions.keras2.notop.h5"), join(work, "flowers_notop.h5"));
  await copyFile(join(saved, "convolutions.keras2.topology.json"), join(work, "flowers.json"));
  const golden = await readKerasGolden("convolutions-tf-nearest");
  python = await makeStandIn(`
if (settings.mode !== "tf" || settings.interpolation !== "nearest") process.exit(8);
write({ madeBy: ${JSON.stringify(golden.madeBy)}, vectors: ${JSON.stringify(toVectors(golden))} });`);
  shell = await createReaderShell(work, portico, work, { PORTICO_MODELS: join(work, "models") });
});
afterAll(async () => {
  await server?.stop();
  if (work) await rm(work, { recursive: true, force: true });
  if (python) await rm(dirname(python), { recursive: true, force: true });
});

const only = (kind: string): Snippet => {
  const [snippet, ...others] = snippets.filter((one) => one.kind === kind);
  expect(others).toEqual([]);
  return snippet!;
};

test("the page has the commands that are run here", () => {
  const kinds = snippets.map(({ kind }) => kind);
  expect(kinds).toEqual(["import", "weights", "golden", "serve", "call", "container"]);
});

const vectorSpaceOf = (text: string) => /^ {2}vector space +(\S+)$/m.exec(text)![1];

test("a whole model, and weights alone: one vector space", async () => {
  const { code, output } = only("import");
  const whole = await shell.run(code);
  expect(whole.stdout).toMatch(outputPattern(output));
  const alone = await shell.run(only("weights").code);
  expect(vectorSpaceOf(alone.stdout)).toBe(vectorSpaceOf(whole.stdout));
});

test("with Keras's vectors", async () => {
  const { code, output } = only("golden");
  const { stdout } = await shell.run(code, { PATH: `${dirname(python)}${delimiter}${shell.env.PATH}` });
  expect(stdout).toMatch(outputPattern(output));
});

test("serve, and call it", async () => {
  const words = only("serve").code.trim().split(" ");
  expect(words.slice(0, 2)).toEqual(["portico", "serve"]);
  const args = words.slice(2).map((word) => word.replace("127.0.0.1:51010", "127.0.0.1:0"));
  server = await startPortico({ args, env: shell.env });
  const { code, output } = only("call");
  const { stdout } = await shell.run(
    `cd '${packageFile("")}'\n${code.replaceAll("127.0.0.1:51010", server.address)}`,
  );
  expect(JSON.parse(stdout)).toEqual({ ...JSON.parse(output), endpoint: server.address });
});

test("what the container's settings do", async () => {
  const settings = [...only("container").code.matchAll(/ -e (\w+)=(\S+)/g)].map(([, name, value]) => [
    name,
    value,
  ]);
  expect(settings).toEqual([
    ["PORTICO_MODELS", "/models"],
    ["PORTICO_MODEL", "flowers"],
    ["OP_ENDPOINT", `$\{LOCAL_ADDRESS}:51010`],
  ]);
  const OP_ENDPOINT = `127.0.0.1:${await freePort()}`;
  const contained = await startPortico({ env: { ...shell.env, PORTICO_MODEL: "flowers", OP_ENDPOINT } });
  expect(contained.log.find(({ msg }) => msg === "ready")).toMatchObject({ model: "flowers" });
  expect(await contained.stop()).toBe(0);
});
