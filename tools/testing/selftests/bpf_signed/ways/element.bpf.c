// SPDX-License-Identifier: GPL-2.0
/*
 * Iterators over the elements of a map show the value as it lies there, with
 * the fields that only the kernel may look into.
 */
#include "common.bpf.h"

struct kept {
	__u64 words[8];
};

struct value {
	struct kept __kptr *p;
	__u64 more;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct value);
} elements SEC(".maps");

static __always_inline struct value *element(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&elements, &zero);
}

static __always_inline bool fill(struct value *v)
{
	struct kept *p = bpf_obj_new(bpf_core_type_id_local(struct kept));

	if (!p)
		return false;
	p = bpf_kptr_xchg(&v->p, p);
	if (p)
		bpf_obj_drop(p);
	return true;
}

SEC("iter/bpf_map_elem")
int kptr(struct bpf_iter__bpf_map_elem *ctx)
{
	__u64 *raw = ctx->value;
	struct value *v = element();

	if (!raw || !v || !fill(v))
		return 0;
	tell(0, *raw);
	return 0;
}

/* ... and lets it be written: a pointer to anywhere, which is then followed */
SEC("iter/bpf_map_elem")
int kptr_forged(struct bpf_iter__bpf_map_elem *ctx)
{
	__u64 *raw = ctx->value, saved;
	struct value *v = element();
	struct kept *p;
	int i;

	if (!raw || !v || !fill(v))
		return 0;
	saved = *raw;
	*raw = io.target;
	p = bpf_kptr_xchg(&v->p, NULL);
	if (!p)
		return 0;
#pragma unroll
	for (i = 0; i < 4; i++)
		*(__u64 *)&io.bytes[i * 8] = p->words[i];
	p = bpf_kptr_xchg(&v->p, p);
	if (p)
		bpf_obj_drop(p);
	*raw = saved;
	__sync_fetch_and_add(&io.hits, 1);
	return 0;
}

/* A pointer, stored to a value that is shown */
SEC("iter/bpf_map_elem")
int store(struct bpf_iter__bpf_map_elem *ctx)
{
	__u64 *raw = ctx->value;

	if (!raw)
		return 0;
	once(raw[1]) = opaque(vault_value());
	tell(0, once(raw[1]));
	return 0;
}
