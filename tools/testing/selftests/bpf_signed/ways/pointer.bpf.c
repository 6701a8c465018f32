// SPDX-License-Identifier: GPL-2.0
/*
 * Pointers that a program has by right, handed out as numbers. All in types of
 * program that watch nothing.
 */
#include "common.bpf.h"

/* ---- to a map ---------------------------------------------------------- */

SEC("tc")
int map_ctx(struct __sk_buff *skb)
{
	tell(0, skb);
	return 0;
}

SEC("tc")
int map_stack(struct __sk_buff *skb)
{
	__u64 x = 0;

	tell(0, &x);
	return x;
}

SEC("tc")
int map_value(struct __sk_buff *skb)
{
	tell(0, vault_value());
	return 0;
}

SEC("tc")
int map_pointer(struct __sk_buff *skb)
{
	tell(0, &vault);
	return 0;
}

SEC("tc")
int map_packet(struct __sk_buff *skb)
{
	tell(0, (void *)(long)skb->data);
	return 0;
}

SEC("tc")
int map_packet_end(struct __sk_buff *skb)
{
	tell(0, (void *)(long)skb->data_end);
	return 0;
}

SEC("xdp")
int map_packet_xdp(struct xdp_md *xdp)
{
	tell(0, (void *)(long)xdp->data);
	return XDP_PASS;
}

SEC("xdp")
int map_packet_meta(struct xdp_md *xdp)
{
	tell(0, (void *)(long)xdp->data_meta);
	return XDP_PASS;
}

SEC("socket")
int map_ctx_socket(struct __sk_buff *skb)
{
	tell(0, skb);
	return 0;
}

SEC("cgroup_skb/egress")
int map_ctx_cgroup_skb(struct __sk_buff *skb)
{
	tell(0, skb);
	return PASS;
}

SEC("cgroup_skb/egress")
int map_sk(struct __sk_buff *skb)
{
	tell(0, skb->sk);
	return PASS;
}

SEC("cgroup_skb/egress")
int map_sk_full(struct __sk_buff *skb)
{
	struct bpf_sock *sk = skb->sk;

	if (!sk)
		return PASS;
	sk = bpf_sk_fullsock(sk);
	if (sk)
		tell(0, sk);
	return PASS;
}

SEC("cgroup/dev")
int map_ctx_device(struct bpf_cgroup_dev_ctx *ctx)
{
	tell(0, ctx);
	return PASS;
}

SEC("cgroup/sock_create")
int map_ctx_sock(struct bpf_sock *sk)
{
	tell(0, sk);
	return PASS;
}

SEC("cgroup/bind4")
int map_ctx_sock_addr(struct bpf_sock_addr *ctx)
{
	tell(0, ctx);
	return PASS;
}

SEC("cgroup/setsockopt")
int map_optval(struct bpf_sockopt *ctx)
{
	tell(0, ctx->optval);
	return PASS;
}

SEC("cgroup/sysctl")
int map_ctx_sysctl(struct bpf_sysctl *ctx)
{
	tell(0, ctx);
	return PASS;
}

SEC("sk_lookup")
int map_ctx_sk_lookup(struct bpf_sk_lookup *ctx)
{
	tell(0, ctx);
	return SK_PASS;
}

SEC("sockops")
int map_ctx_sockops(struct bpf_sock_ops *ctx)
{
	tell(0, ctx);
	return PASS;
}

SEC("flow_dissector")
int map_flow_keys(struct __sk_buff *skb)
{
	tell(0, skb->flow_keys);
	return BPF_OK;
}

SEC("syscall")
int map_ctx_syscall(void *ctx)
{
	tell(0, ctx);
	return 0;
}

/* ---- to other places --------------------------------------------------- */

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} ring SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 64);
	__type(key, __u64);
	__type(value, __u64);
} hash SEC(".maps");

SEC("tc")
int to_ringbuf(struct __sk_buff *skb)
{
	struct ways_vault *v = vault_value();
	__u64 *rec;

	rec = bpf_ringbuf_reserve(&ring, sizeof(*rec), 0);
	if (!rec)
		return 0;
	*rec = opaque(v);
	io.val[0] = *rec;
	bpf_ringbuf_discard(rec, 0);
	return 0;
}

SEC("tc")
int to_packet(struct __sk_buff *skb)
{
	void *data = (void *)(long)skb->data;
	void *end = (void *)(long)skb->data_end;
	__u64 *p = data + 16;

	if ((void *)(p + 1) > end)
		return 0;
	*p = opaque(vault_value());
	io.val[0] = *p;
	return 0;
}

SEC("xdp")
int to_packet_xdp(struct xdp_md *xdp)
{
	void *data = (void *)(long)xdp->data;
	void *end = (void *)(long)xdp->data_end;
	__u64 *p = data + 16;

	if ((void *)(p + 1) > end)
		return XDP_PASS;
	*p = opaque(vault_value());
	io.val[0] = *p;
	return XDP_PASS;
}

