// SPDX-License-Identifier: GPL-2.0
/*
 * What brings programs together: maps that hold programs, or calls of them, and
 * struct_ops. Loaded signed, and as it is.
 */
#include "common.h"

#define CLOCK_MONOTONIC	1

/* ---- maps that hold programs -------------------------------------------- */

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, __u32);
} calls SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_DEVMAP);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, struct bpf_devmap_val);
} devices SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_DEVMAP_HASH);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, struct bpf_devmap_val);
} devices_hash SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_CPUMAP);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, struct bpf_cpumap_val);
} cpus SEC(".maps");

struct inner_devices {
	__uint(type, BPF_MAP_TYPE_DEVMAP);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, struct bpf_devmap_val);
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__type(key, __u32);
	__array(values, struct inner_devices);
} outer_devices SEC(".maps");

/* What is to be loaded is in a map that anybody may write to. */
struct bpf_insn told[2] = {
	{ .code = 0xb7 },	/* r0 = 0 */
	{ .code = 0x95 },	/* exit */
};

static const char told_license[] = "GPL";

SEC("syscall")
int load_what_it_is_told(void *ctx)
{
	union bpf_attr attr = {};

	attr.prog_type = BPF_PROG_TYPE_KPROBE;
	attr.insns = (unsigned long)told;
	attr.insn_cnt = 2;
	attr.license = (unsigned long)told_license;
	return bpf_sys_bpf(BPF_PROG_LOAD, &attr, sizeof(attr));
}

SEC("tc")
int call(struct __sk_buff *skb)
{
	bpf_tail_call(skb, &calls, 0);
	return 3;
}

SEC("tc")
int called(struct __sk_buff *skb)
{
	return 4;
}

SEC("xdp")
int to_devices(struct xdp_md *xdp)
{
	return bpf_redirect_map(&devices, 0, 0);
}

SEC("xdp")
int to_devices_hash(struct xdp_md *xdp)
{
	return bpf_redirect_map(&devices_hash, 0, 0);
}

SEC("xdp")
int to_cpus(struct xdp_md *xdp)
{
	return bpf_redirect_map(&cpus, 0, 0);
}

SEC("xdp")
int to_inner_devices(struct xdp_md *xdp)
{
	__u32 zero = 0;
	void *map = bpf_map_lookup_elem(&outer_devices, &zero);

	return map ? bpf_redirect_map(map, 0, 0) : XDP_PASS;
}

SEC("xdp/devmap")
int at_device(struct xdp_md *xdp)
{
	return XDP_DROP;
}

SEC("xdp/cpumap")
int at_cpu(struct xdp_md *xdp)
{
	return XDP_DROP;
}

/* ---- maps that hold calls ----------------------------------------------- */

/* How often it was this program that was called */
int fired;

struct timed {
	struct bpf_timer timer;
};

struct queued {
	struct bpf_wq wq;
};

struct due {
	struct bpf_task_work work;
};

struct timers {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct timed);
} timers SEC(".maps");

struct queues {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct queued);
} queues SEC(".maps");

struct works {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct due);
} works SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__type(key, __u32);
	__array(values, struct timers);
} outer_timers SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__type(key, __u32);
	__array(values, struct queues);
} outer_queues SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__type(key, __u32);
	__array(values, struct works);
} outer_works SEC(".maps");

static int on_timer(void *map, int *key, struct timed *value)
{
	__sync_fetch_and_add(&fired, 1);
	return 0;
}

static int on_queue(void *map, int *key, void *value)
{
	__sync_fetch_and_add(&fired, 1);
	return 0;
}

static int on_work(struct bpf_map *map, void *key, void *value)
{
	__sync_fetch_and_add(&fired, 1);
	return 0;
}

/* Each returns an errno, or 255 if the map is not as it should be. */
#define VALUE(map)							\
	({								\
		__u32 __zero = 0;					\
									\
		bpf_map_lookup_elem(map, &__zero);			\
	})

SEC("tc")
int set_timer(struct __sk_buff *skb)
{
	struct timed *v = VALUE(&timers);

	if (!v)
		return 255;
	bpf_timer_init(&v->timer, &timers, CLOCK_MONOTONIC);
	return -bpf_timer_set_callback(&v->timer, on_timer);
}

