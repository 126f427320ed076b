import { expect, test } from "vitest";
import { runPortico } from "../../tools/run-portico.ts";

/** Tells on stderr, at the end, which packages were loaded. */
const tellPackages = `data:text/javascript,${encodeURIComponent(`
  import { registerHooks } from "node:module";
  const packages = new Set();
  registerHooks({
    load(url, context, next) {
      const name = /.*node_modules\\/((?:@[^/]+\\/)?[^/]+)/.exec(url)?.[1];
      if (name) packages.add(name);
      return next(url, context);
    },
  });
  process.on("exit", () => console.error([...packages].join(" ")));
`)}`;

test("a server waits for no package that only some calls, or some starts, need", async () => {
  const { stderr } = await runPortico(["serve", "--listen", "nowhere"], {
    NODE_OPTIONS: `--import=${tellPackages}`,
  });
  const [line, packages] = stderr.split("\n") as [string, string];
  // It gives up after all modules are loaded.
  expect(line).toMatch(/^portico: --listen: expected HOST:PORT/);
  const loaded = packages.split(" ");
  expect(loaded).toContain("@connectrpc/connect-node");
  const late = ["undici", "pino-pretty", "pacote", "@npmcli/config", "h5wasm", "onnxruntime-web"];
  expect(loaded.filter((name) => late.includes(name))).toEqual([]);
});