/* Four bytes each, with a shift or as the lower half */
SEC("tc")
int to_ctx(struct __sk_buff *skb)
{
	struct ways_vault *v = vault_value();

	asm volatile("r1 = %[v];"
		     "*(u32 *)(%[skb] + %[cb]) = r1;"
		     : : [skb] "r"(skb), [v] "r"(v),
		     [cb] "i"(offsetof(struct __sk_buff, cb[0])) : "r1", "memory");
	io.val[0] = skb->cb[0];
	return 0;
}

SEC("tc")
int to_return_value(struct __sk_buff *skb)
{
	return (int)opaque(vault_value());
}

SEC("xdp")
int to_return_value_xdp(struct xdp_md *xdp)
{
	return (int)opaque(vault_value());
}

/* As the key of a map; the helper takes the stack slot for bytes. */
SEC("tc")
int to_map_key(struct __sk_buff *skb)
{
	__u64 key = opaque(vault_value()), value = 1;

	bpf_map_update_elem(&hash, &key, &value, BPF_ANY);
	return 0;
}

SEC("tc")
int to_map_by_helper(struct __sk_buff *skb)
{
	__u64 key = 0, value = opaque(vault_value());

	bpf_map_update_elem(&hash, &key, &value, BPF_ANY);
	return 0;
}

SEC("tc")
int to_ringbuf_by_helper(struct __sk_buff *skb)
{
	__u64 value = opaque(vault_value());

	bpf_ringbuf_output(&ring, &value, sizeof(value), 0);
	return 0;
}

SEC("tc")
int to_packet_by_helper(struct __sk_buff *skb)
{
	__u64 value = opaque(vault_value());

	bpf_skb_store_bytes(skb, 16, &value, sizeof(value), 0);
	bpf_skb_load_bytes(skb, 16, &value, sizeof(value));
	io.val[0] = value;
	return 0;
}

/* The number goes through the kernel and comes back: to mark and from it */
SEC("tc")
int as_number_of_helper(struct __sk_buff *skb)
{
	bpf_set_hash(skb, opaque(vault_value()));
	io.val[0] = skb->hash;
	return 0;
}

SEC("tc")
int by_dynptr(struct __sk_buff *skb)
{
	__u64 value = opaque(vault_value());
	struct bpf_dynptr ptr;

	bpf_ringbuf_reserve_dynptr(&ring, 8, 0, &ptr);
	bpf_dynptr_write(&ptr, 0, &value, sizeof(value), 0);
	bpf_dynptr_read(&io.val[0], 8, &ptr, 0, 0);
	bpf_ringbuf_discard_dynptr(&ptr, 0);
	return 0;
}

/* ---- arithmetic and comparisons ---------------------------------------- */

/* Bit by bit, by comparison with a number */
SEC("tc")
int compare(struct __sk_buff *skb)
{
	struct ways_vault *v = vault_value();
	__u64 low = 0;
	int i;

	if (!v)
		return 0;
	for (i = 63; i >= 0; i--) {
		__u64 guess = low | 1ULL << i;
		__u64 above = 0;

		asm volatile("if %[v] < %[guess] goto +1;"
			     "%[above] = 1;"
			     : [above] "+r"(above) : [v] "r"(v), [guess] "r"(guess));
		if (above)
			low = guess;
	}
	io.val[0] = low;
	return 0;
}

SEC("tc")
int compare_equal(struct __sk_buff *skb)
{
	struct ways_vault *v = vault_value();
	__u64 guess = io.arg[0], same = 0;

	if (!v)
		return 0;
	asm volatile("if %[v] != %[guess] goto +1;"
		     "%[same] = 1;"
		     : [same] "+r"(same) : [v] "r"(v), [guess] "r"(guess));
	io.val[0] = same ? guess : 0;
	return 0;
}

/* The lower half, as jmp32 sees it */
SEC("tc")
int compare_halves(struct __sk_buff *skb)
{
	struct ways_vault *v = vault_value();
	__u32 low = 0;
	int i;

	if (!v)
		return 0;
	for (i = 31; i >= 0; i--) {
		__u32 guess = low | 1U << i;
		__u64 above = 0;

		asm volatile("r1 = %[v];"
			     "r2 = %[guess];"
			     "if w1 < w2 goto +1;"
			     "%[above] = 1;"
			     : [above] "+r"(above) : [v] "r"(v), [guess] "r"(guess)
			     : "r1", "r2");
		if (above)
			low = guess;
	}
	io.val[0] = low;
	return 0;
}

