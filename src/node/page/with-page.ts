import type { ServerResponse } from "node:http";
import { EmbedError } from "../../errors.ts";
import { type PageGate, sendHttpPage, textPage } from "../http/http-pages.ts";
import type { HttpHandler, HttpLog, HttpRequest, HttpResponse } from "../http/http-types.ts";
import { sharePending } from "../share-pending.ts";
import { findModelFile, makePageFiles, type PageFile } from "./page-files.ts";
import { pageHeaders } from "./page-headers.ts";
import type { PageModel } from "./page-model.ts";
import { openPageSource, type PageSource } from "./page-source.ts";
import { addVary, chooseBody, sendPageFile } from "./send-page-file.ts";

/**
 * What all readers of large files may cost at once (`PageBody.cost`): 128 open files, or 8 that are unpacked on the way. One more is
 * refused with 503.
 */
export const pageTransfersMaxCost = 128;

/** What a browser that gets 503 may be told to wait, in seconds: a model takes a minute to fetch, a place comes sooner. */
const retryAfterS = { model: 10, transfer: 1 };

export interface PageOptions {
  /** Those that this server computes with: what it gives away is what its vectors are made of. */
  readonly models: readonly PageModel[];
  /** Asked before a model is sent; the page's own files are open to all. Its presence tells the page to ask for a token. */
  readonly modelGate?: PageGate | undefined;
  readonly log: HttpLog;
  /** Default: what the build made, or the sources. */
  readonly openSource?: () => Promise<PageSource>;
}

/**
 * Answers GET and HEAD of `/` and of the page's files, and leaves everything else to `handler`; `/` itself too where the client
 * does not ask for HTML, as curl does not. Paths are looked up in a fixed table: none of them reaches the file system.
 * The page is read, or bundled, at the first request for it.
 */
export function withPage(options: PageOptions, handler: HttpHandler): HttpHandler {
  const { models, modelGate, log, openSource = openPageSource } = options;
  const config = { server: ".", models: models.map(({ name }) => name), needsToken: modelGate !== undefined };
  const modelByPath = new Map(models.map((model) => [`models/${model.name}.onnx`, model]));
  const headers = pageHeaders();
  let made: ReadonlyMap<string, PageFile> | undefined;
  const makeOnce = sharePending(async () => {
    made = await makePageFiles(await openSource(), config);
    return made;
  });
  let transfersCost = 0;

  async function answer(path: string, request: HttpRequest, response: HttpResponse): Promise<void> {
    // A request sent ahead waits for its turn; until then nothing is opened for it.
    if (!("stream" in response) && response.socket === null) {
      await new Promise((resolve) => response.once("socket", resolve));
    }
    const model = modelByPath.get(path);
    const file = model ? await findModelFile(model) : (made ?? (await makeOnce())).get(path || "index.html");
    if (!file) {
      if (!model) {
        handler(request, response);
        return;
      }
      refuse(`the model ${model.name} is not prepared yet; try again`, retryAfterS.model);
      return;
    }
    if (path === "") addVary(response as ServerResponse, "accept");
    const { cost } = request.method === "HEAD" ? { cost: 0 } : chooseBody(request, file).body;
    if (cost > 0 && transfersCost + cost > pageTransfersMaxCost) {
      refuse("too many large files are being sent at once; try again", retryAfterS.transfer);
      return;
    }
    transfersCost += cost;
    try {
      await sendPageFile(request, response, file, headers);
    } finally {
      transfersCost -= cost;
    }

    function refuse(text: string, seconds: number): void {
      const refusal = { ...textPage(503, text), headers: { "retry-after": `${seconds}` } };
      sendHttpPage(request, response, refusal);
    }
  }

  return (request, response) => {
    const path = pathInPage(request);
    if (path === "" && !request.headers.accept?.includes("text/html")) {
      addVary(response as ServerResponse, "accept");
      handler(request, response);
      return;
    }
    if (path === undefined) {
      handler(request, response);
      return;
    }
    const refusal = modelByPath.has(path) ? modelGate?.(`/${path}`, request) : undefined;
    if (refusal) {
      sendHttpPage(request, response, refusal);
      return;
    }
    answer(path, request, response).catch((error: unknown) => {
      log("error", "the page could not be sent", { path: `/${path}`, error });
      if (response.headersSent || response.destroyed) {
        response.destroy();
        return;
      }
      const known = error instanceof EmbedError && error.reason === "CONFIG_INVALID";
      const text = known ? error.message : "this page could not be made";
      sendHttpPage(request, response, textPage(500, `${text}; calls are answered as usual`));
    });
  };
}

/** Without the leading slash; undefined for what cannot be the page's. */
function pathInPage({ url, method }: HttpRequest): string | undefined {
  if (method !== "GET" && method !== "HEAD") return undefined;
  const path = url?.split("?", 1)[0] ?? "";
  const isPages = /^\/($|assets\/|models\/|index\.html$|service-worker\.js$|LICENSES\.txt$)/.test(path);
  return isPages ? path.slice(1) : undefined;
}
