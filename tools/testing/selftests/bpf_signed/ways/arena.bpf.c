// SPDX-License-Identifier: GPL-2.0
/* Arenas: user space maps them, and what is in them. */
#include "common.bpf.h"

#define __arena __attribute__((address_space(1)))

struct {
	__uint(type, BPF_MAP_TYPE_ARENA);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1 << 20);	/* 4 GB, so that it has every lower half */
	__ulong(map_extra, 1ull << 44);	/* where user space sees it */
} arena SEC(".maps");

static __always_inline void __arena *page(void)
{
	/* the verifier wants to see which arena is meant */
	return bpf_arena_alloc_pages(&arena, NULL, 1, -1, 0);
}

/* Harmless: memory of the program's own, with pointers of user space in it */
SEC("tc")
int use(struct __sk_buff *skb)
{
	__u64 __arena * __arena *pp;
	__u64 __arena *p = page();

	if (!p)
		return 0;
	p[1] = 42;
	pp = (void __arena *)p;
	*pp = p + 1;
	io.val[0] = **pp;
	__sync_fetch_and_add(&io.hits, 1);
	bpf_arena_free_pages(&arena, p, 1);
	return 0;
}

SEC("tc")
int store(struct __sk_buff *skb)
{
	struct ways_vault *v = vault_value();
	__u64 __arena *p = page();

	if (!p)
		return 0;
	once(*p) = opaque(v);
	io.val[0] = once(*p);
	return 0;
}

SEC("tc")
int store_ctx(struct __sk_buff *skb)
{
	__u64 __arena *p = page();

	if (!p)
		return 0;
	once(*p) = opaque(skb);
	io.val[0] = once(*p);
	return 0;
}

/* Half of it at a time */
SEC("tc")
int store_half(struct __sk_buff *skb)
{
	struct ways_vault *v = vault_value();
	__u32 __arena *p = (void __arena *)page();

	if (!p)
		return 0;
	asm volatile("" : "+r"(v));
	once(*p) = (__u32)(__u64)v;
	io.val[0] = once(*p);
	return 0;
}

/* Casts between address spaces keep the lower half: a number */
SEC("tc")
int cast_to_user(struct __sk_buff *skb)
{
	__u64 x = opaque(vault_value());
	void __arena *p = page();

	if (!p)
		return 0;
	/* x = addr_space_cast(x, 1, 0): BPF_ALU64 | BPF_MOV | BPF_X, off 1, imm 0x10000 */
	asm volatile("r1 = %[x];"
		     ".byte 0xbf; .byte 0x11; .short 1; .long 0x10000;"
		     "%[x] = r1;" : [x] "+r"(x) : : "r1");
	io.val[0] = x;
	return 0;
}

/* ... or a pointer to that place in the arena */
SEC("tc")
int cast_to_arena(struct __sk_buff *skb)
{
	__u64 x = opaque(vault_value()), y;
	void __arena *p = page();

	if (!p)
		return 0;
	asm volatile("r1 = %[x];"
		     ".byte 0xbf; .byte 0x11; .short 1; .long 1;"
		     "%[x] = r1;" : [x] "+r"(x) : : "r1");
	asm volatile("r1 = %[x];"
		     ".byte 0xbf; .byte 0x11; .short 1; .long 0x10000;"
		     "%[y] = r1;" : [y] "=r"(y) : [x] "r"(x) : "r1");
	io.val[0] = y;
	return 0;
}

/* A page at an address that is a pointer's */
SEC("tc")
int alloc_at(struct __sk_buff *skb)
{
	struct ways_vault *v = vault_value();
	void __arena *p;

	if (!v)
		return 0;
	p = bpf_arena_alloc_pages(&arena, (void __arena *)opaque(v), 1, -1, 0);
	io.val[0] = (__u64)p;
	return 0;
}

SEC("tc")
int reserve_at(struct __sk_buff *skb)
{
	struct ways_vault *v = vault_value();
	void __arena *p = page();

	if (!v || !p)
		return 0;
	/* as alloc_at, but what it tells is which pages cannot be had afterwards */
	if (bpf_arena_reserve_pages(&arena, (void __arena *)opaque(v), 1))
		return 0;
	p = bpf_arena_alloc_pages(&arena, (void __arena *)(io.arg[0] & ~4095ULL), 1, -1, 0);
	io.val[0] = p ? 0 : io.arg[0] & 0xffffffff;
	return 0;
}

/* A page that is not there: the kernel tells in which functions that was */
SEC("tc")
int fault(struct __sk_buff *skb)
{
	__u64 __arena *p = page();

	if (!p)
		return 0;
	once(p[2 * 4096 / sizeof(*p)]) = 42;
	__sync_fetch_and_add(&io.hits, 1);
	return 0;
}

/* Arithmetic on an arena's pointer takes any operand. */
SEC("tc")
int add(struct __sk_buff *skb)
{
	__u64 x = opaque(vault_value());
	void __arena *p = page();
	__u64 base, sum;

	if (!p)
		return 0;
	base = (__u64)p;
	asm volatile("r1 = %[p];"
		     ".byte 0xbf; .byte 0x11; .short 1; .long 1;"	/* to an arena pointer */
		     "r1 += %[x];"
		     ".byte 0xbf; .byte 0x11; .short 1; .long 0x10000;"	/* and back */
		     "%[sum] = r1;"
		     : [sum] "=r"(sum) : [p] "r"(base), [x] "r"(x) : "r1");
	io.val[0] = (__u32)(sum - base);
	return 0;
}
