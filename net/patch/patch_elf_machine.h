/*
 * Relocations that leave the address of a function in memory, by machine. A program calls through a jump slot or a
 * global data cell; a table of its own with functions of others in it has absolute ones.
 */
#ifndef GREEN_PATCH_ELF_MACHINE_H
#define GREEN_PATCH_ELF_MACHINE_H

#include <elf.h>

#if defined(__x86_64__)
#if defined(R_X86_64_JMP_SLOT)
#define ELF_JUMP_SLOT R_X86_64_JMP_SLOT /* FreeBSD's name of it */
#else
#define ELF_JUMP_SLOT R_X86_64_JUMP_SLOT
#endif
#define ELF_GLOB_DAT R_X86_64_GLOB_DAT
#if defined(__ILP32__)
#define ELF_ABSOLUTE R_X86_64_32
#else
#define ELF_ABSOLUTE R_X86_64_64
#endif
#elif defined(__aarch64__)
#define ELF_JUMP_SLOT R_AARCH64_JUMP_SLOT
#define ELF_GLOB_DAT R_AARCH64_GLOB_DAT
#define ELF_ABSOLUTE R_AARCH64_ABS64
#elif defined(__i386__)
#define ELF_JUMP_SLOT R_386_JMP_SLOT
#define ELF_GLOB_DAT R_386_GLOB_DAT
#define ELF_ABSOLUTE R_386_32
#elif defined(__arm__)
#define ELF_JUMP_SLOT R_ARM_JUMP_SLOT
#define ELF_GLOB_DAT R_ARM_GLOB_DAT
#define ELF_ABSOLUTE R_ARM_ABS32
#elif defined(__riscv) && __riscv_xlen == 64
#define ELF_JUMP_SLOT R_RISCV_JUMP_SLOT
#define ELF_GLOB_DAT R_RISCV_64
#define ELF_ABSOLUTE R_RISCV_64
#elif defined(__s390x__)
#define ELF_JUMP_SLOT R_390_JMP_SLOT
#define ELF_GLOB_DAT R_390_GLOB_DAT
#define ELF_ABSOLUTE R_390_64
#elif defined(__powerpc64__) && defined(_CALL_ELF) && _CALL_ELF == 2
#define ELF_JUMP_SLOT R_PPC64_JMP_SLOT
#define ELF_GLOB_DAT R_PPC64_GLOB_DAT
#define ELF_ABSOLUTE R_PPC64_ADDR64
#else
/* Not known here: green_monkey_patch() says -ENOTSUP. */
#define ELF_JUMP_SLOT 0
#define ELF_GLOB_DAT 0
#define ELF_ABSOLUTE 0
#endif

#endif
