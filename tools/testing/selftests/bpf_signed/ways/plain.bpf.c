// SPDX-License-Identifier: GPL-2.0
/* What is useful and tells nothing of the kernel: all of it has to go on. */
#include "common.bpf.h"

#define done() __sync_fetch_and_add(&io.hits, 1)

/* ---- packets ----------------------------------------------------------- */

#define ETH_P_IP 0x0800

/* IPv4 with options, then UDP: headers of variable length, by plain pointers */
static __always_inline int parse(void *data, void *end)
{
	struct ethhdr *eth = data;
	struct iphdr *ip = (void *)(eth + 1);
	struct udphdr *udp;
	__u64 len;

	if ((void *)(ip + 1) > end || eth->h_proto != bpf_htons(ETH_P_IP))
		return -1;
	len = ip->ihl * 4;
	if (len < sizeof(*ip))
		return -1;
	udp = (void *)ip + len;
	if ((void *)(udp + 1) > end)
		return -1;
	io.val[0] = bpf_ntohs(udp->dest);
	io.val[1] = end - data;
	done();
	return 0;
}

SEC("tc")
int parse_tc(struct __sk_buff *skb)
{
	parse((void *)(long)skb->data, (void *)(long)skb->data_end);
	return 0;
}

SEC("xdp")
int parse_xdp(struct xdp_md *xdp)
{
	parse((void *)(long)xdp->data, (void *)(long)xdp->data_end);
	return XDP_PASS;
}

SEC("action")
int parse_action(struct __sk_buff *skb)
{
	parse((void *)(long)skb->data, (void *)(long)skb->data_end);
	return 0;
}

SEC("tc")
int rewrite_tc(struct __sk_buff *skb)
{
	void *data, *end;
	__u8 mac[6];

	if (bpf_skb_pull_data(skb, 34))
		return 0;
	data = (void *)(long)skb->data;
	end = (void *)(long)skb->data_end;
	if (data + 34 > end)
		return 0;
	__builtin_memcpy(mac, data, 6);
	__builtin_memcpy(data, data + 6, 6);
	__builtin_memcpy(data + 6, mac, 6);
	bpf_l3_csum_replace(skb, 24, 0, 1, 2);
	bpf_skb_store_bytes(skb, 26, mac, 4, BPF_F_RECOMPUTE_CSUM);
	done();
	return 0;
}

SEC("tc")
int load_bytes_tc(struct __sk_buff *skb)
{
	__u16 port = 0;

	if (bpf_skb_load_bytes(skb, 14 + 24 + 2, &port, sizeof(port)))
		return 0;
	io.val[0] = bpf_ntohs(port);
	done();
	return 0;
}

SEC("tc")
int dynptr_tc(struct __sk_buff *skb)
{
	struct bpf_dynptr ptr;
	__u16 buf = 0, *port;

	if (bpf_dynptr_from_skb(skb, 0, &ptr))
		return 0;
	port = bpf_dynptr_slice(&ptr, 14 + 24 + 2, &buf, sizeof(buf));
	if (!port)
		return 0;
	io.val[0] = bpf_ntohs(*port);
	done();
	return 0;
}

SEC("xdp")
int dynptr_xdp(struct xdp_md *xdp)
{
	struct bpf_dynptr ptr;
	__u16 buf = 0, *port;

	if (bpf_dynptr_from_xdp(xdp, 0, &ptr))
		return XDP_PASS;
	port = bpf_dynptr_slice(&ptr, 14 + 24 + 2, &buf, sizeof(buf));
	if (!port)
		return XDP_PASS;
	io.val[0] = bpf_ntohs(*port);
	done();
	return XDP_PASS;
}

/* Encapsulation: room before, written in full */
SEC("xdp")
int push_xdp(struct xdp_md *xdp)
{
	void *data, *end;

	if (bpf_xdp_adjust_head(xdp, -8))
		return XDP_DROP;
	data = (void *)(long)xdp->data;
	end = (void *)(long)xdp->data_end;
	if (data + 16 > end)
		return XDP_DROP;
	__builtin_memset(data, 0, 16);
	done();
	return XDP_PASS;
}

