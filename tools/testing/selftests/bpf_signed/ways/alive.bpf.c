// SPDX-License-Identifier: GPL-2.0
/*
 * Objects that are no longer, or never were, what their type says, and what is
 * in a register beside a number.
 */
#include "common.bpf.h"

/* ---- a number for a pointer to a struct of which a field is no secret ---- */

__weak int takes_listed(struct in6_addr *p __arg_untrusted)
{
	*(__u64 *)&io.bytes[0] = *(__u64 *)&p->in6_u.u6_addr8[0];
	*(__u64 *)&io.bytes[8] = *(__u64 *)&p->in6_u.u6_addr8[8];
	__sync_fetch_and_add(&io.hits, 1);
	return 0;
}

SEC("tc")
int arg_listed(struct __sk_buff *skb)
{
	takes_listed((struct in6_addr *)io.target);
	return 0;
}

/* ---- a program's own object, where nobody keeps it alive ----------------- */

struct word {
	__u64 x;
};

struct box {
	struct word *p;
	__u64 more;
};

struct late {
	struct bpf_wq wq;
	struct box __kptr *box;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct late);
} lates SEC(".maps");

static int follow(void *map, int *key, void *value)
{
	struct late *v = value;
	struct box *b = v->box;
	struct word *w;

	if (!b)
		return 0;
	w = b->p;
	*(__u64 *)&io.bytes[0] = w->x;
	w = (void *)w + 8;
	*(__u64 *)&io.bytes[8] = w->x;
	__sync_fetch_and_add(&io.hits, 1);
	return 0;
}

SEC("tc")
int kptr_in_callback(struct __sk_buff *skb)
{
	__u32 zero = 0;
	struct late *v = bpf_map_lookup_elem(&lates, &zero);
	struct box *b;

	if (!v)
		return 0;
	b = bpf_obj_new(bpf_core_type_id_local(struct box));
	if (!b)
		return 0;
	/* of a local object any field is a number that may be stored */
	*(__u64 *)&b->p = io.target;
	b = bpf_kptr_xchg(&v->box, b);
	if (b)
		bpf_obj_drop(b);
	if (bpf_wq_init(&v->wq, &lates, 0) || bpf_wq_set_callback(&v->wq, follow, 0))
		return 0;
	bpf_wq_start(&v->wq, 0);
	return 0;
}

/* ---- a program that may sleep between two steps -------------------------- */

SEC("lsm.s/file_open")
int BPF_PROG(walk_asleep, struct file *file)
{
	struct task_struct *t = bpf_get_current_task_btf();

	if (mine())
		tell(0, t->real_parent->tgid);
	return 0;
}

void bpf_rcu_read_lock(void) __ksym;
void bpf_rcu_read_unlock(void) __ksym;

SEC("lsm.s/file_open")
int BPF_PROG(walk_awake, struct file *file)
{
	struct task_struct *t = bpf_get_current_task_btf(), *parent;

	if (!mine())
		return 0;
	bpf_rcu_read_lock();
	parent = t->real_parent;
	if (parent)
		tell(0, parent->tgid);
	bpf_rcu_read_unlock();
	return 0;
}

/* What was found in one RCU section may be gone in the next. */
SEC("lsm.s/file_open")
int BPF_PROG(walk_again, struct file *file)
{
	struct task_struct *t = bpf_get_current_task_btf(), *parent;

	if (!mine())
		return 0;
	bpf_rcu_read_lock();
	parent = t->real_parent;
	bpf_rcu_read_unlock();
	bpf_rcu_read_lock();
	if (parent)
		tell(0, parent->tgid);
	bpf_rcu_read_unlock();
	return 0;
}

/* What a function was given, it may have freed when it returns. */
SEC("fexit/security_file_open")
int BPF_PROG(arg_at_exit, struct file *file)
{
	if (mine())
		tell(0, file->f_flags);
	return 0;
}

/* ---- a pointer that may be walked, for a function to copy ----------------- */

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} copies SEC(".maps");

SEC("tc")
int step_by_helper(struct __sk_buff *skb)
{
	struct task_struct *t = bpf_get_current_task_btf();
	struct bpf_dynptr d;
	__u32 zero = 0;
	__u64 *v = bpf_map_lookup_elem(&copies, &zero);

	if (!v || bpf_dynptr_from_mem(v, sizeof(*v), 0, &d))
		return 0;
	bpf_dynptr_write(&d, 0, &t->group_leader, sizeof(*v), 0);
	tell(0, *v);
	return 0;
}

/* ---- the rest of the register that a number is in ------------------------ */

SEC("fentry/bpf_wq_start")
int wide_argument(__u64 *ctx)
{
	/* the second argument is an unsigned int */
	if (in_kernel(ctx[1]))
		tell(0, ctx[1]);
	return 0;
}

/* Hands an address to it, in all of the register */
SEC("tc")
int with_wide_call(struct __sk_buff *skb)
{
	__u32 zero = 0;
	struct late *v = bpf_map_lookup_elem(&lates, &zero);

	if (!v)
		return 0;
	/* No compiler describes a function that is called in assembler alone. */
	bpf_wq_start(&v->wq, 0);
	asm volatile("r1 = %[wq];"
		     "r2 = %[wide];"
		     "call %[bpf_wq_start];"
		     :
		     : [wq] "r"(&v->wq), [wide] "r"(io.target),
		       [bpf_wq_start] "i"(bpf_wq_start)
		     : "r0", "r1", "r2", "r3", "r4", "r5", "memory");
	return 0;
}
