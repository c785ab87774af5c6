/*
 * The method "native" on aarch64, AAPCS64. See switch_native.h.
 *
 * The resume label carries BTI J, since it is reached by an indirect jump. FPCR stays as it is. x18 belongs to the
 * platform on some systems, which then reserve it: it is the same for all stacks of an OS thread there.
 */
#ifndef GREEN_SWITCH_NATIVE_AARCH64_H
#define GREEN_SWITCH_NATIVE_AARCH64_H

#if defined(__APPLE__) || defined(__ANDROID__) || defined(_WIN32) || defined(__Fuchsia__)
#define GREEN__CLOBBER_X18
#else
#define GREEN__CLOBBER_X18 , "x18"
#endif

#ifdef __ARM_FEATURE_SVE
#define GREEN__CLOBBER_SVE                                                                                             \
        , "p0", "p1", "p2", "p3", "p4", "p5", "p6", "p7", "p8", "p9", "p10", "p11", "p12", "p13", "p14", "p15"
#else
#define GREEN__CLOBBER_SVE
#endif

/* All but sp and x29, which are saved, and x0 and x1, which are operands and named as changed. */
#define GREEN__CLOBBERS                                                                                                \
        "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14", "x15", "x16", "x17", "x19", \
                "x20", "x21", "x22", "x23", "x24", "x25", "x26", "x27", "x28", "x30", "v0", "v1", "v2", "v3", "v4",    \
                "v5", "v6", "v7", "v8", "v9", "v10", "v11", "v12", "v13", "v14", "v15", "v16", "v17", "v18", "v19",    \
                "v20", "v21", "v22", "v23", "v24", "v25", "v26", "v27", "v28", "v29", "v30", "v31", "cc",              \
                "memory" GREEN__CLOBBER_X18 GREEN__CLOBBER_SVE

#define GREEN__NATIVE_SWITCH(from, to)                                                                                 \
        do {                                                                                                           \
                register void *green__from __asm__("x0") = (from);                                                     \
                register void *green__to __asm__("x1") = (to);                                                         \
                __asm__ volatile("adr x2, 1f\n\t"                                                                      \
                                 "mov x3, sp\n\t"                                                                      \
                                 "stp x3, x29, [x0]\n\t"                                                               \
                                 "str x2, [x0, #16]\n\t"                                                               \
                                 "ldp x3, x29, [x1]\n\t"                                                               \
                                 "ldr x16, [x1, #16]\n\t"                                                              \
                                 "mov sp, x3\n\t"                                                                      \
                                 "br x16\n"                                                                            \
                                 "1:\n\t"                                                                              \
                                 "hint #36"                                                                            \
                                 : "+r"(green__from), "+r"(green__to)                                                  \
                                 :                                                                                     \
                                 : GREEN__CLOBBERS);                                                                   \
        } while (0)

#define GREEN__NATIVE_JUMP(to)                                                                                         \
        do {                                                                                                           \
                register void *green__to __asm__("x1") = (to);                                                         \
                __asm__ volatile("ldp x3, x29, [x1]\n\t"                                                               \
                                 "ldr x16, [x1, #16]\n\t"                                                              \
                                 "mov sp, x3\n\t"                                                                      \
                                 "br x16"                                                                              \
                                 :                                                                                     \
                                 : "r"(green__to)                                                                      \
                                 : "x3", "x16", "memory");                                                             \
        } while (0)

#define GREEN__NATIVE_SAVE(ctx, again)                                                                                 \
        do {                                                                                                           \
                register void *green__from __asm__("x0") = (ctx);                                                      \
                register long green__twice __asm__("x1");                                                               \
                __asm__ volatile("adr x2, 1f\n\t"                                                                      \
                                 "mov x3, sp\n\t"                                                                      \
                                 "stp x3, x29, [x0]\n\t"                                                               \
                                 "str x2, [x0, #16]\n\t"                                                               \
                                 "mov x1, #0\n\t"                                                                      \
                                 "b 2f\n"                                                                              \
                                 "1:\n\t"                                                                              \
                                 "hint #36\n\t"                                                                        \
                                 "mov x1, #1\n"                                                                        \
                                 "2:"                                                                                  \
                                 : "+r"(green__from), "=&r"(green__twice)                                              \
                                 :                                                                                     \
                                 : GREEN__CLOBBERS);                                                                   \
                (again) = green__twice;                                                                                \
        } while (0)

#define GREEN__NATIVE_ENTER(fn)                                                                                        \
        do {                                                                                                           \
                register void (*green__fn)(void) __asm__("x16") = (fn);                                                \
                __asm__ volatile("adr x30, 1f\n\t"                                                                     \
                                 "br x16\n"                                                                            \
                                 "1:\n\t"                                                                              \
                                 "brk #0"                                                                              \
                                 :                                                                                     \
                                 : "r"(green__fn)                                                                      \
                                 : "x30", "memory");                                                                   \
        } while (0)

#endif
