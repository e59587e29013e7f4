# shellcheck shell=bash disable=SC2034,SC2086,SC2154
# What tools/demo and tools/test share: the packages, the build folder, the progress lines.
# Sourced by bash; the caller has set `me`, `root` (top of the tree), `build` (folder) and `yes` (yes or no).
#
# Everything that a bare Debian 12 or 13 lacks is in the table below and nowhere else:
#   package | for | how it shows on another system | why
# "for" is `all`, or the one job that needs the package (test, coverage); `12:test` only on that release.
# The third column finds the same thing where there is no such package: cmd: a program,
# pc: a pkg-config module (with the least version), gst: a GStreamer element, -: the rows around it.
packages='
gcc                        | all      | cmd:cc                           | compiles the engine
libc6-dev                  | all      | -                                | C library headers, which gcc only recommends
meson                      | all      | cmd:meson                        | configures the build
ninja-build                | all      | cmd:ninja                        | runs it
pkgconf                    | all      | cmd:pkg-config                   | finds the libraries
python3                    | all      | cmd:python3                      | generates sources; no part of the product
libglib2.0-dev             | all      | pc:glib-2.0>=2.74                | the engine: errors, containers, key files
glslc                      | all      | cmd:glslc                        | compiles the shaders of the Vulkan backend
spirv-tools                | all      | cmd:spirv-val                    | checks them
libvulkan-dev              | all      | pc:vulkan                        | the Vulkan backend: headers
libvulkan-volk-dev         | all      | -                                | and how the loader is opened
zlib1g-dev                 | all      | pc:zlib                          | data sets packed with gzip (libglib2.0-dev has it with it)
libjson-glib-dev           | all      | pc:json-glib-1.0                 | JSON Lines
libarchive-dev             | all      | pc:libarchive                    | data sets in tar archives
libgstreamer1.0-dev        | all      | pc:gstreamer-1.0>=1.22           | elements
libgstreamer-plugins-base1.0-dev | all | pc:gstreamer-video-1.0>=1.22    | raw video, overlays, decoding
libcairo2-dev              | all      | pc:cairo                         | draws labels and the demo clip
libpango1.0-dev            | all      | pc:pangocairo                    | text of the labels
fonts-dejavu-core          | all      | -                                | letters for them
gstreamer1.0-tools         | all      | cmd:gst-inspect-1.0              | gst-launch-1.0, gst-inspect-1.0
gstreamer1.0-plugins-base  | all      | gst:videoconvert                 | conversion, Ogg, Theora
gstreamer1.0-plugins-good  | all      | gst:matroskademux                | MP4, Matroska, WebM, JPEG, PNG, cameras
gstreamer1.0-plugins-bad   | all      | gst:h264parse                    | MPEG-TS; parsers in front of the decoders
gstreamer1.0-plugins-ugly  | all      | gst:x264enc                      | H.264 encoder
gstreamer1.0-libav         | all      | gst:avdec_h264                   | decoders for most recorded footage
g++                        | test     | cmd:c++                          | public headers are compiled as C++ too
binutils                   | test     | cmd:nm                           | lists the exported symbols
libgstrtspserver-1.0-dev   | test     | pc:gstreamer-rtsp-server-1.0>=1.22 | the server that slsrc loses and finds again
gobject-introspection      | test     | cmd:g-ir-scanner                 | metadata for Python (optional in a build)
libgirepository1.0-dev     | test     | -                                | the same
mesa-vulkan-drivers        | test     | -                                | a Vulkan device on the CPU, for tests
vulkan-validationlayers    | test     | -                                | hears what is wrong with the calls
python3-gi                 | test     | -                                | runs the Python example
gir1.2-gst-plugins-base-1.0 | test    | -                                | the same
gcc-aarch64-linux-gnu      | test     | cmd:aarch64-linux-gnu-gcc        | the engine for 64-bit ARM; GLib for it is fetched by the test
libc6-dev-arm64-cross      | test     | -                                | the same
qemu-user                  | test     | cmd:qemu-aarch64                 | runs its tests
clang-format-14            | 12:test  | -                                | the style check; other versions format differently
gcovr                      | coverage | cmd:gcovr                        | sums up the coverage
'

