/** Where this server has pages, for probes, for Prometheus and for people. */
const pagePaths = ["/livez", "/readyz", "/metrics"] as const;
export type PagePath = (typeof pagePaths)[number];
export type KnownPath = PagePath | "/";

const knownPaths: readonly KnownPath[] = [...pagePaths, "/"];

/** The path of a request's target if there is a page; undefined for any other, so that no caller's text is logged. */
export function knownPath(target: string | undefined): KnownPath | undefined {
  const asked = target?.split("?", 1)[0];
  return knownPaths.find((path) => path === asked);
}