SEC("tc")
int fields_tc(struct __sk_buff *skb)
{
	io.val[0] = skb->len;
	io.val[1] = skb->ifindex + skb->protocol + skb->mark + skb->priority + skb->hash;
	skb->mark = 7;
	skb->priority = 1;
	skb->cb[0] = 3;
	skb->tc_index = 2;
	done();
	return 0;
}

SEC("socket")
int filter_socket(struct __sk_buff *skb)
{
	__u16 port = 0;

	bpf_skb_load_bytes(skb, 0, &port, sizeof(port));
	io.val[0] = skb->len;
	done();
	return skb->len;
}

SEC("cgroup_skb/egress")
int count_cgroup_skb(struct __sk_buff *skb)
{
	struct iphdr ip;

	bpf_skb_load_bytes_relative(skb, 0, &ip, sizeof(ip), BPF_HDR_START_NET);
	io.val[0] = skb->len;
	io.val[1] = ip.protocol;
	done();
	return PASS;
}

/* systemd's IPAddressDeny= has a trie of prefixes */
struct prefix {
	__u32 len;
	__u32 addr;
};

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 16);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct prefix);
	__type(value, __u64);
} prefixes SEC(".maps");

SEC("cgroup_skb/egress")
int deny_cgroup_skb(struct __sk_buff *skb)
{
	struct prefix key = { .len = 32 };

	bpf_skb_load_bytes(skb, 16, &key.addr, 4);
	done();
	return !bpf_map_lookup_elem(&prefixes, &key);
}

SEC("lwt_xmit")
int lwt(struct __sk_buff *skb)
{
	io.val[0] = skb->len;
	done();
	return BPF_OK;
}

SEC("flow_dissector")
int dissect(struct __sk_buff *skb)
{
	struct bpf_flow_keys *keys = skb->flow_keys;

	io.val[0] = keys->nhoff;
	keys->thoff = keys->nhoff + 24;
	keys->ip_proto = 17;
	done();
	return BPF_OK;
}

/* ---- control groups and sockets ---------------------------------------- */

SEC("cgroup/dev")
int on_device(struct bpf_cgroup_dev_ctx *ctx)
{
	io.val[0] = (__u64)ctx->major << 32 | ctx->minor;
	done();
	return PASS;
}

SEC("cgroup/sock_create")
int on_sock_create(struct bpf_sock *sk)
{
	io.val[0] = sk->family;
	sk->mark = 5;
	done();
	return PASS;
}

SEC("cgroup/bind4")
int on_bind4(struct bpf_sock_addr *ctx)
{
	io.val[0] = bpf_ntohs(ctx->user_port);
	done();
	return PASS;
}

SEC("cgroup/connect4")
int on_connect4(struct bpf_sock_addr *ctx)
{
	io.val[0] = bpf_ntohs(ctx->user_port);
	io.val[1] = bpf_get_socket_cookie(ctx);
	done();
	return PASS;
}

SEC("cgroup/sendmsg4")
int on_sendmsg4(struct bpf_sock_addr *ctx)
{
	io.val[0] = bpf_ntohl(ctx->user_ip4);
	done();
	return PASS;
}

SEC("cgroup/setsockopt")
int on_setsockopt(struct bpf_sockopt *ctx)
{
	__u8 *val = ctx->optval;

	if ((void *)(val + 4) <= ctx->optval_end)
		io.val[0] = val[0];
	done();
	return PASS;
}

SEC("cgroup/sysctl")
int on_sysctl(struct bpf_sysctl *ctx)
{
	bpf_sysctl_get_name(ctx, (char *)io.bytes, 64, 0);
	done();
	return PASS;
}

SEC("sockops")
int on_sockops(struct bpf_sock_ops *ctx)
{
	io.val[0] = ctx->local_port;
	bpf_sock_ops_cb_flags_set(ctx, BPF_SOCK_OPS_STATE_CB_FLAG);
	done();
	return PASS;
}

