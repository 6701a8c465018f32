/* SPDX-License-Identifier: GPL-2.0 */
/*
 * CO-RE relocation in Rust: kernel/bpf/signed/core_relo.rs, and what it wants
 * to know of BTF.
 */
#ifndef _LINUX_BPF_CORE_RELO_H
#define _LINUX_BPF_CORE_RELO_H

#include <linux/errno.h>
#include <linux/types.h>

struct bpf_core_relo;
struct bpf_insn;
struct bpf_verifier_log;
struct btf;
struct btf_type;

/*
 * CO-RE records that a program may have. Of those programs that are known, the
 * largest have a few thousand.
 */
#define BPF_CORE_RELO_MAX	65536U

/*
 * How deeply types may nest that are compared as wholes: as in the kernel's C
 * engine (MAX_TYPES_MATCH_DEPTH); and, for the records of an image, as in libbpf,
 * which would have relocated the program if it were none.
 */
#define BPF_CORE_RELO_LEVELS		2U
#define BPF_CORE_RELO_LEVELS_IMAGE	32U

/**
 * struct btf_view - how type data lies in memory
 * @records: the type section, @records_len bytes
 * @types: address of each record in it, @nr_types of them; the first one of
 *	BTF without a base stands for void and lies elsewhere
 * @strings: the string section, @strings_len bytes
 * @base: BTF that this one continues, or NULL
 * @records_len: bytes
 * @nr_types: types that are not those of @base
 * @strings_len: bytes
 * @start_id: id of the first one of @types
 * @start_str_off: offset of the first one of @strings
 * @named_start_id: first type that has a name if types are sorted by name, or 0
 *
 * All of it lives as long as the BTF and never changes.
 */
struct btf_view {
	const void *records;
	const struct btf_type *const *types;
	const char *strings;
	const struct btf *base;
	u32 records_len;
	u32 nr_types;
	u32 strings_len;
	u32 start_id;
	u32 start_str_off;
	u32 named_start_id;
};

void btf_get_view(const struct btf *btf, struct btf_view *view);
struct btf *btf_next_module(int *id);

/* Is this member of this struct, or a type of this name, on a list? */
typedef bool (*bpf_btf_member_listed_t)(const char *strct, size_t strct_len,
					const char *member, size_t member_len);
typedef bool (*bpf_btf_name_listed_t)(const char *name, size_t len);

#ifdef CONFIG_BPF_SIGNED_IMAGE
bool bpf_btf_covers(const struct btf *btf, u32 id, u32 off, u32 size,
		    bpf_btf_member_listed_t listed);
u32 bpf_btf_plain_scalar(const struct btf *btf, u32 id, bpf_btf_name_listed_t listed);
int bpf_core_relocate(struct bpf_verifier_log *log, const struct btf *btf,
		      struct bpf_insn *insns, u32 insn_cnt,
		      const struct bpf_core_relo *relos, u32 cnt, u32 levels);
#else
static inline int bpf_core_relocate(struct bpf_verifier_log *log,
				    const struct btf *btf,
				    struct bpf_insn *insns, u32 insn_cnt,
				    const struct bpf_core_relo *relos, u32 cnt,
				    u32 levels)
{
	return -EOPNOTSUPP;
}
#endif

#endif /* _LINUX_BPF_CORE_RELO_H */
