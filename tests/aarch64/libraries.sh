#!/bin/sh
# Unpacks GLib for 64-bit ARM under FOLDER, for tests/aarch64/run.py: libraries.sh FOLDER
#
# The packages come from the archive that this Debian is set up for, through an apt whose state lies in FOLDER:
# nothing is installed, and the system learns of no further architecture. Done once; later calls do nothing.
set -eu
folder=$1
[ -e "$folder/complete" ] && exit
rm -rf "$folder"
mkdir -p "$folder/apt/lists/partial" "$folder/apt/archives/partial" "$folder/root"
cd "$folder"

cat >apt.conf <<END
APT::Architecture "arm64";
APT::Architectures "arm64";
APT::Sandbox::User "root";
Dir::State "$folder/apt";
Dir::State::status "/dev/null";
Dir::Cache "$folder/apt";
END
export APT_CONFIG="$folder/apt.conf"

# What GLib's pkg-config files name; the C library is the cross compiler's.
wanted='^(libglib2\.0-(0|0t64|dev)|libgio-2\.0-dev|libpcre2-(8-0|dev)|libffi(8|-dev)|zlib1g(-dev)?|libmount(1|-dev)|libblkid(1|-dev)|libselinux1(-dev)?|libsepol(2|-dev)|libatomic1|libsysprof-capture-4-dev)$'

apt-get -qq update
apt-cache depends --recurse --no-recommends --no-suggests --no-conflicts --no-breaks --no-replaces \
  --no-enhances libglib2.0-dev | grep -E "$wanted" | sort -u >packages
[ -s packages ] || { echo "the archive has no libglib2.0-dev for arm64" >&2; exit 1; }
(cd apt/archives && xargs apt-get -qq download <../../packages)
for package in apt/archives/*.deb; do
  dpkg-deb -x "$package" root
done
rm -rf apt
touch complete
