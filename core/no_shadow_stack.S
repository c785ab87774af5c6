/*
 * A program is run with a shadow stack if each of its objects says that it can be. green-net moves the stack pointer
 * by itself, which a shadow stack does not survive: so this object, which is part of every program that links it, says
 * that it can be run with checked indirect jumps (IBT), and nothing of shadow stacks. The compiler would mark every
 * object of C with both under -fcf-protection.
 */
#if defined(__x86_64__) && defined(__linux__)
        .section .rodata
        .globl  green__no_shadow_stack
        .hidden green__no_shadow_stack
        .type   green__no_shadow_stack, @object
        .size   green__no_shadow_stack, 1
green__no_shadow_stack:
        .byte   0

        .section .note.gnu.property, "a"
        .balign 8
        .long   4               /* length of the name */
        .long   16              /* length of what follows it */
        .long   5               /* NT_GNU_PROPERTY_TYPE_0 */
        .asciz  "GNU"
        .long   0xc0000002      /* GNU_PROPERTY_X86_FEATURE_1_AND */
        .long   4
        .long   1               /* GNU_PROPERTY_X86_FEATURE_1_IBT */
        .long   0
#endif
#if defined(__ELF__)
        .section .note.GNU-stack, "", %progbits
#endif
