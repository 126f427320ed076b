import { copyFile, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readImage } from "../../fixtures/read-golden.ts";
import {
  buildPackageForPages,
  openPackagePage,
  type PackagePage,
  type PageGlobals,
  removeFolder,
  softwareGpuFlags,
} from "../../tools/browser/package-page.ts";
import { writeSmallModel } from "../../tools/browser/small-model.ts";
import { requireTool } from "../../tools/require-tool.ts";
import { findModelManifest } from "../node/model/model-catalog.ts";
import { prepareModel } from "../node/model/model-store.ts";
import type { CreateEmbedderOptions, ImageEmbedder } from "./index.ts";

/** What is opened in Chromium, what it fetches, and what it refuses; mostly with a model that takes a millisecond. */

const chromium = requireTool("chromium");
let folder: string;
let smallModel: Readonly<Record<string, string>>;

beforeAll(async () => {
  if (!chromium) return;
  folder = await buildPackageForPages();
  smallModel = await writeSmallModel(folder);
});
afterAll(async () => {
  if (folder) await removeFolder(folder);
});

async function inPage(
  flags: readonly string[],
  files: Readonly<Record<string, string>>,
  use: (opened: PackagePage) => Promise<void>,
): Promise<void> {
  const opened = await openPackagePage(folder, { chromium: chromium as string, files, flags });
  try {
    await use(opened);
  } finally {
    await opened.close();
  }
}

type PlainOptions = Omit<CreateEmbedderOptions, "onnx" | "onProgress" | "signal">;
/** Where `open` leaves it. */
type Opened = PageGlobals & { embedder: ImageEmbedder };

/** @returns what runs, or why nothing does */
const open = (page: Page, options: PlainOptions) =>
  page.evaluate(async (plain) => {
    const globals = globalThis as unknown as Opened;
    try {
      globals.embedder = await globals.portico.createEmbedder({ onnx: "/model.onnx", ...plain });
      const { engine, adapter, concurrency } = globals.embedder;
      return { engine, adapter, concurrency };
    } catch (error) {
      return `${(error as { readonly reason?: string }).reason} ${(error as Error).message}`;
    }
  }, options);

/** @returns the length of the vector, or why there is none */
const embed = (page: Page, fixture: string) =>
  page.evaluate(
    async (bytes) => {
      try {
        return (await (globalThis as unknown as Opened).embedder.embed(Uint8Array.from(bytes))).vector.length;
      } catch (error) {
        return `${(error as { readonly reason?: string }).reason} ${(error as Error).message}`;
      }
    },
    [...readImage(fixture)],
  );

const fetchedBy = ({ host }: PackagePage) => host.paths.filter((path) => path !== "/favicon.ico");
const always = [
  ...["/page.html", "/page.js", "/index.js", "/embed-worker.js"],
  ...["/resnet50.json", "/mozjpeg_dec.wasm", "/model.onnx"],
];
const kernels = expect.stringMatching(/^\/kernels-(plain|relaxed)\.wasm$/) as string;
/** The small model's self-check is a PNG. */
const others = "/other-decoders.js";
const ortWasm = ["/ort.wasm.bundle.min.mjs", "/ort-wasm-simd-threaded.wasm"];
const ortWebGpu = ["/ort.webgpu.bundle.min.mjs", "/ort-wasm-simd-threaded.asyncify.wasm"];

describe.skipIf(!chromium)("an engine", () => {
  test.each<[NonNullable<PlainOptions["engine"]>, readonly string[], object, readonly string[]]>([
    ["auto", [], { engine: "simd", concurrency: 1 }, [kernels]],
    ["auto", softwareGpuFlags, { engine: "simd", concurrency: 1 }, [kernels]],
    ["simd", softwareGpuFlags, { engine: "simd", concurrency: 1 }, [kernels]],
    ["ort-wasm", softwareGpuFlags, { engine: "ort-wasm", concurrency: 1 }, ortWasm],
    [
      "ort-webgpu",
      softwareGpuFlags,
      { engine: "ort-webgpu", adapter: "google swiftshader, software", concurrency: 32 },
      ortWebGpu,
    ],
  ])("%s, Chromium with %j: its own files are fetched, no other's", async (engine, flags, running, files) => {
    await inPage(flags, smallModel, async (opened) => {
      expect(await open(opened.page, { engine, threads: 1 })).toEqual({ adapter: undefined, ...running });
      expect(await embed(opened.page, "jpeg/baseline-444.jpg")).toBe(3);
      const expected = [...always, others, ...files];
      expect(fetchedBy(opened)).toEqual(expect.arrayContaining(expected));
      expect(fetchedBy(opened).length).toBe(expected.length);
    });
  });

  test.each<[string, readonly string[], PlainOptions, string]>([
    [
      "ort-webgpu without a GPU",
      [],
      { engine: "ort-webgpu" },
      "CONFIG_INVALID engine ort-webgpu expected a GPU with a driver for Vulkan, Metal or Direct3D 12, got none",
    ],
    [
      "no time for a picture",
      [],
      { itemTimeoutMs: 0 },
      "CONFIG_INVALID expected itemTimeoutMs to be a whole number from 1, got 0",
    ],
  ])("%s: refused in words", async (_, flags, options, message) => {
    await inPage(flags, smallModel, async ({ page }) => expect(await open(page, options)).toBe(message));
  });
});

