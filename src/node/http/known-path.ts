/** Where this server has pages, for probes, for Prometheus and for people. */
const pagePaths = ["/livez", "/readyz", "/metrics"] as const;
export type PagePath = (typeof pagePaths)[number];
/** Of the page in a browser: its files, by their folder. */
const webPaths = ["/", "/index.html", "/service-worker.js", "/LICENSES.txt"] as const;
const webFolders = ["/assets/", "/models/"] as const;
export type KnownPath = PagePath | (typeof webPaths)[number] | (typeof webFolders)[number];

const knownPaths: readonly KnownPath[] = [...pagePaths, ...webPaths];

/**
 * The path of a request's target if there is a page, or the folder of the page's files that it lies in; undefined for any
 * other, so that no caller's text is logged.
 */
export function knownPath(target: string | undefined): KnownPath | undefined {
  const asked = target?.split("?", 1)[0];
  return knownPaths.find((path) => path === asked) ?? webFolders.find((folder) => asked?.startsWith(folder));
}
