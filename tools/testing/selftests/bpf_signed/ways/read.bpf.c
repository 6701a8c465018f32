// SPDX-License-Identifier: GPL-2.0
/*
 * Loads of kernel memory without a helper: through BTF pointers of every kind,
 * casts, tagged arguments, kernel symbols and fields of maps.
 */
#include "common.bpf.h"

extern const struct rq runqueues __ksym;
extern const unsigned long this_cpu_off __ksym;
extern const unsigned long cpu_current_top_of_stack __ksym;
extern const int cpu_number __ksym;

static __always_inline void copy(const void *from)
{
	const __u64 *p = from;
	int i;

#pragma unroll
	for (i = 0; i < 4; i++)
		*(__u64 *)&io.bytes[i * 8] = p[i];
	__sync_fetch_and_add(&io.hits, 1);
}

/* ---- any address, by a cast -------------------------------------------- */

static __always_inline int cast_to_void(void)
{
	copy(bpf_rdonly_cast((void *)io.target, 0));
	return 0;
}

static __always_inline int cast_to_struct(void)
{
	/* its first member is as good as any for eight bytes of anything */
	struct list_head *p = bpf_core_cast((void *)io.target, struct list_head);
	struct list_head *q = bpf_core_cast((void *)io.target + 8, struct list_head);

	*(__u64 *)&io.bytes[0] = opaque(p->next);
	*(__u64 *)&io.bytes[8] = opaque(q->next);
	__sync_fetch_and_add(&io.hits, 1);
	return 0;
}

#define BOTH_CASTS(sec, type, name, ret)				\
SEC(sec)								\
int name##_void(type * ctx)						\
{									\
	cast_to_void();							\
	return ret;							\
}									\
									\
SEC(sec)								\
int name##_struct(type * ctx)						\
{									\
	cast_to_struct();						\
	return ret;							\
}

BOTH_CASTS("tc", struct __sk_buff, cast_tc, 0)
BOTH_CASTS("xdp", struct xdp_md, cast_xdp, XDP_PASS)
BOTH_CASTS("cgroup_skb/egress", struct __sk_buff, cast_cgroup_skb, PASS)
BOTH_CASTS("cgroup/sock_create", struct bpf_sock, cast_cgroup_sock, PASS)
BOTH_CASTS("cgroup/bind4", struct bpf_sock_addr, cast_sock_addr, PASS)
BOTH_CASTS("cgroup/setsockopt", struct bpf_sockopt, cast_sockopt, PASS)
BOTH_CASTS("cgroup/dev", struct bpf_cgroup_dev_ctx, cast_device, PASS)
BOTH_CASTS("socket", struct __sk_buff, cast_socket, 0)
BOTH_CASTS("sockops", struct bpf_sock_ops, cast_sockops, PASS)
BOTH_CASTS("syscall", void, cast_syscall, 0)
BOTH_CASTS("kprobe/__x64_sys_getppid", struct pt_regs, cast_kprobe, 0)
BOTH_CASTS("tracepoint/syscalls/sys_enter_getppid", void, cast_tracepoint, 0)
BOTH_CASTS("raw_tracepoint/sys_enter", struct bpf_raw_tracepoint_args, cast_raw_tp, 0)
BOTH_CASTS("fentry/bpf_fentry_test1", void, cast_fentry, 0)
BOTH_CASTS("lsm/file_open", void, cast_lsm, 0)
BOTH_CASTS("iter/task", struct bpf_iter__task, cast_iter, 0)

/* ---- any address, by an argument --------------------------------------- */

__weak int takes_bytes(char *p __arg_untrusted)
{
	int i;

	for (i = 0; i < 32; i++)
		io.bytes[i] = p[i];
	__sync_fetch_and_add(&io.hits, 1);
	return 0;
}

