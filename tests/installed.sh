# Sourced by tests of the installed copy, in the build folder: puts what `make install` installs below $dest (a copy of
# tests/stage, see tests.am), goes to $tmp, and has pkg-config ($pc) see nothing but the copy. $top is the build folder.
# The includer sets nothing before, and says `exit $bad` at the end.
tmp=$(mktemp -d) || exit 99
trap 'rm -rf "$tmp"' EXIT
top=$PWD
source_dir=$(cd "$top_srcdir" && pwd) || exit 99
dest=$tmp/dest
bad=0
unset MAKEFLAGS MFLAGS MAKELEVEL

cp -R tests/stage "$dest" || { echo "nothing was installed in tests/stage: make tests/stage.stamp"; exit 1; }
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