SEC("sk_lookup")
int on_sk_lookup(struct bpf_sk_lookup *ctx)
{
	io.val[0] = ctx->local_port;
	done();
	return SK_PASS;
}

SEC("cgroup_skb/egress")
int sk_fields(struct __sk_buff *skb)
{
	struct bpf_sock *sk = skb->sk;

	if (!sk)
		return PASS;
	sk = bpf_sk_fullsock(sk);
	if (!sk)
		return PASS;
	io.val[0] = sk->family;
	io.val[1] = sk->src_port;
	done();
	return PASS;
}

SEC("tc")
int sk_looked_up(struct __sk_buff *skb)
{
	struct bpf_sock_tuple tuple = {};
	struct bpf_sock *sk;

	tuple.ipv4.dport = bpf_htons(7777);
	sk = bpf_sk_lookup_udp(skb, &tuple, sizeof(tuple.ipv4), BPF_F_CURRENT_NETNS, 0);
	if (sk)
		bpf_sk_release(sk);
	done();
	return 0;
}

/* ---- own state --------------------------------------------------------- */

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 64);
	__type(key, __u32);
	__type(value, __u64);
} hash SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 64);
	__type(key, __u32);
	__type(value, __u64);
} percpu_hash SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, __u64);
} percpu_array SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} ring SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, 16);
	__type(value, __u64);
} queue SEC(".maps");

struct timer_value {
	struct bpf_timer timer;
	__u64 n;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct timer_value);
} timers SEC(".maps");

struct locked_value {
	struct bpf_spin_lock lock;
	__u64 n;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct locked_value);
} locked SEC(".maps");

static __always_inline void count(void *map)
{
	__u32 key = 3;
	__u64 one = 1, *v = bpf_map_lookup_elem(map, &key);

	if (v) {
		__sync_fetch_and_add(v, 1);
		io.val[0] = *v;
	} else {
		bpf_map_update_elem(map, &key, &one, BPF_NOEXIST);
		io.val[0] = 1;
	}
	done();
}

#define STATE(sec, type, name, ret)					\
SEC(sec)								\
int hash_##name(type * ctx)						\
{									\
	count(&hash);							\
	return ret;							\
}									\
									\
SEC(sec)								\
int percpu_hash_##name(type * ctx)					\
{									\
	count(&percpu_hash);						\
	return ret;							\
}									\
									\
SEC(sec)								\
int percpu_array_##name(type * ctx)					\
{									\
	count(&percpu_array);						\
	return ret;							\
}									\
									\
SEC(sec) int time_##name(type * ctx)					\
{									\
	io.val[0] = bpf_ktime_get_ns();					\
	io.val[1] = bpf_ktime_get_boot_ns() + bpf_jiffies64();		\
	io.val[2] = bpf_get_prandom_u32() + bpf_get_smp_processor_id() +\
		    bpf_get_numa_node_id();				\
	done();								\
	return ret;							\
}									\
									\
SEC(sec) int ringbuf_##name(type * ctx)					\
{									\
	__u64 *rec = bpf_ringbuf_reserve(&ring, 16, 0);			\
									\
	if (!rec)							\
		return ret;						\
	rec[0] = 1;							\
	rec[1] = bpf_get_prandom_u32();					\
	bpf_ringbuf_submit(rec, 0);					\
	done();								\
	return ret;							\
}

STATE("tc", struct __sk_buff, tc, 0)
STATE("xdp", struct xdp_md, xdp, XDP_PASS)
STATE("socket", struct __sk_buff, socket, 0)
STATE("cgroup_skb/egress", struct __sk_buff, cgroup_skb, PASS)
STATE("cgroup/dev", struct bpf_cgroup_dev_ctx, device, PASS)
STATE("cgroup/connect4", struct bpf_sock_addr, sock_addr, PASS)
/* These watch, and tell that something happened, no more. */
STATE("kprobe/__x64_sys_getppid", struct pt_regs, kprobe, 0)
STATE("tracepoint/syscalls/sys_enter_getppid", void, tracepoint, 0)
STATE("raw_tracepoint/sys_enter", void, raw_tp, 0)
STATE("fentry/bpf_fentry_test1", void, fentry, 0)

