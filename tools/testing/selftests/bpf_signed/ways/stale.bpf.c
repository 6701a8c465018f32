// SPDX-License-Identifier: GPL-2.0
/* Memory that was somebody else's before, and was not cleared. */
#include "common.bpf.h"

#define STACK_BYTES 256

/* <asm-generic/socket.h> */
#define SOL_SOCKET 1
#define SO_MARK 36

/* ---- the stack --------------------------------------------------------- */

static __noinline int leave_pointers(void)
{
	__u64 slots[STACK_BYTES / 8];
	__u64 x = opaque(vault_value());
	int i;

#pragma unroll
	for (i = 0; i < STACK_BYTES / 8; i++)
		once(slots[i]) = x;
	asm volatile("" : : "r"(slots) : "memory");
	return 0;
}

static __noinline int pick_up(void)
{
	__u64 slots[STACK_BYTES / 8];
	__u64 x;

	asm volatile("%[x] = *(u64 *)(%[p] + 128);" : [x] "=r"(x) : [p] "r"(slots) : "memory");
	io.val[0] = x;
	return 0;
}

/* What an earlier call of a subprogram has left */
SEC("tc")
int stack_of_call(struct __sk_buff *skb)
{
	leave_pointers();
	return pick_up();
}

/* Likewise, but a helper reads it */
static __noinline int pick_up_by_helper(void)
{
	__u64 slots[STACK_BYTES / 8];
	struct bpf_dynptr ptr;

	bpf_dynptr_from_mem(&io.bytes, sizeof(io.bytes), 0, &ptr);
	asm volatile("" : "=m"(slots));
	bpf_dynptr_write(&ptr, 0, &slots[8], 64, 0);
	io.val[0] = *(__u64 *)&io.bytes[32];
	return 0;
}

SEC("tc")
int stack_of_call_by_helper(struct __sk_buff *skb)
{
	leave_pointers();
	return pick_up_by_helper();
}

/* What the kernel has left where the program's stack is now */
SEC("tc")
int stack_of_kernel(struct __sk_buff *skb)
{
	__u64 slots[60];
	int i;

	asm volatile("" : "=m"(slots));
#pragma unroll
	for (i = 0; i < 60; i++) {
		__u64 x = once(slots[i]);

		if (x > 0xff00000000000000 && x < 0xfffffffffffff000)
			io.val[0] = x;
	}
	return 0;
}

/* A dynptr that was overwritten in part is bytes again. */
SEC("tc")
int stack_of_dynptr(struct __sk_buff *skb)
{
	struct bpf_dynptr ptr;
	struct ways_vault *v = vault_value();
	__u64 x;

	if (!v)
		return 0;
	bpf_dynptr_from_mem(v, 64, 0, &ptr);
	asm volatile("*(u8 *)(%[p] + 15) = %[zero];"
		     "%[x] = *(u64 *)(%[p] + 0);"
		     : [x] "=&r"(x) : [p] "r"(&ptr), [zero] "r"(0) : "memory");
	io.val[0] = x;
	return 0;
}

/* Helpers that fail and leave alone what they were to fill in */
static __noinline int dynptr_read_fails(void)
{
	__u64 slots[STACK_BYTES / 8];
	struct bpf_dynptr ptr;

	bpf_dynptr_from_mem(&io.bytes, 8, 0, &ptr);
	bpf_dynptr_read(slots, sizeof(slots), &ptr, 0, 0);
	io.val[0] = slots[16];
	return 0;
}

SEC("tc")
int failed_dynptr_read(struct __sk_buff *skb)
{
	leave_pointers();
	return dynptr_read_fails();
}

static __noinline int dynptr_read_flags(void)
{
	__u64 slots[STACK_BYTES / 8];
	struct bpf_dynptr ptr;

	bpf_dynptr_from_mem(&io.bytes, sizeof(io.bytes), 0, &ptr);
	bpf_dynptr_read(slots, sizeof(slots), &ptr, 0, 1);
	io.val[0] = slots[16];
	return 0;
}

SEC("tc")
int failed_dynptr_read_flags(struct __sk_buff *skb)
{
	leave_pointers();
	return dynptr_read_flags();
}

static __noinline int load_bytes_fails(struct xdp_md *xdp)
{
	__u64 slots[STACK_BYTES / 8];

	bpf_xdp_load_bytes(xdp, 0xfff0, slots, sizeof(slots));
	io.val[0] = slots[16];
	return 0;
}

SEC("xdp")
int failed_xdp_load_bytes(struct xdp_md *xdp)
{
	leave_pointers();
	load_bytes_fails(xdp);
	return XDP_PASS;
}

static __noinline int copy_from_task_flags(void)
{
	__u64 slots[STACK_BYTES / 8];

	bpf_copy_from_user_task(slots, sizeof(slots), (void *)io.arg[0],
				bpf_get_current_task_btf(), 1);
	io.val[0] = slots[16];
	return 0;
}

SEC("syscall")
int failed_copy_from_task(void *ctx)
{
	leave_pointers();
	return copy_from_task_flags();
}

/* The socket of a time stamp is not locked, and has no options to tell. */
static __noinline int getsockopt_fails(struct bpf_sock_ops *ctx)
{
	__u64 slots[STACK_BYTES / 8];

	bpf_getsockopt(ctx, SOL_SOCKET, SO_MARK, slots, sizeof(slots));
	io.val[0] = slots[16];
	return 0;
}

