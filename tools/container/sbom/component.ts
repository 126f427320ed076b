/** The parts in use of a component of CycloneDX 1.6: https://cyclonedx.org/docs/1.6/json/#components */
export interface Component {
  readonly type: "application" | "container" | "library" | "machine-learning-model";
  readonly "bom-ref": string;
  readonly name: string;
  readonly version: string;
  readonly purl?: string;
  readonly licenses?: readonly LicenseChoice[];
  readonly hashes?: readonly Hash[];
  readonly properties?: readonly { readonly name: string; readonly value: string }[];
}

export interface Hash {
  readonly alg: "SHA-256" | "SHA-512" | "SHA-1";
  /** Hexadecimal. */
  readonly content: string;
}

export type LicenseChoice =
  | { readonly license: { readonly id: string } | { readonly name: string } }
  | { readonly expression: string };

/** What `license` of a package.json says: an SPDX identifier, an expression of several, or words. */
export function toLicenses(text: string | undefined): readonly LicenseChoice[] {
  if (text === undefined || text === "") return [];
  if (/^[\w.+-]+$/.test(text)) return [{ license: { id: text } }];
  return /\b(AND|OR|WITH)\b/.test(text) ? [{ expression: text }] : [{ license: { name: text } }];
}

/** An integrity of npm, such as "sha512-...", in CycloneDX's words. */
export function toHash(integrity: string): Hash {
  const [, bits, base64] = /^sha(1|512)-(\S+)$/.exec(integrity) ?? [];
  if (bits === undefined) throw new Error(`expected an integrity of SHA-1 or SHA-512, got ${integrity}`);
  const content = Buffer.from(base64 as string, "base64").toString("hex");
  return { alg: bits === "1" ? "SHA-1" : "SHA-512", content };
}

/** https://github.com/package-url/purl-spec: of a package of npm, whose scope is part of its name. */
export function npmPurl(name: string, version: string): string {
  return `pkg:npm/${name.replace("@", "%40")}@${version}`;
}
