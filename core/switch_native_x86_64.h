/*
 * The method "native" on x86-64, System V calling convention. See switch_native.h.
 *
 * The resume label carries ENDBR64, since it is reached by an indirect jump. The x87 control word and MXCSR stay as
 * they are. Functions these are inlined into must not have variable-length arrays or overaligned locals: clang keeps
 * the base of such frames in rbx.
 */
#ifndef GREEN_SWITCH_NATIVE_X86_64_H
#define GREEN_SWITCH_NATIVE_X86_64_H

#ifdef __AVX512F__
#define GREEN__CLOBBER_AVX512                                                                                          \
        , "xmm16", "xmm17", "xmm18", "xmm19", "xmm20", "xmm21", "xmm22", "xmm23", "xmm24", "xmm25", "xmm26", "xmm27",  \
                "xmm28", "xmm29", "xmm30", "xmm31", "k0", "k1", "k2", "k3", "k4", "k5", "k6", "k7"
#else
#define GREEN__CLOBBER_AVX512
#endif

#ifdef __APX_F__
#define GREEN__CLOBBER_APX                                                                                             \
        , "r16", "r17", "r18", "r19", "r20", "r21", "r22", "r23", "r24", "r25", "r26", "r27", "r28", "r29", "r30",     \
                "r31"
#else
#define GREEN__CLOBBER_APX
#endif

/* All but rsp and rbp, which are saved, and rdi and rsi, which are operands and named as changed. */
#define GREEN__CLOBBERS                                                                                                \
        "rax", "rbx", "rcx", "rdx", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "xmm0", "xmm1", "xmm2",      \
                "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14",   \
                "xmm15", "mm0", "mm1", "mm2", "mm3", "mm4", "mm5", "mm6", "mm7", "st", "st(1)", "st(2)", "st(3)",      \
                "st(4)", "st(5)", "st(6)", "st(7)", "cc", "memory" GREEN__CLOBBER_AVX512 GREEN__CLOBBER_APX

#define GREEN__NATIVE_SWITCH(from, to)                                                                                 \
        do {                                                                                                           \
                void *green__from = (from), *green__to = (to);                                                         \
                __asm__ volatile("leaq 1f(%%rip), %%rax\n\t"                                                           \
                                 "movq %%rsp, (%%rdi)\n\t"                                                             \
                                 "movq %%rbp, 8(%%rdi)\n\t"                                                            \
                                 "movq %%rax, 16(%%rdi)\n\t"                                                           \
                                 "movq (%%rsi), %%rsp\n\t"                                                             \
                                 "movq 8(%%rsi), %%rbp\n\t"                                                            \
                                 "jmpq *16(%%rsi)\n"                                                                   \
                                 "1:\n\t"                                                                              \
                                 "endbr64"                                                                             \
                                 : "+D"(green__from), "+S"(green__to)                                                  \
                                 :                                                                                     \
                                 : GREEN__CLOBBERS);                                                                   \
        } while (0)

#define GREEN__NATIVE_JUMP(to)                                                                                         \
        __asm__ volatile("movq (%[to]), %%rsp\n\t"                                                                     \
                         "movq 8(%[to]), %%rbp\n\t"                                                                    \
                         "jmpq *16(%[to])"                                                                             \
                         :                                                                                             \
                         : [to] "a"(to)                                                                                \
                         : "memory")

#define GREEN__NATIVE_SAVE(ctx, again)                                                                                 \
        do {                                                                                                           \
                void *green__from = (ctx);                                                                             \
                __asm__ volatile("leaq 1f(%%rip), %%rsi\n\t"                                                           \
                                 "movq %%rsp, (%%rdi)\n\t"                                                             \
                                 "movq %%rbp, 8(%%rdi)\n\t"                                                            \
                                 "movq %%rsi, 16(%%rdi)\n\t"                                                           \
                                 "xorl %%esi, %%esi\n\t"                                                               \
                                 "jmp 2f\n"                                                                            \
                                 "1:\n\t"                                                                              \
                                 "endbr64\n\t"                                                                         \
                                 "movl $1, %%esi\n"                                                                    \
                                 "2:"                                                                                  \
                                 : "+D"(green__from), "=&S"(again)                                                     \
                                 :                                                                                     \
                                 : GREEN__CLOBBERS);                                                                   \
        } while (0)

#define GREEN__NATIVE_ENTER(fn)                                                                                        \
        __asm__ volatile("leaq 1f(%%rip), %%rcx\n\t"                                                                   \
                         "andq $-16, %%rsp\n\t"                                                                        \
                         "pushq %%rcx\n\t"                                                                             \
                         "jmpq *%%rax\n"                                                                               \
                         "1:\n\t"                                                                                      \
                         "ud2"                                                                                         \
                         :                                                                                             \
                         : "a"(fn)                                                                                     \
                         : "rcx", "memory")

#endif
