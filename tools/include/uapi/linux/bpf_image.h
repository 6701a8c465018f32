/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * Relocation-free, signable form of one BPF program.
 *
 * An image holds everything that decides what a program does. It is made and
 * signed once, on a build host, and handed unchanged to BPF_PROG_LOAD in
 * bpf_attr::image beside a detached PKCS#7 signature over all of its bytes.
 * The kernel rewrites the program (maps, CO-RE, kfuncs, ksyms, attach target)
 * after it has verified the signature.
 *
 * See Documentation/bpf/signed_image.rst for the rules and their reasons.
 */
#ifndef _UAPI__LINUX_BPF_IMAGE_H__
#define _UAPI__LINUX_BPF_IMAGE_H__

#include <linux/types.h>

/*
 * In memory the first byte is 0xff in either byte order. No BPF instruction
 * begins with that opcode, and neither does an ELF file, so that no image can
 * pass for one of the other payloads that the same keys sign.
 */
#define BPF_IMAGE_MAGIC			0xff4250ffU
#define BPF_IMAGE_VERSION		1

/* Length of each digest in an image: SHA-256. */
#define BPF_IMAGE_DIGEST_SIZE		32

/* Bounds that hold before any memory is taken; an excess is E2BIG. */
#define BPF_IMAGE_MAX_SIZE		(16U << 20)	/* bytes, the whole image */
#define BPF_IMAGE_MAX_SIGNATURE		(16U << 10)	/* bytes, the PKCS#7 blob */
#define BPF_IMAGE_MAX_MAPS		64		/* map slots */
#define BPF_IMAGE_MAX_TUNABLES		16384		/* tunable ranges */
#define BPF_IMAGE_MAX_KSYMS		16384		/* kfunc and ksym records */
#define BPF_IMAGE_MAX_ATTACH		4096		/* attach targets */
#define BPF_IMAGE_MAX_CORE_RELOS	65536		/* CO-RE records */
#define BPF_IMAGE_MAX_EVENTS		4096		/* events */
#define BPF_IMAGE_MAX_NAME		4096		/* bytes of a name, with its NUL */

/**
 * struct bpf_image_hdr - first bytes of an image, in native byte order
 * @magic: %BPF_IMAGE_MAGIC; reads back reversed where the byte order differs
 * @version: %BPF_IMAGE_VERSION
 * @size: length of the whole image in bytes, the same as bpf_attr::image_size
 * @flags: none is defined, must be zero
 * @section_cnt: number of struct bpf_image_section that follow the header
 * @prog_type: enum bpf_prog_type
 * @expected_attach_type: enum bpf_attach_type; zero for struct_ops, whose
 *	member is named in %BPF_IMAGE_ATTACH
 * @prog_flags: BPF_F_* of BPF_PROG_LOAD, less those that name an fd
 * @license: offset into %BPF_IMAGE_STRINGS
 * @reserved: must be zero
 * @name: program name, NUL-padded; the last byte is NUL
 */
struct bpf_image_hdr {
	__u32	magic;
	__u32	version;
	__u32	size;
	__u32	flags;
	__u32	section_cnt;
	__u32	prog_type;
	__u32	expected_attach_type;
	__u32	prog_flags;
	__u32	license;
	__u32	reserved;
	char	name[16];
};

/*
 * Section types. Each stands at most once, in ascending order. A type that
 * the kernel does not know is refused.
 */
enum bpf_image_section_type {
	BPF_IMAGE_STRINGS = 1,	/* required; begins and ends with a NUL */
	BPF_IMAGE_INSNS,	/* required; struct bpf_insn */
	BPF_IMAGE_BTF,		/* one struct bpf_image_btf */
	BPF_IMAGE_FUNC_INFO,	/* struct bpf_func_info, needs BTF */
	BPF_IMAGE_LINE_INFO,	/* struct bpf_line_info, needs BTF */
	BPF_IMAGE_CORE_RELO,	/* struct bpf_core_relo, needs BTF */
	BPF_IMAGE_MAPS,		/* struct bpf_image_map: slot 0, 1, ... */
	BPF_IMAGE_TUNABLES,	/* struct bpf_image_tunable, needs MAPS */
	BPF_IMAGE_KSYMS,	/* struct bpf_image_ksym */
	BPF_IMAGE_ATTACH,	/* struct bpf_image_attach */
	BPF_IMAGE_LOCKDOWN,	/* struct bpf_image_lockdown */
	BPF_IMAGE_EVENTS,	/* struct bpf_image_event */
};

