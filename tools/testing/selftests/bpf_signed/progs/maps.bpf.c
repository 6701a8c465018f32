// SPDX-License-Identifier: GPL-2.0
/* Slots of every sort; what may vary stands in maps.policy. */
#include "common.h"

const volatile int tunable = 1;
const volatile int before = 2;
const volatile long wide = 3;
const volatile char tail[3] = { 4, 5, 6 };
int writable = 7;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__type(key, int);
	__type(value, long);
	__uint(max_entries, 16);
} plain SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__type(key, int);
	__type(value, long);
	__uint(max_entries, 16);
} limited SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_STACK_TRACE);
	__uint(key_size, 4);
	__uint(value_size, 80);
	__uint(max_entries, 16);
} stacks SEC(".maps");

struct inner {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__type(key, int);
	__type(value, int);
	__uint(max_entries, 1);
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 2);
	__type(key, int);
	__array(values, struct inner);
} outer SEC(".maps");

struct locked {
	int value;
	struct bpf_spin_lock lock;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__type(key, int);
	__type(value, struct locked);
	__uint(max_entries, 1);
} locks SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_BLOOM_FILTER);
	__type(value, int);
	__uint(max_entries, 16);
	__uint(map_extra, 3);
} bloom SEC(".maps");

SEC("syscall")
int use_hash(void *ctx)
{
	int key = 1;
	long value = 11;

	bpf_map_update_elem(&plain, &key, &value, 0);
	return 1;
}

SEC("syscall")
int use_limited(void *ctx)
{
	int key = 1;

	return !!bpf_map_lookup_elem(&limited, &key);
}

SEC("raw_tp/sys_enter")
int use_stacks(void *ctx)
{
	return bpf_get_stackid(ctx, &stacks, 0) & 0;
}

SEC("syscall")
int use_outer(void *ctx)
{
	int zero = 0, *value;
	void *map;

	map = bpf_map_lookup_elem(&outer, &zero);
	if (!map)
		return 0;
	value = bpf_map_lookup_elem(map, &zero);
	return value ? *value : 0;
}

SEC("tc")
int use_locks(struct __sk_buff *ctx)
{
	struct locked *l;
	int zero = 0;

	l = bpf_map_lookup_elem(&locks, &zero);
	if (l) {
		bpf_spin_lock(&l->lock);
		l->value++;
		bpf_spin_unlock(&l->lock);
	}
	return 0;
}

SEC("tc")
int use_bloom(struct __sk_buff *ctx)
{
	int value = 1;

	return bpf_map_push_elem(&bloom, &value, 0);
}

SEC("syscall")
int use_rodata(void *ctx)
{
	return tunable * 1000 + before * 100 + wide * 10 + tail[2];
}

SEC("syscall")
int use_data(void *ctx)
{
	return writable;
}

SEC("iter/bpf_map_elem")
int iter_value(struct bpf_iter__bpf_map_elem *ctx)
{
	int *value = ctx->value;

	if (value)
		*value = 0x5a5a;
	return 0;
}

SEC("iter/bpf_map_elem")
int iter_read(struct bpf_iter__bpf_map_elem *ctx)
{
	int *value = ctx->value;

	if (value)
		BPF_SEQ_PRINTF(ctx->meta->seq, "%d\n", *value);
	return 0;
}

SEC("iter/bpf_map_elem")
int iter_key(struct bpf_iter__bpf_map_elem *ctx)
{
	int *key = ctx->key;

	if (key)
		BPF_SEQ_PRINTF(ctx->meta->seq, "%d\n", *key);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