SEC("tc")
int loops(struct __sk_buff *skb)
{
	int i, sum = 0;

	bpf_for(i, 0, 100)
		sum += i;
	io.val[0] = sum;
	done();
	return 0;
}

SEC("tc")
int loop_bounded(struct __sk_buff *skb)
{
	__u64 sum = 0;
	int i;

	for (i = 0; i < 100; i++)
		sum += skb->len ^ i;
	io.val[0] = sum;
	done();
	return 0;
}

static int add_up(__u32 i, __u64 *sum)
{
	*sum += i;
	return 0;
}

SEC("tc")
int loop_callback(struct __sk_buff *skb)
{
	__u64 sum = 0;

	bpf_loop(100, add_up, &sum, 0);
	io.val[0] = sum;
	done();
	return 0;
}

static int on_timer(void *map, int *key, struct timer_value *v)
{
	v->n++;
	return 0;
}

SEC("tc")
int timer(struct __sk_buff *skb)
{
	__u32 zero = 0;
	struct timer_value *v = bpf_map_lookup_elem(&timers, &zero);

	if (!v)
		return 0;
	bpf_timer_init(&v->timer, &timers, 1);
	bpf_timer_set_callback(&v->timer, on_timer);
	bpf_timer_start(&v->timer, 1000000, 0);
	done();
	return 0;
}

SEC("tc")
int spin_lock(struct __sk_buff *skb)
{
	__u32 zero = 0;
	struct locked_value *v = bpf_map_lookup_elem(&locked, &zero);

	if (!v)
		return 0;
	bpf_spin_lock(&v->lock);
	v->n++;
	bpf_spin_unlock(&v->lock);
	done();
	return 0;
}

static long each(void *map, __u32 *key, __u64 *value, __u64 *sum)
{
	*sum += *value;
	return 0;
}

SEC("tc")
int for_each(struct __sk_buff *skb)
{
	__u64 sum = 0;

	bpf_for_each_map_elem(&hash, each, &sum, 0);
	io.val[0] = sum;
	done();
	return 0;
}

SEC("tc")
int queues(struct __sk_buff *skb)
{
	__u64 x = 5;

	bpf_map_push_elem(&queue, &x, 0);
	bpf_map_pop_elem(&queue, &x);
	io.val[0] = x;
	done();
	return 0;
}

SEC("tc")
int dynptr_own(struct __sk_buff *skb)
{
	struct bpf_dynptr ptr;
	__u64 x = 5, y = 0;

	bpf_ringbuf_reserve_dynptr(&ring, 32, 0, &ptr);
	bpf_dynptr_write(&ptr, 8, &x, sizeof(x), 0);
	bpf_dynptr_read(&y, sizeof(y), &ptr, 8, 0);
	bpf_ringbuf_discard_dynptr(&ptr, 0);
	io.val[0] = y;
	done();
	return 0;
}

SEC("tc")
int strings(struct __sk_buff *skb)
{
	static const char text[] = "42";
	long x = 0;

	bpf_strtol(text, 2, 10, &x);
	io.val[0] = x;
	io.val[1] = bpf_strncmp(text, 2, "42");
	done();
	return 0;
}

SEC("tc")
int format_numbers(struct __sk_buff *skb)
{
	static const char fmt[] = "%d of %llu";
	__u64 args[2] = { 1, 2 };

	bpf_snprintf((char *)io.bytes, 32, fmt, args, sizeof(args));
	done();
	return 0;
}

SEC("cgroup/connect4")
int who(struct bpf_sock_addr *ctx)
{
	io.val[0] = bpf_get_current_pid_tgid() >> 32;
	io.val[1] = bpf_get_current_uid_gid();
	io.val[2] = bpf_get_current_cgroup_id();
	bpf_get_current_comm(io.bytes, 16);
	done();
	return PASS;
}