/**
 * struct bpf_image_section - one entry of the section table
 * @type: enum bpf_image_section_type
 * @rec_size: size of one record; 1 for %BPF_IMAGE_STRINGS
 * @off: offset from the start of the image, 8-byte aligned: the first section
 *	begins where the table ends, each other one where its predecessor
 *	ends, rounded up to 8 with zero bytes
 * @len: length in bytes, a non-zero multiple of @rec_size; the last section
 *	ends where the image ends
 */
struct bpf_image_section {
	__u32	type;
	__u32	rec_size;
	__u32	off;
	__u32	len;
};

/**
 * struct bpf_image_btf - the BTF that the other records refer to
 * @digest: SHA-256 of the blob that was given to BPF_BTF_LOAD
 */
struct bpf_image_btf {
	__u8	digest[BPF_IMAGE_DIGEST_SIZE];
};

/* bpf_image_map::flags */
enum {
	/* max_entries is part of what was signed */
	BPF_IMAGE_MAP_FIXED_ENTRIES	= 1U << 0,
	/* value_size is the loader's choice */
	BPF_IMAGE_MAP_FREE_VALUE_SIZE	= 1U << 1,
	/* the contents, less the tunable ranges, must have this digest */
	BPF_IMAGE_MAP_FIXED_CONTENTS	= 1U << 2,
};

/**
 * struct bpf_image_map - what a map has to be to serve in a slot
 * @name: offset into %BPF_IMAGE_STRINGS: the name in the object file, for
 *	loaders and messages; the kernel does not compare it
 * @type: enum bpf_map_type; %BPF_MAP_TYPE_INSN_ARRAY is refused, as its contents
 *	are instructions that nothing signs
 * @key_size: bytes
 * @value_size: bytes; not compared with %BPF_IMAGE_MAP_FREE_VALUE_SIZE
 * @max_entries: compared only with %BPF_IMAGE_MAP_FIXED_ENTRIES
 * @map_flags: BPF_F_* of BPF_MAP_CREATE, less those that name an fd or a node
 * @flags: BPF_IMAGE_MAP_*
 * @btf_key_type_id: type of the key in the image's BTF, or zero
 * @btf_value_type_id: type of the value in the image's BTF, or zero; compared
 *	where the value has fields that the verifier treats specially
 * @inner_type: enum bpf_map_type of the maps in a map of maps, or zero
 * @inner_key_size: bytes
 * @inner_value_size: bytes
 * @inner_map_flags: as @map_flags
 * @reserved: must be zero
 * @map_extra: as given to BPF_MAP_CREATE; not compared where it is an address
 * @digest: with %BPF_IMAGE_MAP_FIXED_CONTENTS, SHA-256 of the value in which
 *	the tunable ranges are zero; else zero. Such a slot is a frozen array
 *	of one element with %BPF_F_RDONLY_PROG
 *
 * An instruction names its map by slot: %BPF_PSEUDO_MAP_IDX or
 * %BPF_PSEUDO_MAP_IDX_VALUE with the slot in insn[0].imm. At load time
 * bpf_attr::fd_array has one fd for each slot, and fd_array_cnt of them. An fd
 * of -1 leaves its slot empty: instructions that refer to it are replaced by a
 * call of helper 2001000000 + slot, which the verifier refuses if it gets there.
 */
struct bpf_image_map {
	__u32	name;
	__u32	type;
	__u32	key_size;
	__u32	value_size;
	__u32	max_entries;
	__u32	map_flags;
	__u32	flags;
	__u32	btf_key_type_id;
	__u32	btf_value_type_id;
	__u32	inner_type;
	__u32	inner_key_size;
	__u32	inner_value_size;
	__u32	inner_map_flags;
	__u32	reserved;
	__u64	map_extra;
	__u8	digest[BPF_IMAGE_DIGEST_SIZE];
};

