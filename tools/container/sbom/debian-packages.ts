import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Component, LicenseChoice } from "./component.ts";

/**
 * The installed packages of Debian, or of a distribution made of it, in a root file system, as dpkg lists them.
 * @throws Error if its os-release does not name the distribution
 */
export function readDebianPackages(root: string): Component[] {
  const osRelease = readFileSync(join(root, "etc/os-release"), "utf8");
  const readKey = (key: string) => new RegExp(`^${key}=["']?([^"'\\n]+)`, "m").exec(osRelease)?.[1];
  const [id, release] = [readKey("ID"), readKey("VERSION_ID")];
  if (id === undefined) throw new Error("expected ID in etc/os-release, got none");
  // One that is not released yet has no number.
  const distribution = release === undefined ? "" : `&distro=${id}-${release}`;
  return readFileSync(join(root, "var/lib/dpkg/status"), "utf8")
    .split("\n\n")
    .map(readFields)
    .filter((fields) => fields.get("Status") === "install ok installed")
    .map((fields) => {
      const [name, version, architecture] = ["Package", "Version", "Architecture"].map((key) =>
        fields.get(key),
      ) as [string, string, string];
      const purl = `pkg:deb/${id}/${encodeURIComponent(name)}@${encodeURIComponent(version)}?arch=${architecture}${distribution}`;
      return {
        type: "library",
        "bom-ref": purl,
        name,
        version,
        purl,
        licenses: readLicenses(join(root, "usr/share/doc", name, "copyright")),
      };
    });
}

function readFields(paragraph: string): ReadonlyMap<string, string> {
  return new Map([...paragraph.matchAll(/^([\w-]+): (.*)$/gm)].map(([, key, value]) => [key!, value!]));
}

/**
 * The short names of a copyright file that machines may read
 * (https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/). They are Debian's own, not SPDX's.
 */
function readLicenses(file: string): readonly LicenseChoice[] {
  if (!existsSync(file)) return [];
  const text = readFileSync(file, "utf8");
  const names = /^Format:.*copyright-format/m.test(text)
    ? [...text.matchAll(/^License: *(\S.*)$/gm)].map(([, name]) => name!.trim())
    : [];
  return [...new Set(names)].sort().map((name) => ({ license: { name } }));
}