SEC("tracepoint/syscalls/sys_enter_getppid")
int who_tracepoint(void *ctx)
{
	io.val[0] = bpf_get_current_pid_tgid() >> 32;
	io.val[1] = bpf_get_current_uid_gid();
	io.val[2] = bpf_get_current_cgroup_id();
	bpf_get_current_comm(io.bytes, 16);
	done();
	return 0;
}

/* ---- allocated objects ------------------------------------------------- */

#define __contains(name, node) __attribute__((btf_decl_tag("contains:" #name ":" #node)))
#define obj_new(type) ((type *)bpf_obj_new(bpf_core_type_id_local(type)))

struct listed {
	struct bpf_list_node node;
	__u64 x;
};

struct sorted {
	struct bpf_rb_node node;
	__u64 x;
};

SEC(".bss.A") __hidden struct bpf_spin_lock lock;
SEC(".bss.A") __hidden struct bpf_list_head head __contains(listed, node);
SEC(".bss.A") __hidden struct bpf_rb_root root __contains(sorted, node);

SEC("tc")
int object_list(struct __sk_buff *skb)
{
	struct listed *p = obj_new(struct listed);
	struct bpf_list_node *n;

	if (!p)
		return 0;
	p->x = 42;
	bpf_spin_lock(&lock);
	bpf_list_push_back(&head, &p->node);
	n = bpf_list_pop_front(&head);
	bpf_spin_unlock(&lock);
	if (!n)
		return 0;
	p = container_of(n, struct listed, node);
	io.val[0] = p->x;
	bpf_obj_drop(p);
	done();
	return 0;
}

static bool less(struct bpf_rb_node *a, const struct bpf_rb_node *b)
{
	return container_of(a, struct sorted, node)->x < container_of(b, struct sorted, node)->x;
}

SEC("tc")
int object_rbtree(struct __sk_buff *skb)
{
	struct sorted *p = obj_new(struct sorted);
	struct bpf_rb_node *n;

	if (!p)
		return 0;
	p->x = 42;
	bpf_spin_lock(&lock);
	bpf_rbtree_add(&root, &p->node, less);
	n = bpf_rbtree_first(&root);
	if (n)
		n = bpf_rbtree_remove(&root, n);
	bpf_spin_unlock(&lock);
	if (!n)
		return 0;
	p = container_of(n, struct sorted, node);
	io.val[0] = p->x;
	bpf_obj_drop(p);
	done();
	return 0;
}

struct kept {
	__u64 x;
};

struct kept_value {
	struct kept __kptr *p;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct kept_value);
} kept SEC(".maps");

SEC("tc")
int object_kptr(struct __sk_buff *skb)
{
	__u32 zero = 0;
	struct kept_value *v = bpf_map_lookup_elem(&kept, &zero);
	struct kept *p;

	if (!v)
		return 0;
	p = obj_new(struct kept);
	if (!p)
		return 0;
	p->x = 42;
	p = bpf_kptr_xchg(&v->p, p);
	if (p)
		bpf_obj_drop(p);
	p = bpf_kptr_xchg(&v->p, NULL);
	if (!p)
		return 0;
	io.val[0] = p->x;
	bpf_obj_drop(p);
	done();
	return 0;
}

/* ---- calls ------------------------------------------------------------- */

__weak int global_function(struct __sk_buff *skb, __u64 x)
{
	return skb->len + x;
}

SEC("tc")
int call_global(struct __sk_buff *skb)
{
	io.val[0] = global_function(skb, 1);
	done();
	return 0;
}

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 2);
	__uint(key_size, 4);
	__uint(value_size, 4);
} programs SEC(".maps");

SEC("tc")
int tail_call(struct __sk_buff *skb)
{
	done();
	bpf_tail_call(skb, &programs, 1);
	return 0;
}