/**
 * struct bpf_image_tunable - bytes of read-only data that a loader may choose
 * @map: slot, which has %BPF_IMAGE_MAP_FIXED_CONTENTS
 * @off: offset into the value, bytes
 * @len: non-zero, bytes
 * @name: offset into %BPF_IMAGE_STRINGS: the variable
 *
 * Sorted by @map and @off, without overlap.
 */
struct bpf_image_tunable {
	__u32	map;
	__u32	off;
	__u32	len;
	__u32	name;
};

/* bpf_image_ksym::kind, and the instruction that it belongs to */
enum bpf_image_ksym_kind {
	/* call, %BPF_PSEUDO_KFUNC_CALL, imm and off zero */
	BPF_IMAGE_KSYM_KFUNC = 1,
	/* ld_imm64 of a kfunc's or typed variable's BTF id, all imm zero */
	BPF_IMAGE_KSYM_TYPED,
	/* ld_imm64 of an address from kallsyms, all imm zero */
	BPF_IMAGE_KSYM_UNTYPED,
};

/* bpf_image_ksym::flags */
enum {
	/* a name that this kernel does not have is null; calls are poisoned */
	BPF_IMAGE_KSYM_WEAK	= 1U << 0,
};

/**
 * struct bpf_image_ksym - a name that the kernel resolves
 * @insn: index of the instruction, ascending over the records
 * @kind: enum bpf_image_ksym_kind
 * @name: offset into %BPF_IMAGE_STRINGS, without flavour
 * @type_id: FUNC, or the type of a variable, in the image's BTF with which the
 *	kernel's has to be compatible, or zero; needs %BPF_IMAGE_FUNC_INFO
 * @flags: BPF_IMAGE_KSYM_*
 * @reserved: must be zero
 */
struct bpf_image_ksym {
	__u32	insn;
	__u32	kind;
	__u32	name;
	__u32	type_id;
	__u32	flags;
	__u32	reserved;
};

/* bpf_image_attach::flags */
enum {
	/* name is a pattern with '*' and '?' */
	BPF_IMAGE_ATTACH_GLOB	= 1U << 0,
	/* the target is a function of the program in bpf_attr::attach_prog_fd */
	BPF_IMAGE_ATTACH_PROG	= 1U << 1,
};

/**
 * struct bpf_image_attach - a target that the program may be bound to
 * @name: offset into %BPF_IMAGE_STRINGS. For fentry, fexit, fmod_ret and
 *	freplace a function, for tp_btf a tracepoint, for LSM a hook, for
 *	iterators a kind, each without the prefix that BTF has it under; for
 *	struct_ops the type; behind the name of a module and a colon, if it is
 *	not to be sought everywhere
 * @member: offset into %BPF_IMAGE_STRINGS: for struct_ops the member, else zero
 * @flags: BPF_IMAGE_ATTACH_*
 * @reserved: must be zero
 *
 * The first record is the default, unless it is a pattern. With
 * bpf_attr::attach_name a loader chooses any name that one record allows.
 */
struct bpf_image_attach {
	__u32	name;
	__u32	member;
	__u32	flags;
	__u32	reserved;
};

/* bpf_image_lockdown::mode: how far the kernel is locked down */
enum bpf_lockdown_mode {
	BPF_LOCKDOWN_INTEGRITY		= 1,
	BPF_LOCKDOWN_CONFIDENTIALITY	= 2,
};

/*
 * bpf_image_lockdown::classes: what a program does beyond its own context,
 * stack and maps, and beyond what its type is there to change.
 */
