import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { runPortico } from "../../tools/run-portico.ts";

const help = async (command: string[], npm_lifecycle_event = "portico") => {
  const { code, stdout, stderr } = await runPortico([...command, "--help"], {
    npm_lifecycle_event,
    PORTICO_CACHE: "/models",
  });
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  return stdout;
};

test.each([
  ["start", "npm run portico --"],
  ["npx", "npx portico"],
])("help names commands as they are reached by %s", async (script, name) => {
  const text = await help([], script);
  expect(text).toMatch(new RegExp(`^Usage: ${name} `));
  expect(text).toContain(`\n  ${name} embed photos/ --out vectors.npy\n`);
});

test.each(["serve", "embed", "verify"])(
  "%s --help says what the first run fetches and where it lies",
  async (command) => {
    const text = await help([command]);
    expect(text).toContain("fetches about 95 MB of weights, once");
    expect(text).toContain("without --cache, here and now: /models\n");
    expect(text).toContain("(default: 50 megapixels)");
    expect(text).not.toContain("default: []");
  },
);

test("serve --help begins with what a server is started for, and groups the rest", async () => {
  const text = await help(["serve"]);
  expect(text).toMatch(/omnisearch\.Operator and\s+portico\.v1\.EmbeddingService/);
  const firstOf = new RegExp(/^(?<heading>[A-Z].*:)\n {2}(?<flag>--?[\w-]+)/gm);
  const groups = [...text.matchAll(firstOf)].map(({ groups }) => `${groups?.heading} ${groups?.flag}`);
  expect(groups).toEqual([
    "Server: --listen",
    "Models and workers: --model",
    "Pictures and their URLs: --urls",
    "Load: --max-queued-items",
    "Connections: --max-connections",
    "Access: --tokens-file",
    "TLS: --tls-cert",
    "Observability: --access-log",
    "Shutdown: --shutdown-delay-ms",
    "Help: -h",
  ]);
});

test.each(["serve", "embed"])("%s --help gives the largest picture in MiB", async (command) => {
  expect(await help([command])).toContain("(default: 25 MiB)");
});

test.each([
  [["serv"], "portico: unknown command 'serv'\n"],
  [["embed"], "portico: missing required argument 'source'\n"],
  [["serve", "--frob"], "portico: unknown option '--frob'\n"],
])("wrong usage %j looks like every other error", async (args, line) => {
  const { code, stderr } = await runPortico(args, { npm_lifecycle_event: "portico" });
  expect(stderr.startsWith(line)).toBe(true);
  expect(stderr).toContain("(npm run portico -- COMMAND --help lists the options)\n");
  expect(code).toBe(2);
});

test("ends without a word when nobody reads on", async () => {
  const portico = fileURLToPath(new URL("./portico.ts", import.meta.url));
  const child = spawn(process.execPath, [portico, "verify", "--only", "photo/"]);
  const stderr = text(child.stderr);
  const exited = once(child, "exit");
  await once(child.stdout, "data");
  child.stdout.destroy();
  await expect(exited).resolves.toEqual([141, null]);
  await expect(stderr).resolves.toBe("");
});
