import type { ServerResponse } from "node:http";
import { EmbedError } from "../../errors.ts";
import { addVary } from "../http/add-vary.ts";
import { sendHttpPage, textPage } from "../http/http-pages.ts";
import type { HttpHandler, HttpRequest, HttpResponse } from "../http/http-types.ts";
import { sharePending } from "../share-pending.ts";
import { toConfigModels } from "./page-config.ts";
import { findModelFile, makePageFiles, type PageFile } from "./page-files.ts";
import { pageHeaders } from "./page-headers.ts";
import { modelPath, type PageModel } from "./page-model.ts";
import { openPageSource, type PageSource } from "./page-source.ts";
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
  const { models, forms = [], modelGate, log, openSource = openPageSource } = options;
  const modelByPath = new Map([...models, ...forms].map((model) => [modelPath(model), model]));
  const headers = pageHeaders();
  let source: PageSource | undefined;
  let made: { readonly offered: string; readonly files: ReadonlyMap<string, PageFile> } | undefined;
  const makeAnew = sharePending(async () => {
    source ??= await openSource();
    const offered = await findOffered();
    const config = { server: ".", models: toConfigModels(offered), needsToken: modelGate !== undefined };
    made = { offered: namesOf(offered), files: await makePageFiles(source, config) };
    return made.files;
  });
  let transfersCost = 0;

  /** A form may be prepared, or deleted, while the server runs. */
  async function findOffered(): Promise<readonly PageModel[]> {
    const found = await Promise.all(forms.map(findModelFile));
    return [...models, ...forms.filter((_form, index) => found[index] !== undefined)];
  }

  /** What is named in assets/ is the same whatever is offered; the page and its service worker say what that is. */
  async function findPageFile(path: string): Promise<PageFile | undefined> {
    const isSame = made && (path.startsWith("assets/") || made.offered === namesOf(await findOffered()));
    return (made && isSame ? made.files : await makeAnew()).get(path || "index.html");
  }

  async function answer(path: string, request: HttpRequest, response: HttpResponse): Promise<void> {
    const model = modelByPath.get(path);
    const refusal = model && modelGate?.(`/${path}`, request);
    if (refusal) {
      sendHttpPage(request, response, refusal);
      return;
    }
    const file = await (model ? findModelFile(model) : findPageFile(path));
    if (!file) {
      if (!model) handler(request, response);
      else if (forms.includes(model)) sendHttpPage(request, response, textPage(404, notPrepared(model)));
      else refuse(`the model ${model.name} is not prepared yet; try again`, retryAfterS.model);
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

const namesOf = (models: readonly PageModel[]): string => models.map(modelPath).join();

/** The server makes only what it computes with: trying again would not help. */
const notPrepared = ({ name, variant }: PageModel): string =>
  `this server has no ${name} ${variant}; portico prepare ${name} --variant ${variant} makes it`;