__weak int takes_void(void *p __arg_untrusted)
{
	int i;

	for (i = 0; i < 4; i++)
		*(__u64 *)&io.bytes[i * 8] = ((__u64 *)p)[i];
	__sync_fetch_and_add(&io.hits, 1);
	return 0;
}

__weak int takes_struct(struct list_head *p __arg_untrusted)
{
	*(__u64 *)&io.bytes[0] = opaque(p->next);
	*(__u64 *)&io.bytes[8] = opaque(p->prev);
	__sync_fetch_and_add(&io.hits, 1);
	return 0;
}

#define ARGUMENTS(sec, type, name, ret)					\
SEC(sec)								\
int name##_bytes(type * ctx)						\
{									\
	takes_bytes((char *)io.target);					\
	return ret;							\
}									\
									\
SEC(sec)								\
int name##_void(type * ctx)						\
{									\
	takes_void((void *)io.target);					\
	return ret;							\
}									\
									\
SEC(sec)								\
int name##_struct(type * ctx)						\
{									\
	takes_struct((struct list_head *)io.target);			\
	return ret;							\
}

ARGUMENTS("tc", struct __sk_buff, arg_tc, 0)
ARGUMENTS("xdp", struct xdp_md, arg_xdp, XDP_PASS)
ARGUMENTS("socket", struct __sk_buff, arg_socket, 0)
ARGUMENTS("cgroup_skb/egress", struct __sk_buff, arg_cgroup_skb, PASS)
ARGUMENTS("cgroup/dev", struct bpf_cgroup_dev_ctx, arg_device, PASS)
ARGUMENTS("kprobe/__x64_sys_getppid", struct pt_regs, arg_kprobe, 0)
ARGUMENTS("raw_tracepoint/sys_enter", struct bpf_raw_tracepoint_args, arg_raw_tp, 0)

/* ---- kernel symbols ---------------------------------------------------- */

SEC("tc")
int ksym_number(struct __sk_buff *skb)
{
	tell(0, *(__u64 *)bpf_this_cpu_ptr(&this_cpu_off));
	return 0;
}

SEC("tc")
int ksym_number_per_cpu(struct __sk_buff *skb)
{
	__u64 *p = bpf_per_cpu_ptr(&this_cpu_off, 0);

	if (p)
		tell(0, *p);
	return 0;
}

SEC("cgroup_skb/egress")
int ksym_number_cgroup_skb(struct __sk_buff *skb)
{
	tell(0, *(__u64 *)bpf_this_cpu_ptr(&this_cpu_off));
	return PASS;
}

SEC("xdp")
int ksym_number_xdp(struct xdp_md *ctx)
{
	tell(0, *(__u64 *)bpf_this_cpu_ptr(&this_cpu_off));
	return XDP_PASS;
}

SEC("socket")
int ksym_number_socket(struct __sk_buff *skb)
{
	tell(0, *(__u64 *)bpf_this_cpu_ptr(&this_cpu_off));
	return 0;
}

SEC("tc")
int ksym_stack(struct __sk_buff *skb)
{
	tell(0, *(__u64 *)bpf_this_cpu_ptr(&cpu_current_top_of_stack));
	return 0;
}

/* The current task, through the run queue */
SEC("tc")
int ksym_struct(struct __sk_buff *skb)
{
	struct rq *rq = bpf_this_cpu_ptr(&runqueues);

	tell(0, rq->curr->timer_slack_ns);
	return 0;
}

SEC("tc")
int ksym_struct_address(struct __sk_buff *skb)
{
	struct rq *rq = bpf_this_cpu_ptr(&runqueues);

	tell(0, rq->curr);
	return 0;
}

/* ---- from a packet ----------------------------------------------------- */

SEC("tc")
int skb_head(struct __sk_buff *skb)
{
	struct sk_buff *k = bpf_cast_to_kern_ctx(skb);

	tell(0, k->head);
	return 0;
}

