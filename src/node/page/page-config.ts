import type { VariantName } from "../../embed/model-manifest.ts";
import { EmbedError } from "../../errors.ts";
import type { PageModel } from "./page-model.ts";

/** What the page is told by whoever serves it; src/web/page/page-config.ts reads it. */
export interface PageConfig {
  /** Base URL of the server that the page calls, relative to its own; undefined: none, only the ways in the browser. */
  readonly server?: string;
  /** Forms of a model that lie beside it (`modelPath`); the page begins with the first. */
  readonly models: readonly { readonly name: string; readonly variant: VariantName }[];
  /** Whether calls and models need a bearer token. */
  readonly needsToken: boolean;
}

/** What of the models is told: nothing of this machine. */
export const toConfigModels = (models: readonly PageModel[]): PageConfig["models"] =>
  models.map(({ name, variant }) => ({ name, variant }));

const pattern = /<meta name="portico" content='[^']*'>/;

/** Whether this is the index.html of a page. */
export const hasPageConfig = (html: string): boolean => pattern.test(html);

/**
 * index.html with this configuration, and with a Content-Security-Policy if one is given, for hosts that send none.
 * @throws EmbedError `INTERNAL` if it has no place for it
 */
export function withPageConfig(html: string, config: PageConfig, policy?: string): string {
  if (!hasPageConfig(html)) {
    throw new EmbedError("INTERNAL", `expected index.html of the page to hold ${pattern.source}`);
  }
  const content = JSON.stringify(config)
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll("'", "&#39;");
  const configured = html.replace(pattern, () => `<meta name="portico" content='${content}'>`);
  if (policy === undefined) return configured;
  // It holds for what comes after it only.
  const meta = `<meta http-equiv="content-security-policy" content="${policy}">`;
  return configured.replace(/(<meta charset="[^"]*">)/, (charset) => `${charset}\n    ${meta}`);
}