describe.skipIf(!chromium)("a model", () => {
  test.each<[unknown, string]>([
    ["", "nothing"],
    [null, "nothing"],
    [7, "number"],
  ])("%j: refused in words", async (onnx, got) => {
    const message = `CONFIG_INVALID expected onnx: the bytes or the URL of the file model.onnx that \`portico prepare\` makes, got ${got}`;
    await inPage([], smallModel, async ({ page }) =>
      expect(await open(page, { onnx } as unknown as PlainOptions)).toBe(message),
    );
  });

  test("that arrived damaged is fetched again as a whole, whatever the browser keeps by its ETag", async () => {
    const file = join(folder, "damaged.onnx");
    const sound = await readFile(smallModel["/model.onnx"] as string);
    await writeFile(
      file,
      sound.map((byte, at) => (at === sound.length - 1 ? byte ^ 1 : byte)),
    );
    const opened = await openPackagePage(folder, {
      chromium: chromium as string,
      files: { ...smallModel, "/model.onnx": file },
      tagged: ["/model.onnx"],
    });
    try {
      expect(await open(opened.page, { engine: "simd" })).toMatch(/^MODEL_CORRUPT .*expected sha256/);
      await writeFile(file, sound);
      expect(await open(opened.page, { engine: "simd" })).toMatchObject({ engine: "simd" });
    } finally {
      await opened.close();
    }
  });
});

describe.skipIf(!chromium)("a program whose onProgress throws", () => {
  test("hears of its fault, and gets its embedder", async () => {
    await inPage([], smallModel, async ({ page }) => {
      const told = page.waitForEvent("pageerror");
      const engine = await page.evaluate(async () => {
        const { portico } = globalThis as unknown as Opened;
        const onProgress = () => {
          throw new Error("its own fault");
        };
        const embedder = await portico.createEmbedder({ onnx: "/model.onnx", engine: "simd", onProgress });
        await embedder.dispose();
        return embedder.engine;
      });
      expect(engine).toBe("simd");
      expect((await told).message).toBe("its own fault");
    });
  });
});

describe.skipIf(!chromium)("a browser without WebGPU", () => {
  test("says so, and auto goes on without", async () => {
    const file = join(folder, "worker-without-gpu.js");
    const real = await readFile(join(folder, "embed-worker.js"), "utf8");
    await writeFile(file, `Object.defineProperty(navigator, "gpu", { value: undefined });\n${real}`);
    await inPage([], { ...smallModel, "/embed-worker.js": file }, async ({ page }) => {
      expect(await open(page, { engine: "ort-webgpu" })).toBe(
        "CONFIG_INVALID engine ort-webgpu expected a browser with WebGPU (navigator.gpu), got one without",
      );
      expect(await open(page, {})).toMatchObject({ engine: "simd" });
    });
  });
});

describe.skipIf(!chromium)("decoders", () => {
  test("of other formats than JPEG are fetched for their first picture; if they cannot, that fails alone", async () => {
    const late = {
      "/other-decoders.js": join(folder, "late.js"),
      "/webp_dec.wasm": join(folder, "late.wasm"),
    };
    const onnx = await prepareModel(await findModelManifest("resnet50"));
    await inPage([], { "/model.onnx": onnx, ...late }, async (opened) => {
      const { page, host } = opened;
      const fetchedFor = async (fixture: string) => {
        const before = fetchedBy(opened).length;
        return [await embed(page, fixture), ...fetchedBy(opened).slice(before)];
      };
      await open(page, { engine: "simd" });
      const [jpeg, png, webp] = ["jpeg/baseline-444.jpg", "png/grey-8bit.png", "webp/lossy.webp"] as const;
      expect(await fetchedFor(jpeg)).toEqual([2048]);
      expect(await fetchedFor("jpeg/cmyk-adobe.jpg")).toEqual([2048]);
      expect(fetchedBy(opened).length).toBe(always.length + 1);
      expect(await fetchedFor(png)).toEqual([
        `CONFIG_INVALID the decoders of all formats but JPEG cannot be fetched from ${host.url}${others}: TypeError: Failed to fetch dynamically imported module: ${host.url}${others}`,
        others,
      ]);
      expect(await fetchedFor(jpeg)).toEqual([2048]);
      await copyFile(join(folder, "other-decoders.js"), late["/other-decoders.js"]);
      expect(await fetchedFor(png)).toEqual([2048, others]);
      expect(await fetchedFor("gif/89a.gif")).toEqual([2048]);
      expect(await fetchedFor(webp)).toEqual([
        `CONFIG_INVALID ${host.url}/webp_dec.wasm: expected HTTP status 200, got 404`,
        "/webp_dec.wasm",
      ]);
      await copyFile(join(folder, "webp_dec.wasm"), late["/webp_dec.wasm"]);
      expect(await fetchedFor(webp)).toEqual([2048, "/webp_dec.wasm"]);
      expect(await fetchedFor("webp/lossless.webp")).toEqual([2048]);
      expect(await fetchedFor("bmp/24bit-1x1.bmp")).toEqual([2048]);
      expect(await fetchedFor("bad/png-illegal-filter.png")).toEqual([
        expect.stringMatching(/^IMAGE_CORRUPT corrupt PNG: /),
      ]);
    });
  });
});