/* A byte pointer that the kernel keeps, and any number added to it */
SEC("tc")
int skb_head_walk(struct __sk_buff *skb)
{
	struct sk_buff *k = bpf_cast_to_kern_ctx(skb);
	unsigned char *p = k->head;

	tell(1, p);
	copy(p + (io.target - once(io.val[1])));
	return 0;
}

SEC("xdp")
int xdp_buff(struct xdp_md *xdp)
{
	struct xdp_buff *k = bpf_cast_to_kern_ctx(xdp);

	tell(0, k->data_hard_start);
	return XDP_PASS;
}

SEC("xdp")
int xdp_rxq(struct xdp_md *xdp)
{
	struct xdp_buff *k = bpf_cast_to_kern_ctx(xdp);

	tell(0, k->rxq->dev);
	return XDP_PASS;
}

SEC("cgroup_skb/egress")
int sk_cast(struct __sk_buff *skb)
{
	struct bpf_sock *sk = skb->sk;
	struct tcp_sock *tp;

	if (!sk)
		return PASS;
	tp = (void *)bpf_skc_to_tcp_sock(sk);
	if (tp)
		tell(0, tp->inet_conn.icsk_inet.sk.sk_prot_creator);
	return PASS;
}

/* ---- a map ------------------------------------------------------------- */

SEC("tc")
int map_field(struct __sk_buff *skb)
{
	struct bpf_map *m = (struct bpf_map *)&vault;

	tell(0, m->ops);
	return 0;
}

SEC("tc")
int map_field_number(struct __sk_buff *skb)
{
	struct bpf_array *m = (struct bpf_array *)&vault;

	tell(0, m->elem_size);
	return 0;
}

/* ---- from the current task --------------------------------------------- */

SEC("tc")
int task_trusted(struct __sk_buff *skb)
{
	tell(0, bpf_get_current_task_btf()->timer_slack_ns);
	return 0;
}

SEC("fentry/bpf_fentry_test1")
int task_trusted_fentry(void *ctx)
{
	tell(0, bpf_get_current_task_btf()->timer_slack_ns);
	return 0;
}

/* An RCU pointer */
SEC("tc")
int task_rcu(struct __sk_buff *skb)
{
	struct task_struct *parent = bpf_get_current_task_btf()->real_parent;

	if (parent)
		tell(0, parent->timer_slack_ns);
	return 0;
}

/* Untrusted, as it is walked further */
SEC("tc")
int task_walk(struct __sk_buff *skb)
{
	tell(0, bpf_get_current_task_btf()->real_parent->real_parent->timer_slack_ns);
	return 0;
}

SEC("tc")
int task_mm(struct __sk_buff *skb)
{
	struct mm_struct *mm = bpf_get_current_task_btf()->mm;

	if (mm)
		tell(0, mm->start_code);
	return 0;
}

SEC("tc")
int task_address(struct __sk_buff *skb)
{
	tell(0, bpf_get_current_task_btf());
	return 0;
}

/* A member of type void *, NULL here; what is added to it is the address. */
SEC("tc")
int void_member(struct __sk_buff *skb)
{
	struct task_struct *t = bpf_get_current_task_btf();
	void *p = t->journal_info;

	copy(p + io.target);
	return 0;
}

/* char * */
SEC("tc")
int char_member(struct __sk_buff *skb)
{
	struct task_struct *t = bpf_get_current_task_btf();
	const unsigned char *p = t->mm->exe_file->f_path.dentry->d_name.name;

	tell(1, p);
	copy(p + (io.target - once(io.val[1])));
	return 0;
}

SEC("fentry/bpf_fentry_test1")
int task_stack(void *ctx)
{
	tell(0, bpf_get_current_task_btf()->stack);
	return 0;
}

SEC("fentry/bpf_fentry_test1")
int task_user_regs(void *ctx)
{
	struct task_struct *t = bpf_get_current_task_btf();
	struct pt_regs *regs = (void *)bpf_task_pt_regs(t);

	tell(0, regs->sp);
	return 0;
}

