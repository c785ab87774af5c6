#!/bin/sh
# What differs between platforms is a file. Two things follow, which this looks after:
#
#   - headers that only Linux has are included by files that are for Linux, or under `#if defined(__linux__)`;
#   - in the other files `#if` is rare: at most 3 a thousand lines in each layer. What guards a header, and C++'s
#     `extern "C"`, does not count.
#
# A file for a platform says so by its name: what it does it with (_posix, _linux, _win32, _none, ...), or the processor.
# Those that have another name are below, with the reason.
cd "$top_srcdir" || exit 99
bad=0

# Only Linux has these; musl's and Android's are meant as well.
linux_only='sys/(epoll|eventfd|timerfd|signalfd|inotify|fanotify|prctl|sendfile|syscall|auxv|sysinfo|vfs|personality)\.h
linux/[^>]*\.h
asm/[^>]*\.h
(features|malloc|byteswap|endian|error|argz|envz)\.h'
# Those of net/patch/ that PATCH_THREADS of net.am builds.
for_linux='_linux[._]|^hubs/(epoll|io_uring|libevent)|^net/patch/patch_(epoll|fd(_[a-z]+)?|key|lot)\.c$'

files=$(find core hubs sync net web -name '*.[ch]' | LC_ALL=C sort)
test -n "$files" || exit 99
pattern=$(echo "$linux_only" | tr '\n' '|')
pattern=${pattern%|}
for file in $files; do
    if echo "$file" | grep -qE "$for_linux"; then continue; fi
    awk -v pattern="<($pattern)>" -v file="$file" '
        /^[ \t]*#[ \t]*if/ { linux[++depth] = $0 ~ /__linux__/ && $0 !~ /!/ }
        /^[ \t]*#[ \t]*(else|elif)/ { linux[depth] = 0 }
        /^[ \t]*#[ \t]*endif/ { depth-- }
        /^[ \t]*#[ \t]*include/ && $0 ~ pattern {
            fine = 0
            for (i = 1; i <= depth; i++) fine = fine || linux[i]
            if (!fine) { print file ":" FNR ": only Linux has this: " $0; bad = 1 }
        }
        END { exit bad }' "$file" || bad=1
done

# With the names that say it.
by_name='_(posix|linux|darwin|win32|none|other|fiber|dladdr|signal|relative|x86_64|aarch64)[._]'
by_list='core/birth\.c                  what births on a signal stack want of a system
core/birth_makecontext\.c      the same by ucontext
core/debug_frames\.c           frames of each processor
core/debug_plain\.c            where the C library has backtrace()
core/debug_walk\.c             registers of each processor, for libunwind
core/frame\.h                  frames of each processor
core/madvise_many\.c           a call of Linux
core/module_whole\.c           ELF
core/no_shadow_stack\.S        marks of ELF files, for each processor
core/sanitize(_on)?\.[ch]      what each sanitizer wants to know
core/shadow_stack\.h           how each processor is asked
core/stack_map\.c              mappings of each system
core/switch[a-z0-9_]*\.[ch]    the context methods
net/tls_mbedtls_compat\.h      versions of mbedTLS'
pattern=$by_name$(echo "$by_list" | sed 's/ .*//; s/^/|^/; s/$/$/' | tr -d '\n')
set -f
for name in $(echo "$by_list" | sed 's/ .*//'); do
    echo "$files core/no_shadow_stack.S" | tr ' ' '\n' | grep -qE "^$name$" || { echo "$name: there is no such file"; bad=1; }
done

set +f
for layer in core sync net web; do
    # shellcheck disable=SC2046
    awk -v layer=$layer '
        { lines++ }
        /^[ \t]*#[ \t]*(if|ifdef|ifndef|elif)/ && !/_H_?$/ && !/__cplusplus/ { found++; where[FILENAME]++ }
        END {
            printf "%s: %d #if in %d lines outside of the files for platforms: %.2f a thousand\n", layer, found, lines,
                found * 1000 / lines
            if (found * 1000 <= 3 * lines) exit 0
            for (file in where) print "  " where[file], file
            exit 1
        }' $(find $layer \( -name '*.[ch]' -o -name '*.S' \) | grep -vE "$pattern" | LC_ALL=C sort) || bad=1
done
exit $bad
