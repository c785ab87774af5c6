# Sourced by tests of the installed copy, in the build folder: installs below $dest, goes to $tmp, and has pkg-config
# ($pc) see nothing but the copy. $top is the build folder. The includer sets nothing before, and says `exit $bad` at
# the end.
tmp=$(mktemp -d) || exit 99
trap 'rm -rf "$tmp"' EXIT
top=$PWD
source_dir=$(cd "$top_srcdir" && pwd) || exit 99
dest=$tmp/dest
bad=0
unset MAKEFLAGS MFLAGS MAKELEVEL

${MAKE:-make} -s install DESTDIR="$dest" >"$tmp/log" 2>&1 || { cat "$tmp/log"; echo "make install failed"; exit 1; }
cd "$tmp" || exit 99

PKG_CONFIG_LIBDIR=$dest$pkgconfigdir
PKG_CONFIG_PATH=
PKG_CONFIG_SYSROOT_DIR=$dest
export PKG_CONFIG_LIBDIR PKG_CONFIG_PATH PKG_CONFIG_SYSROOT_DIR
pc=${PKG_CONFIG:-pkg-config}

# The best hub may be a module; linked statically, a program looks for it where it is not yet.
if test -z "$GREEN_HUBS_BUILTIN"; then
    GREEN_HUB=$dest$pkglibdir/hub_${GREEN_HUBS_SHARED%% *}.so
    export GREEN_HUB
fi
