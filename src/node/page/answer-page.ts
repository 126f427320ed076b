import type { ServerResponse } from "node:http";
import { EmbedError } from "../../errors.ts";
import { addVary } from "../http/add-vary.ts";
import { sendHttpPage, textPage } from "../http/http-pages.ts";
import type { HttpHandler, HttpRequest, HttpResponse } from "../http/http-types.ts";
import { sharePending } from "../share-pending.ts";
import { findModelFile, makePageFiles, type PageFile } from "./page-files.ts";
import { pageHeaders } from "./page-headers.ts";
import { openPageSource } from "./page-source.ts";
import { chooseBody, sendPageFile } from "./send-page-file.ts";
import type { PageOptions } from "./with-page.ts";

/**
 * What all readers of large files may cost at once (`PageBody.cost`): 128 open files, or 8 that are unpacked on the way. One more is
 * refused with 503.
 */
export const pageTransfersMaxCost = 128;

/** What a browser that gets 503 may be told to wait, in seconds: a model takes a minute to fetch, a place comes sooner. */
const retryAfterS = { model: 10, transfer: 1 };

/** What a file's answer has and a refusal in its place must not have. */
const headersOfContent = ["content-length", "content-encoding", "etag"] as const;

/** Answers GET or HEAD of a path of the page, which has no leading slash; empty for the page itself. */
export type AnswerPage = (path: string, request: HttpRequest, response: HttpResponse) => Promise<void>;

/** The work of `withPage`, which loads it with the first request: a server that starts has no use for it. */
export function createAnswerPage(options: PageOptions, handler: HttpHandler): AnswerPage {
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
    const model = modelByPath.get(path);
    const refusal = model && modelGate?.(`/${path}`, request);
    if (refusal) {
      sendHttpPage(request, response, refusal);
      return;
    }
    const file = model ? await findModelFile(model) : (made ?? (await makeOnce())).get(path || "index.html");
    if (!file) {
      if (model) refuse(`the model ${model.name} is not prepared yet; try again`, retryAfterS.model);
      else handler(request, response);
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
      const page = { ...textPage(503, text), headers: { "retry-after": `${seconds}` } };
      sendHttpPage(request, response, page);
    }
  }

  return (path, request, response) =>
    answer(path, request, response).catch((error: unknown) => {
      log("error", "the page could not be sent", { path: `/${path}`, error });
      if (response.headersSent || response.destroyed) {
        response.destroy();
        return;
      }
      for (const name of headersOfContent) response.removeHeader(name);
      const known = error instanceof EmbedError && error.reason === "CONFIG_INVALID";
      const text = known ? error.message : "this page could not be made";
      sendHttpPage(request, response, textPage(500, `${text}; calls are answered as usual`));
    });
}