say() { printf '%s\n' "$me: $*" >&2; }
die() { say "$*"; exit 1; }

# Rows of the table that hold for the given jobs ("all test …") on this system, as fields.
rows() {
  local name for_ probe why
  while IFS='|' read -r name for_ probe why; do
    [ -n "${name// /}" ] || continue
    for_=${for_// /}
    case $for_ in
      *:*) [ "${for_%%:*}" = "$release" ] || continue; for_=${for_#*:} ;;
    esac
    case " $* " in *" $for_ "*) printf '%s %s\n' "${name// /}" "${probe// /}" ;; esac
  done <<<"$packages"
}

# Sets `release` (12, 13, or empty on any other system) and `system` (for people, and for the build folder's stamp).
find_system() {
  system=$(. /etc/os-release 2>/dev/null && printf '%s' "${PRETTY_NAME-}" || echo 'an unknown system')
  release=$(. /etc/os-release 2>/dev/null && case ${ID-}:${VERSION_ID-} in debian:1[23]) echo "$VERSION_ID" ;; esac)
}

# Packages of these jobs that dpkg does not know as installed.
missing_packages() {
  local -a want
  mapfile -t want < <(rows "$@" | cut -d' ' -f1)
  local have
  have=" $(dpkg-query -W -f '${db:Status-Abbrev}${Package} ' "${want[@]}" 2>/dev/null)"
  local name
  for name in "${want[@]}"; do
    case $have in *" ii $name "* | *" hi $name "*) ;; *) printf '%s\n' "$name" ;; esac
  done
}

# What these jobs need and this system does not have, whatever it calls its packages.
missing_things() {
  local name probe
  while read -r name probe; do
    case $probe in
      cmd:*) command -v "${probe#*:}" >/dev/null ;;
      pc:*) pkg-config --exists "$(sed 's/>=/ >= /' <<<"${probe#*:}")" 2>/dev/null ;;
      gst:*) gst-inspect-1.0 --exists "${probe#*:}" 2>/dev/null ;;
    esac || printf '%s\n' "${probe#*:}"
  done < <(rows "$@")
}

