// SPDX-License-Identifier: GPL-2.0
/*
 * libbpf's own relocation, for comparison. Links with the library of the tree
 * that LINUX= names.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <linux/err.h>
#include <bpf.h>
#include <btf.h>
#include <libbpf.h>
#include <libbpf_internal.h>

static int silent(enum libbpf_print_level level, const char *fmt, va_list args)
{
	return 0;
}

struct btf *reference_btf(const void *data, __u32 size, struct btf *base)
{
	struct btf *btf;

	libbpf_set_print(silent);
	btf = base ? btf__new_split(data, size, base) : btf__new(data, size);
	if (libbpf_get_error(btf))
		return NULL;
	/* or it would be guessed from the size of what is called "long" */
	btf__set_pointer_size(btf, 8);
	return btf;
}

/* Gives type n the id map[n]. The result is valid as long as @btf. */
const void *reference_permute(struct btf *btf, __u32 *map, __u32 cnt, __u32 *size)
{
	if (btf__permute(btf, map, cnt, NULL))
		return NULL;
	return btf__raw_data(btf, size);
}

/* As bpf_core_resolve_relo() and what calls it. */
int reference_relocate(const struct btf *local, const struct btf *vmlinux,
		       const struct btf *module, const struct bpf_core_relo *relo,
		       struct bpf_insn *insn)
{
	struct bpf_core_spec specs[3] = {};
	struct bpf_core_cand_list cands = {};
	struct bpf_core_cand local_cand = {};
	struct bpf_core_relo_res res = {};
	const struct btf_type *t;
	size_t essent_len;
	const char *name;
	int err;

	t = btf__type_by_id(local, relo->type_id);
	if (!t)
		return -EINVAL;
	name = btf__name_by_offset(local, t->name_off);
	if (!name)
		return -EINVAL;
	if (relo->kind != BPF_CORE_TYPE_ID_LOCAL) {
		if (!name[0])
			return -EINVAL;
		local_cand.btf = local;
		local_cand.id = relo->type_id;
		essent_len = bpf_core_essential_name_len(name);
		err = bpf_core_add_cands(&local_cand, essent_len, vmlinux, "vmlinux", 1, &cands);
		if (!err && !cands.len && module)
			err = bpf_core_add_cands(&local_cand, essent_len, module, "module",
						 btf__type_cnt(vmlinux), &cands);
		if (err)
			goto out;
	}
	err = bpf_core_calc_relo_insn("reference", relo, 0, local, &cands, specs, &res);
	if (!err)
		err = bpf_core_patch_insn("reference", insn, relo->insn_off / 8, relo, 0, &res);
out:
	free(cands.cands);
	return err;
}
