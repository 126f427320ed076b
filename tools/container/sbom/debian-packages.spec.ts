import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { readDebianPackages } from "./debian-packages.ts";

const work = mkdtempSync(join(tmpdir(), "portico-packages-"));
afterAll(() => rmSync(work, { recursive: true }));

const status = `Package: libstdc++6
Status: install ok installed
Architecture: amd64
Version: 1:14.2.0-19

Package: gone
Status: deinstall ok config-files
Architecture: amd64
Version: 1.0

`;
const copyright = `Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/

Files: *
License: GPL-3+
`;

test.each([
  ["Debian", 'NAME="Debian"\nVERSION_ID="13"\nID=debian\n', "debian", "&distro=debian-13"],
  ["Debian before its release", "ID=debian\nVERSION_CODENAME=forky\n", "debian", ""],
  ["Ubuntu", 'ID="ubuntu"\nID_LIKE=debian\nVERSION_ID="24.04"\n', "ubuntu", "&distro=ubuntu-24.04"],
])("packages of %s, as its os-release names it", (name, release, namespace, distro) => {
  const root = join(work, name);
  const files = {
    "etc/os-release": release,
    "var/lib/dpkg/status": status,
    "usr/share/doc/libstdc++6/copyright": copyright,
  };
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  const purl = `pkg:deb/${namespace}/libstdc%2B%2B6@1%3A14.2.0-19?arch=amd64${distro}`;
  expect(readDebianPackages(root)).toEqual([
    {
      ...{ type: "library", "bom-ref": purl, name: "libstdc++6", version: "1:14.2.0-19", purl },
      licenses: [{ license: { name: "GPL-3+" } }],
    },
  ]);
});

test("an os-release without a name is no list of packages to trust", () => {
  const root = join(work, "unnamed");
  mkdirSync(join(root, "etc"), { recursive: true });
  writeFileSync(join(root, "etc/os-release"), 'VERSION_ID="13"\n');
  expect(() => readDebianPackages(root)).toThrow("expected ID in etc/os-release, got none");
});