SEC("tc")
int start_timer(struct __sk_buff *skb)
{
	struct timed *v = VALUE(&timers);

	return v ? -bpf_timer_start(&v->timer, 0, 0) : 255;
}

SEC("tc")
int set_queue(struct __sk_buff *skb)
{
	struct queued *v = VALUE(&queues);

	if (!v)
		return 255;
	bpf_wq_init(&v->wq, &queues, 0);
	return -bpf_wq_set_callback(&v->wq, on_queue, 0);
}

SEC("syscall")
int set_work(void *ctx)
{
	struct due *v = VALUE(&works);

	if (!v)
		return 255;
	return -bpf_task_work_schedule_signal(bpf_get_current_task_btf(), &v->work, &works,
					      on_work);
}

SEC("tc")
int set_inner_timer(struct __sk_buff *skb)
{
	void *map = VALUE(&outer_timers);
	struct timed *v;

	if (!map)
		return 255;
	v = VALUE(map);
	if (!v)
		return 255;
	bpf_timer_init(&v->timer, map, CLOCK_MONOTONIC);
	return -bpf_timer_set_callback(&v->timer, on_timer);
}

SEC("tc")
int start_inner_timer(struct __sk_buff *skb)
{
	void *map = VALUE(&outer_timers);
	struct timed *v;

	if (!map)
		return 255;
	v = VALUE(map);
	return v ? -bpf_timer_start(&v->timer, 0, 0) : 255;
}

SEC("tc")
int set_inner_queue(struct __sk_buff *skb)
{
	void *map = VALUE(&outer_queues);
	struct queued *v;

	if (!map)
		return 255;
	v = VALUE(map);
	if (!v)
		return 255;
	bpf_wq_init(&v->wq, map, 0);
	return -bpf_wq_set_callback(&v->wq, on_queue, 0);
}

SEC("syscall")
int set_inner_work(void *ctx)
{
	void *map = VALUE(&outer_works);
	struct due *v;

	if (!map)
		return 255;
	v = VALUE(map);
	if (!v)
		return 255;
	return -bpf_task_work_schedule_signal(bpf_get_current_task_btf(), &v->work, map, on_work);
}

/* ---- contents ------------------------------------------------------------ */

struct values {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_RDONLY_PROG);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__type(key, __u32);
	__array(values, struct values);
} outer_values SEC(".maps");

SEC("tc")
int inner_value(struct __sk_buff *skb)
{
	void *map = VALUE(&outer_values);
	__u32 *v;

	if (!map)
		return 255;
	v = VALUE(map);
	return v ? *v : 255;
}

/* Not a power of two, so that masks show */
struct elements {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 5);
	__type(key, __u32);
	__type(value, __u32);
} elements SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__type(key, __u32);
	__array(values, struct elements);
} outer_elements SEC(".maps");

SEC("tc")
int look_up(struct __sk_buff *skb)
{
	__u32 key = skb->len, *v;

	v = bpf_map_lookup_elem(&elements, &key);
	return v ? *v : 255;
}

SEC("tc")
int look_up_inner(struct __sk_buff *skb)
{
	__u32 key = skb->len, *v;
	void *map = VALUE(&outer_elements);

	if (!map)
		return 255;
	v = bpf_map_lookup_elem(map, &key);
	return v ? *v : 255;
}

/* ---- struct_ops ---------------------------------------------------------- */

SEC("struct_ops")
__u32 BPF_PROG(cc_ssthresh, struct sock *sk)
{
	return 4;
}

SEC("struct_ops")
__u32 BPF_PROG(cc_undo_cwnd, struct sock *sk)
{
	return 2;
}

SEC("struct_ops")
void BPF_PROG(cc_cong_avoid, struct sock *sk, __u32 ack, __u32 acked)
{
}

SEC(".struct_ops.link")
struct tcp_congestion_ops cc = {
	.ssthresh	= (void *)cc_ssthresh,
	.undo_cwnd	= (void *)cc_undo_cwnd,
	.cong_avoid	= (void *)cc_cong_avoid,
	.name		= "bpf_mix",
};

char LICENSE[] SEC("license") = "GPL";
