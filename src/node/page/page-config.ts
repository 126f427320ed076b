import { EmbedError } from "../../errors.ts";

/** What the page is told by whoever serves it; src/web/page/page-config.ts reads it. */
export interface PageConfig {
  /** Base URL of the server that the page calls, relative to its own; undefined: none, only the ways in the browser. */
  readonly server?: string;
  /** Models that lie at `models/NAME.onnx` beside it. */
  readonly models: readonly string[];
  /** Whether calls and models need a bearer token. */
  readonly needsToken: boolean;
}

const pattern = /<meta name="portico" content='[^']*'>/;

/**
 * index.html with this configuration, and with a Content-Security-Policy if one is given, for hosts that send none.
 * @throws EmbedError `INTERNAL` if it has no place for it
 */
export function withPageConfig(html: string, config: PageConfig, policy?: string): string {
  if (!pattern.test(html)) {
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