/* Two pointers give the distance; with one that is known, the other. */
SEC("tc")
int subtract(struct __sk_buff *skb)
{
	__u64 x = opaque(vault_value()), y = opaque(skb);

	asm volatile("%[x] -= %[y];" : [x] "+r"(x) : [y] "r"(y));
	io.val[0] = x;
	return 0;
}

SEC("tc")
int lower_half(struct __sk_buff *skb)
{
	__u64 x;

	asm volatile("r1 = %[v];"
		     "w1 = w1;"
		     "%[x] = r1;" : [x] "=r"(x) : [v] "r"(vault_value()) : "r1");
	io.val[0] = x;
	return 0;
}

SEC("tc")
int sign_extended_half(struct __sk_buff *skb)
{
	__u64 x;

	asm volatile("%[x] = (s32)%[v];" : [x] "=r"(x) : [v] "r"(vault_value()));
	io.val[0] = x;
	return 0;
}

/* ---- atomic operations ------------------------------------------------- */

SEC("tc")
int atomic_xchg(struct __sk_buff *skb)
{
	__u64 *p = &io.val[0], x = opaque(vault_value());

	asm volatile("%[x] = xchg_64(%[p] + 0, %[x]);"
		     : [x] "+r"(x) : [p] "r"(p) : "memory");
	return 0;
}

SEC("tc")
int atomic_add(struct __sk_buff *skb)
{
	__u64 *p = &io.val[0], x = opaque(vault_value());

	asm volatile("lock *(u64 *)(%[p] + 0) += %[x];"
		     : : [x] "r"(x), [p] "r"(p) : "memory");
	return 0;
}

SEC("tc")
int atomic_or(struct __sk_buff *skb)
{
	__u64 *p = &io.val[0], x = opaque(vault_value());

	asm volatile("lock *(u64 *)(%[p] + 0) |= %[x];"
		     : : [x] "r"(x), [p] "r"(p) : "memory");
	return 0;
}

SEC("tc")
int atomic_cmpxchg(struct __sk_buff *skb)
{
	__u64 *p = &io.val[0], x = opaque(vault_value());

	asm volatile("r0 = 0;"
		     "r0 = cmpxchg_64(%[p] + 0, r0, %[x]);"
		     : : [x] "r"(x), [p] "r"(p) : "r0", "memory");
	return 0;
}

/* The pointer is what the memory is compared with */
SEC("tc")
int atomic_compare(struct __sk_buff *skb)
{
	__u64 *p = &io.val[0], x = opaque(vault_value()), yes = 1;

	io.val[0] = io.arg[0];
	asm volatile("r0 = %[x];"
		     "r0 = cmpxchg_64(%[p] + 0, r0, %[yes]);"
		     : : [x] "r"(x), [p] "r"(p), [yes] "r"(yes) : "r0", "memory");
	io.val[0] = io.val[0] == 1 ? io.arg[0] : 0;
	return 0;
}

/* ---- parts of a spilled pointer ---------------------------------------- */

/* Overwrites a byte of it, and the rest is no pointer any more */
SEC("tc")
int spilled_corrupted(struct __sk_buff *skb)
{
	__u64 slot, x;

	asm volatile("*(u64 *)(%[slot] + 0) = %[v];"
		     "*(u8 *)(%[slot] + 0) = %[zero];"
		     "%[x] = *(u64 *)(%[slot] + 0);"
		     : [x] "=&r"(x) : [slot] "r"(&slot), [v] "r"(vault_value()), [zero] "r"(0)
		     : "memory");
	io.val[0] = x;
	return 0;
}

/* ---- subprograms ------------------------------------------------------- */

static __noinline int callback(__u32 index, void *ctx)
{
	return 0;
}

SEC("tc")
int address_of_subprogram(struct __sk_buff *skb)
{
	__u64 f;

	bpf_loop(1, callback, NULL, 0);
	f = (__u64)callback;
	tell(0, f);
	return 0;
}

/* A subprogram that says it takes a number, and is given a pointer */
static __noinline int number(__u64 x)
{
	asm volatile("" : "+r"(x));
	io.val[0] = x;
	return 0;
}

SEC("tc")
int as_number_of_subprogram(struct __sk_buff *skb)
{
	return number(opaque(vault_value()));
}

static __noinline __u64 give_pointer(void)
{
	return opaque(vault_value());
}

SEC("tc")
int returned_by_subprogram(struct __sk_buff *skb)
{
	io.val[0] = give_pointer();
	return 0;
}

/* Through the context of bpf_loop(), into the callback's frame */
static __noinline int take_ctx(__u32 index, __u64 *ctx)
{
	io.val[0] = *ctx;
	return 1;
}

SEC("tc")
int by_callback_ctx(struct __sk_buff *skb)
{
	__u64 slot = opaque(vault_value());

	bpf_loop(1, take_ctx, &slot, 0);
	return 0;
}