# Makes sure that everything for these jobs is there, installing it if need be and allowed.
need() {
  find_system
  local -a lacking
  if [ -z "$release" ]; then
    mapfile -t lacking < <(missing_things "$@")
    [ ${#lacking[@]} -eq 0 ] && return
    say "this is $system: only Debian 12 and 13 are set up automatically"
    say "install what these Debian packages hold: $(rows "$@" | cut -d' ' -f1 | xargs)"
    die "not found here: ${lacking[*]}"
  fi
  mapfile -t lacking < <(missing_packages "$@")
  [ ${#lacking[@]} -eq 0 ] && return
  if permission "${lacking[@]}"; then
    install_packages "${lacking[@]}"
  elif [ -n "$(missing_things "$@")" ]; then
    die "run this as root, then try again: apt-get install --no-install-recommends ${lacking[*]}"
  fi
}

# Root and --yes are never asked anything; everybody else sees the exact commands first.
permission() {
  sudo=
  [ "$(id -u)" -eq 0 ] && return
  command -v sudo >/dev/null || { say "not installed: $*; and there is no sudo"; return 1; }
  [ "$yes" = yes ] && { sudo='sudo -n'; return; }
  [ -t 0 ] || { say "not installed: $*; and no terminal to ask (or --yes)"; return 1; }
  sudo=sudo
  local answer
  printf 'Packages are missing. This would be run:\n  %s\n  %s\nGo on? [Y/n] ' \
    "sudo $apt update" "sudo $apt install --no-install-recommends $*" >&2
  read -r answer
  case $answer in '' | [Yy] | [Yy][Ee][Ss]) ;; *) return 1 ;; esac
}

# A lock held by the system's own updater is waited for; nothing can stop to ask a question.
apt='env DEBIAN_FRONTEND=noninteractive apt-get -y -o DPkg::Lock::Timeout=300 -o Dpkg::Options::=--force-confold'

install_packages() {
  local by_hand="apt-get install --no-install-recommends $*"
  [ -z "$sudo" ] || $sudo true || die "sudo refused. As root: $by_hand"
  step "package lists" "$build/logs/packages.log" $sudo $apt update || say "going on with the lists that are there"
  step "installing $# packages" "$build/logs/packages.log" $sudo $apt install --no-install-recommends "$@" ||
    die "could not install all packages. By hand, as root: $by_hand"
}

# step TITLE LOG COMMAND…: runs it with its output at the end of LOG and the last line of that on a terminal. If it
# fails, shows what ninja says from the first failure on, else the last lines.
step() {
  local title=$1 log=$2 start=$SECONDS
  shift 2
  { mkdir -p "${log%/*}" && printf '\n$ %s\n' "$*" >>"$log"; } 2>/dev/null ||
    die "cannot write $log (does the folder belong to another user?)"
  local before
  before=$(stat -c %s "$log")
  [ -t 2 ] || printf '%-24s ' "$title" >&2
  "$@" </dev/null 2>&1 | tee -a "$log" | show_last "$title"
  local status=${PIPESTATUS[0]}
  [ -t 2 ] && printf '\r\033[K%-24s ' "$title" >&2
  if [ "$status" -eq 0 ]; then
    printf 'done, %d s\n' $((SECONDS - start)) >&2
  else
    printf 'failed, %d s\n' $((SECONDS - start)) >&2
    show_failure "$(tail -c +$((before + 1)) "$log")"
    say "the whole output is in ${log#"$root/"}"
  fi
  return "$status"
}

show_failure() {
  case $1 in
    *$'\nFAILED: '*) printf 'FAILED: %s\n' "${1#*$'\nFAILED: '}" | head -n 60 ;;
    *) printf '%s\n' "$1" | tail -n 30 ;;
  esac | sed 's/^/  /' >&2
}

show_last() {
  [ -t 2 ] || { cat >/dev/null; return; }
  local line width
  width=${COLUMNS:-$(tput cols 2>/dev/null || echo 80)}
  while IFS= read -r line; do
    printf -v line '%-24s %s' "$1" "$line"
    printf '\r\033[K%s' "${line:0:width-1}" >&2
  done
}

# configure FOLDER MESON-OPTION…: only where they differ from the last time; from scratch if another system made
# the folder. Options that somebody set by hand in the meantime stay.
configure() {
  local folder=$1 stamp=$1/tools-configured line
  shift
  line="$system: $*"
  [ "$(cat "$stamp" 2>/dev/null)" = "$line" ] && [ -e "$folder/build.ninja" ] && return
  if [ -e "$stamp" ] && ! grep -qF "$system: " "$stamp"; then
    rm -rf "$folder"
  fi
  local -a again=()
  [ -e "$folder/build.ninja" ] && again=(--reconfigure)
  step "configuring" "$folder/logs/configure.log" meson setup "${again[@]}" "$folder" "$root" "$@" || return
  printf '%s\n' "$line" >"$stamp"
}

# Warnings are errors where the compiler is known; tools/test insists on it everywhere. Demo and tests thereby share
# one build.
default_options() {
  options=(--buildtype=debugoptimized -Dplugins=enabled)
  case $release:$(uname -m) in 1?:x86_64) options+=(-Dwerror=true) ;; esac
}

# compile FOLDER TARGET…: all of them if none is named.
compile() { step "building" "$1/logs/build.log" ninja -C "$@"; }