enum bpf_lockdown_class {
	/* reads memory of user space */
	BPF_LOCKDOWN_USER_READ		= 1U << 0,
	/* writes memory of user space */
	BPF_LOCKDOWN_USER_WRITE		= 1U << 1,
	/* changes what others do: signals, return values, tasks, cgroups */
	BPF_LOCKDOWN_CONTROL		= 1U << 2,
	/* reads kernel memory */
	BPF_LOCKDOWN_KERNEL_READ	= 1U << 3,
	/* learns kernel addresses */
	BPF_LOCKDOWN_KERNEL_ADDRESS	= 1U << 4,
	/* holds pointers to kernel objects, and reads the fields that are no secret */
	BPF_LOCKDOWN_FIELDS		= 1U << 5,
	/* loads programs and maps, as a light skeleton does */
	BPF_LOCKDOWN_LOADER		= 1U << 6,

	/* a new class goes before these: what follows the last, and all of them */
	__BPF_LOCKDOWN_AFTER_LAST,
	BPF_LOCKDOWN_CLASSES		= 2 * (__BPF_LOCKDOWN_AFTER_LAST - 1) - 1,
};

/* bpf_image_lockdown::flags */
enum {
	/* the program must not be loaded in that mode */
	BPF_IMAGE_LOCKDOWN_FORBID	= 1U << 0,
};

/**
 * struct bpf_image_lockdown - what the program needs in one mode of lockdown
 * @mode: enum bpf_lockdown_mode, ascending over the records
 * @flags: BPF_IMAGE_LOCKDOWN_*
 * @classes: enum bpf_lockdown_class, those that it needs; zero with
 *	%BPF_IMAGE_LOCKDOWN_FORBID
 * @reserved: must be zero
 *
 * A record narrows what the mode would allow. It may ask for a class that the
 * mode refuses, and gets it if the kernel's ceiling grants that. Without a
 * record the program needs every class for integrity, none for confidentiality.
 */
struct bpf_image_lockdown {
	__u32	mode;
	__u32	flags;
	__u32	classes;
	__u32	reserved;
};

/* bpf_image_event::kind, and what the name is */
enum bpf_image_event_kind {
	/*
	 * [MODULE:]FUNCTION[+OFFSET], also for kprobe.multi; a kprobe.session
	 * program is at both. Without an offset it is the function's entry.
	 */
	BPF_IMAGE_EVENT_KPROBE = 1,
	BPF_IMAGE_EVENT_KRETPROBE,
	/* the file; also for uprobe.multi */
	BPF_IMAGE_EVENT_UPROBE,
	BPF_IMAGE_EVENT_URETPROBE,
	BPF_IMAGE_EVENT_USDT,
	/* CATEGORY/NAME; "dynamic:" and that for what user space has defined */
	BPF_IMAGE_EVENT_TRACEPOINT,
	/* NAME */
	BPF_IMAGE_EVENT_RAW_TP,
	/*
	 * TYPE:CONFIG of perf_event_open(2), the type being hardware, software,
	 * hw-cache, raw, or the name of the PMU, and the config a number after
	 * 0x; or breakpoint:ADDRESS
	 */
	BPF_IMAGE_EVENT_PERF,
};

/* bpf_image_event::flags */
enum {
	/* name is a pattern with '*' and '?' */
	BPF_IMAGE_EVENT_GLOB	= 1U << 0,
};

/**
 * struct bpf_image_event - an event that the program may be attached to
 * @kind: enum bpf_image_event_kind, one that the program's type can have
 * @name: offset into %BPF_IMAGE_STRINGS
 * @symbol: offset into %BPF_IMAGE_STRINGS, or zero: for uprobes the place in the
 *	file. As a number after 0x it is an offset, and is compared. Otherwise
 *	it is FUNCTION[+OFFSET], for USDT PROVIDER:NAME, for loaders and
 *	messages: the kernel reads no symbols of files
 * @flags: BPF_IMAGE_EVENT_*
 *
 * A program for kprobes, uprobes, USDT, tracepoints, raw tracepoints or perf
 * events is attached to nothing but what one of its records allows. Programs of
 * other types have none.
 *
 * The name of a file is the absolute path by which init finds it; or, without a
 * slash in front, the end of the file's path. A pattern is for the file's path.
 * In the pattern for a function, "+*" is any offset.
 */
struct bpf_image_event {
	__u32	kind;
	__u32	name;
	__u32	symbol;
	__u32	flags;
};

#endif /* _UAPI__LINUX_BPF_IMAGE_H__ */
