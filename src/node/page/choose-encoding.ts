/** Encodings that files of the page may lie ready in, best first. */
export const pageEncodings = ["br", "gzip"] as const;
export type PageEncoding = (typeof pageEncodings)[number];

/**
 * The best of the encodings that there are and that the client takes (RFC 9110, section 12.5.3), or none: the content as
 * it is. A client that refuses even that gets it all the same.
 */
export function chooseEncoding(
  acceptEncoding: string | undefined,
  available: readonly PageEncoding[],
): PageEncoding | undefined {
  const accepted = new Map(
    (acceptEncoding ?? "").split(",").map((part) => {
      const [name = "", ...parameters] = part.split(";").map((text) => text.trim().toLowerCase());
      const weight = parameters.find((text) => text.startsWith("q="))?.slice(2);
      return [name, weight === undefined ? 1 : Number(weight)] as const;
    }),
  );
  return available.find((name) => (accepted.get(name) ?? accepted.get("*") ?? 0) > 0);
}