SEC("sockops")
int failed_getsockopt(struct bpf_sock_ops *ctx)
{
	int flags = SK_BPF_CB_TX_TIMESTAMPING;

	if (ctx->op < BPF_SOCK_OPS_TSTAMP_SCHED_CB) {
		bpf_setsockopt(ctx, SOL_SOCKET, SK_BPF_CB_FLAGS, &flags, sizeof(flags));
		return PASS;
	}
	leave_pointers();
	getsockopt_fails(ctx);
	return PASS;
}

/* These clear what they cannot fill, and have to go on doing so. */
static __noinline int skb_load_bytes_fails(struct __sk_buff *skb)
{
	__u64 slots[STACK_BYTES / 8];

	bpf_skb_load_bytes(skb, 0xfff0, slots, sizeof(slots));
	io.val[0] = slots[16];
	return 0;
}

SEC("tc")
int cleared_skb_load_bytes(struct __sk_buff *skb)
{
	leave_pointers();
	skb_load_bytes_fails(skb);
	__sync_fetch_and_add(&io.hits, 1);
	return 0;
}

/* ---- allocated objects ------------------------------------------------- */

struct listed {
	__u64 pad[2];
	struct bpf_list_node node;
	__u64 more[4];
};

struct sorted {
	__u64 pad[2];
	struct bpf_rb_node node;
	__u64 more[4];
};

/* of the same sizes, without a field that the kernel would set up */
struct plain_listed {
	__u64 words[sizeof(struct listed) / 8];
};

struct plain_sorted {
	__u64 words[sizeof(struct sorted) / 8];
};

#define __contains(name, node) __attribute__((btf_decl_tag("contains:" #name ":" #node)))
#define obj_new(type) ((type *)bpf_obj_new(bpf_core_type_id_local(type)))

SEC(".bss.A") __hidden struct bpf_spin_lock lock;
SEC(".bss.A") __hidden struct bpf_list_head head __contains(listed, node);
SEC(".bss.A") __hidden struct bpf_rb_root root __contains(sorted, node);

static __always_inline void address_among(__u64 *words, int cnt)
{
	int i;

#pragma unroll
	for (i = 0; i < cnt; i++)
		if (words[i] > 0xff00000000000000 && words[i] < 0xfffffffffffff000)
			io.val[0] = words[i];
}

/* A node that is taken off a list keeps its own address in itself. */
SEC("tc")
int object_of_list(struct __sk_buff *skb)
{
	struct bpf_list_node *n;
	struct plain_listed *q;
	struct listed *p;

	p = obj_new(struct listed);
	if (!p)
		return 0;
	bpf_spin_lock(&lock);
	bpf_list_push_front(&head, &p->node);
	n = bpf_list_pop_front(&head);
	bpf_spin_unlock(&lock);
	if (!n)
		return 0;
	p = container_of(n, struct listed, node);
	bpf_obj_drop(p);
	q = obj_new(struct plain_listed);
	if (!q)
		return 0;
	address_among(q->words, ARRAY_SIZE(q->words));
	bpf_obj_drop(q);
	return 0;
}

static bool less(struct bpf_rb_node *a, const struct bpf_rb_node *b)
{
	return false;
}

SEC("tc")
int object_of_rbtree(struct __sk_buff *skb)
{
	struct plain_sorted *q;
	struct bpf_rb_node *n;
	struct sorted *p;

	p = obj_new(struct sorted);
	if (!p)
		return 0;
	bpf_spin_lock(&lock);
	bpf_rbtree_add(&root, &p->node, less);
	n = bpf_rbtree_first(&root);
	if (!n) {
		bpf_spin_unlock(&lock);
		return 0;
	}
	n = bpf_rbtree_remove(&root, n);
	bpf_spin_unlock(&lock);
	if (!n)
		return 0;
	p = container_of(n, struct sorted, node);
	bpf_obj_drop(p);
	q = obj_new(struct plain_sorted);
	if (!q)
		return 0;
	address_among(q->words, ARRAY_SIZE(q->words));
	bpf_obj_drop(q);
	return 0;
}

/* The same with an object that holds a pointer of the program's own */
struct kept {
	__u64 words[8];
};

SEC("tc")
int object_store(struct __sk_buff *skb)
{
	struct kept *p = obj_new(struct kept);

	if (!p)
		return 0;
	once(p->words[3]) = opaque(vault_value());
	io.val[0] = once(p->words[3]);
	bpf_obj_drop(p);
	return 0;
}

/* ---- packets ----------------------------------------------------------- */

static __always_inline bool nonzero(void *data, void *end, int cnt)
{
	__u64 *p = data, any = 0;
	int i;

	if ((void *)(p + cnt) > end)
		return false;
#pragma unroll
	for (i = 0; i < 8; i++) {
		if (i >= cnt)
			break;
		any |= p[i];
		if (p[i])
			__builtin_memcpy(&io.bytes[i * 8], &p[i], 8);
	}
	return any;
}

/* Room before the packet, which nobody has cleared */
SEC("xdp")
int headroom(struct xdp_md *xdp)
{
	if (bpf_xdp_adjust_head(xdp, -64))
		return XDP_DROP;
	if (nonzero((void *)(long)xdp->data, (void *)(long)xdp->data_end, 8))
		__sync_fetch_and_add(&io.hits, 1);
	bpf_xdp_adjust_head(xdp, 64);
	return XDP_PASS;
}

SEC("xdp")
int headroom_meta(struct xdp_md *xdp)
{
	if (bpf_xdp_adjust_meta(xdp, -32))
		return XDP_DROP;
	if (nonzero((void *)(long)xdp->data_meta, (void *)(long)xdp->data, 4))
		__sync_fetch_and_add(&io.hits, 1);
	return XDP_PASS;
}
