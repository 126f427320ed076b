import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { askHttp } from "../../tools/ask-http.ts";
import { silentPort } from "../../tools/loopback-port.ts";
import { runPortico } from "../../tools/run-portico.ts";
import { startPortico } from "../../tools/start-portico.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "portico-access-"));
});
afterAll(() => rm(folder, { recursive: true }));

test("portico serve reads a changed file of tokens again, and its log knows no token", async () => {
  const tokensFile = join(folder, "tokens");
  const [good, later] = ["good-token-".repeat(3), "later-token-".repeat(3)] as const;
  await writeFile(tokensFile, good);
  const { listener, port } = await silentPort();
  // The model never comes: who may call is decided without it.
  const server = await startPortico({
    args: ["--cache", join(folder, "empty"), "--tokens-file", tokensFile],
    env: { npm_config_registry: `http://127.0.0.1:${port}/`, npm_config_cache: join(folder, "npm") },
    until: "listening; the model is loading",
  });
  try {
    const statusWith = async (token: string) => {
      const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
      const question = { method: "POST", path: "/omnisearch.Operator/Identity", headers, body: "{}" };
      return (await askHttp("1.1", server.address, question)).status;
    };
    expect([await statusWith(good), await statusWith(later)]).toEqual([200, 401]);
    await writeFile(`${tokensFile}.next`, later);
    await rename(`${tokensFile}.next`, tokensFile);
    await expect.poll(() => statusWith(later), { timeout: 30_000 }).toBe(200);
    expect(await statusWith(good)).toBe(401);
    await expect
      .poll(() => server.log)
      .toContainEqual(expect.objectContaining({ msg: "the bearer tokens were read again", tokens: 1 }));
    expect(JSON.stringify(server.log) + server.stderr()).not.toMatch(/(good|later)-token/);
  } finally {
    await server.stop("SIGKILL");
    listener.close();
  }
}, 60_000);

test("with tokens, portico serve prints no line to try, which would lack one", async () => {
  const tokensFile = join(folder, "some-tokens");
  await writeFile(tokensFile, "some-token-".repeat(3));
  const server = await startPortico({ args: ["--tokens-file", tokensFile] });
  await server.stop();
  expect(server.stderr()).toBe("");
}, 60_000);

test.each([
  [
    ["--tokens-file", "/no/such/file"],
    "portico: --tokens-file /no/such/file: expected a file of bearer tokens that can be read: ENOENT: no such file or directory, open '/no/such/file'\n",
  ],
  [
    ["--tokens-file", "/dev/null"],
    "portico: --tokens-file /dev/null: expected at least one token, one a line, got none\n",
  ],
  [["--tokens-file", ""], "portico: --tokens-file: expected the path of a file, got nothing\n"],
  [
    ["--cors-origins", "https://a.example,https://b.example/"],
    'portico: --cors-origins: expected origins SCHEME://HOST[:PORT] as browsers send them, or *, got "https://b.example/"; browsers spell it https://b.example\n',
  ],
  [["--cors-origins", ""], "portico: --cors-origins: expected at least one origin, or *, got none\n"],
])(
  "portico serve ends with one line on %j",
  async (args, stderr) => {
    const run = await runPortico(["serve", "--listen", "127.0.0.1:0", ...args]);
    // The hint names the command as it was called.
    const told = run.stderr.replace(/\(.* --help lists the options\)\n/, "");
    expect({ code: run.code, stderr: told }).toEqual({ code: 2, stderr });
  },
  30_000,
);