/* ---- arguments and results of what is watched -------------------------- */

SEC("fentry/security_file_open")
int BPF_PROG(fentry_arg, struct file *file)
{
	if (mine())
		tell(0, file->f_op);
	return 0;
}

SEC("lsm/file_open")
int BPF_PROG(lsm_arg, struct file *file)
{
	if (mine())
		tell(0, file->f_op);
	return 0;
}

SEC("tp_btf/sys_enter")
int BPF_PROG(tp_btf_arg, struct pt_regs *regs, long id)
{
	if (mine())
		tell(0, regs->sp);
	return 0;
}

SEC("fexit/bpf_fentry_test1")
int BPF_PROG(fexit_task, int a, int ret)
{
	tell(0, bpf_get_current_task_btf()->timer_slack_ns);
	return 0;
}

SEC("iter/task")
int iter_task(struct bpf_iter__task *ctx)
{
	struct task_struct *t = ctx->task;

	if (t && t->pid == io.pid)
		tell(0, t->timer_slack_ns);
	return 0;
}

SEC("iter/task")
int iter_task_printed(struct bpf_iter__task *ctx)
{
	static const char fmt[] = "%llx\n";
	struct task_struct *t = ctx->task;
	__u64 addr;

	if (!t || t->pid != io.pid)
		return 0;
	addr = opaque(t);
	bpf_seq_printf(ctx->meta->seq, fmt, sizeof(fmt), &addr, sizeof(addr));
	tell(0, addr);
	return 0;
}

SEC("iter/bpf_map")
int iter_map(struct bpf_iter__bpf_map *ctx)
{
	typeof(ctx->map) p = ctx->map;

	if (p)
		tell(0, p->ops);
	return 0;
}

SEC("iter/bpf_prog")
int iter_prog(struct bpf_iter__bpf_prog *ctx)
{
	typeof(ctx->prog) p = ctx->prog;

	if (p)
		tell(0, p->bpf_func);
	return 0;
}

SEC("iter/task_file")
int iter_task_file(struct bpf_iter__task_file *ctx)
{
	typeof(ctx->file) p = ctx->file;

	if (p)
		tell(0, p->f_op);
	return 0;
}

SEC("iter/ksym")
int iter_ksym(struct bpf_iter__ksym *ctx)
{
	struct kallsym_iter *p = ctx->ksym;

	if (p && p->value)
		tell(0, p->value);
	return 0;
}

SEC("iter/udp")
int iter_udp(struct bpf_iter__udp *ctx)
{
	typeof(ctx->udp_sk) p = ctx->udp_sk;

	if (p)
		tell(0, p->inet.sk.sk_prot_creator);
	return 0;
}

SEC("iter/cgroup")
int iter_cgroup(struct bpf_iter__cgroup *ctx)
{
	typeof(ctx->cgroup) p = ctx->cgroup;

	if (p)
		tell(0, p->dom_cgrp);
	return 0;
}

SEC("iter/kmem_cache")
int iter_kmem_cache(struct bpf_iter__kmem_cache *ctx)
{
	typeof(ctx->s) p = ctx->s;

	if (p)
		tell(0, p->name);
	return 0;
}

SEC("iter/bpf_link")
int iter_link(struct bpf_iter__bpf_link *ctx)
{
	typeof(ctx->link) p = ctx->link;

	if (p)
		tell(0, p->ops);
	return 0;
}

SEC("iter/netlink")
int iter_netlink(struct bpf_iter__netlink *ctx)
{
	typeof(ctx->sk) p = ctx->sk;

	if (p)
		tell(0, p->sk.sk_prot_creator);
	return 0;
}

SEC("iter/task_vma")
int iter_task_vma(struct bpf_iter__task_vma *ctx)
{
	typeof(ctx->vma) p = ctx->vma;

	const void *ops;

	if (!p)
		return 0;
	ops = p->vm_ops;
	if (ops)
		tell(0, ops);
	return 0;
}
