import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { freePort } from "../../tools/loopback-port.ts";
import { type PhantoscopeServer, startPhantoscopeServer } from "../../tools/phantoscope-server.ts";
import { runPortico } from "../../tools/run-portico.ts";
import { type PorticoProcess, startPortico } from "../../tools/start-portico.ts";

/** Runs docs/phantoscope.md's own commands against a real server; only address and ports differ from the page. */

let server: PorticoProcess;
let port: number;
let old: PhantoscopeServer;
let master: PhantoscopeServer;
beforeAll(async () => {
  port = await freePort();
  [server, old, master] = await Promise.all([
    startPortico({ args: ["--workers", "1"], env: { OP_ENDPOINT: `127.0.0.1:${port}` } }),
    startPhantoscopeServer({ api: "v0.1" }),
    startPhantoscopeServer({ api: "master" }),
  ]);
});
afterAll(() => Promise.all([server?.stop(), old?.close(), master?.close()]));

const root = fileURLToPath(new URL("../../", import.meta.url));
const page = readFileSync(new URL("../../docs/phantoscope.md", import.meta.url), "utf8");
const section = /^## Register it$([\s\S]*?)^## /m.exec(page)?.[1] ?? "";
const commands = [...section.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, code = ""]) => code);

/** Runs a snippet as a reader would, `portico` being this one. */
async function runSnippet(code: string, phantoscope: PhantoscopeServer) {
  const here = code
    .replaceAll("52001", String(port))
    .replaceAll(":5000", `:${new URL(phantoscope.url).port}`)
    .replaceAll("portico register", `'${process.execPath}' src/cli/portico.ts register`);
  const env = { ...process.env, LOCAL_ADDRESS: "127.0.0.1" };
  const { stdout } = await promisify(execFile)("bash", ["-euo", "pipefail", "-c", here], { cwd: root, env });
  return stdout;
}

test("the page has the commands that are run here", () => {
  expect(commands.map((code) => code.split("\n").length - 1)).toEqual([2, 2, 1, 2]);
});

test("Phantoscope 0.1: by the command, and by hand", async () => {
  const endpoint = `127.0.0.1:${port}`;
  const stdout = await runSnippet(commands[0] as string, old);
  const answer = JSON.stringify(old.operators.get("resnet50_encoder"));
  expect(stdout).toBe(`resnet50_encoder is registered with Phantoscope at ${old.url} (API v0.1)
  endpoint  ${endpoint}
  operator  encoder, dimension 2048
  health    healthy, says Phantoscope
  answer    ${answer}
`);
  expect(JSON.parse(answer)).toMatchObject({ _endpoint: endpoint, _dimension: 2048, _metric_type: "L2" });
  expect(JSON.parse(await runSnippet(commands[3] as string, old))).toMatchObject({
    _name: "resnet50_by_hand",
    _backend: "resnet50_encoder",
  });
});

test("Phantoscope's master: an image, with an operator that is asked and without", async () => {
  const stdout = await runSnippet(commands[1] as string, master);
  expect(stdout).toContain(`resnet50_encoder is registered with Phantoscope at ${master.url} (API master)
  image     portico
  operator  encoder, dimension 2048
`);
  expect(stdout).toContain(
    `\n  next      curl -X POST ${master.url}/v1/operator/resnet50/instances/1   (starts it)\n`,
  );
  expect([...master.operators.keys()]).toEqual(["resnet50_encoder", "resnet50"]);
  // The page's next command is the one that was told.
  expect(JSON.parse(await runSnippet(commands[2] as string, master))).toMatchObject({
    name: "phantoscope_resnet50_1",
  });
  expect(master.requests.at(-1)).toBe("POST /v1/operator/resnet50/instances/1");
});

test("a failure is one line on stderr and exit code 1; a shortfall is told last", async () => {
  const endpoint = `127.0.0.1:${port}`;
  const base = ["register", "--phantoscope", old.url];
  const [taken, short] = await Promise.all([
    runPortico([...base, "--endpoint", endpoint, "--name", "resnet50_encoder"]),
    runPortico([...base, "--endpoint", `localhost:${port}`, "--no-check", "--name", "other"]),
  ]);
  expect(taken).toEqual({
    code: 1,
    stdout: "",
    stderr: `portico: Phantoscope (API v0.1) has an operator resnet50_encoder already, with this endpoint: if nothing has changed, all is done; choose another --name, or delete it: curl -X DELETE ${old.url}/v1/operator/resnet50_encoder\n`,
  });
  expect(short.code).toBe(1);
  expect(short.stdout).toContain(`other is registered with Phantoscope at ${old.url} (API v0.1)\n`);
  expect(short.stderr.split("\n")).toEqual([
    `portico: localhost:${port} is right only if Phantoscope runs on this machine and in no container: there it is the container itself`,
    `portico: the operator says that its endpoint is ${endpoint}, and that is the one which Phantoscope (API v0.1) keeps and dials, not --endpoint localhost:${port}; start it with OP_ENDPOINT=localhost:${port}, delete it (curl -X DELETE ${old.url}/v1/operator/other) and register it again`,
    "",
  ]);
});
