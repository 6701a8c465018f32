// SPDX-License-Identifier: GPL-2.0
/* Helpers and kfuncs that hand out kernel memory or kernel addresses. */
#include "common.bpf.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64[16]);
} scratch SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_STACK_TRACE);
	__uint(max_entries, 16);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, 32 * sizeof(__u64));
} stacks SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} ring SEC(".maps");

extern int bpf_fentry_test1(int a) __ksym;

/* ---- reading helpers, in every type of program that has them ------------ */

static __always_inline void read_kernel(void)
{
	bpf_probe_read_kernel(io.bytes, 64, (void *)io.target);
	__sync_fetch_and_add(&io.hits, 1);
}

static __always_inline void read_kernel_str(void)
{
	bpf_probe_read_kernel_str(io.bytes, 64, (void *)io.target);
	__sync_fetch_and_add(&io.hits, 1);
}

/* of unsafe pointers: one that is no user's is taken for the kernel's */
static __always_inline void read_any(void)
{
	bpf_probe_read(io.bytes, 64, (void *)io.target);
	__sync_fetch_and_add(&io.hits, 1);
}

static __always_inline void read_any_str(void)
{
	bpf_probe_read_str(io.bytes, 64, (void *)io.target);
	__sync_fetch_and_add(&io.hits, 1);
}

static __always_inline void read_by_format(void)
{
	static const char fmt[] = "%s";
	__u64 arg = io.target;

	bpf_snprintf((char *)io.bytes, 64, fmt, &arg, sizeof(arg));
	__sync_fetch_and_add(&io.hits, 1);
}

static __always_inline void current_task(void)
{
	tell(0, bpf_get_current_task());
}

#define READ(sec, type, name, ret)					\
SEC(sec)								\
int name##_kernel(type * ctx)						\
{									\
	read_kernel();							\
	return ret;							\
}									\
									\
SEC(sec)								\
int name##_kernel_str(type * ctx)					\
{									\
	read_kernel_str();						\
	return ret;							\
}									\
									\
SEC(sec)								\
int name##_format(type * ctx)						\
{									\
	read_by_format();						\
	return ret;							\
}									\
									\
SEC(sec)								\
int name##_task(type * ctx)						\
{									\
	current_task();							\
	return ret;							\
}

#define READ_ANY(sec, type, name, ret)					\
SEC(sec)								\
int name##_any(type * ctx)						\
{									\
	read_any();							\
	return ret;							\
}									\
									\
SEC(sec)								\
int name##_any_str(type * ctx)						\
{									\
	read_any_str();							\
	return ret;							\
}

READ("tc", struct __sk_buff, tc, 0)
READ("xdp", struct xdp_md, xdp, XDP_PASS)
READ("socket", struct __sk_buff, socket, 0)
READ("cgroup_skb/egress", struct __sk_buff, cgroup_skb, PASS)
READ("cgroup/sock_create", struct bpf_sock, cgroup_sock, PASS)
READ("cgroup/bind4", struct bpf_sock_addr, sock_addr, PASS)
READ("cgroup/setsockopt", struct bpf_sockopt, sockopt, PASS)
READ("cgroup/dev", struct bpf_cgroup_dev_ctx, device, PASS)
READ("cgroup/sysctl", struct bpf_sysctl, sysctl, PASS)
READ("sockops", struct bpf_sock_ops, sockops, PASS)
READ("sk_lookup", struct bpf_sk_lookup, sk_lookup, SK_PASS)
READ("flow_dissector", struct __sk_buff, flow, BPF_OK)
READ("syscall", void, syscall, 0)
READ("kprobe/__x64_sys_getppid", struct pt_regs, kprobe, 0)
READ("tracepoint/syscalls/sys_enter_getppid", void, tracepoint, 0)
READ("raw_tracepoint/sys_enter", struct bpf_raw_tracepoint_args, raw_tp, 0)
READ("fentry/bpf_fentry_test1", void, fentry, 0)
READ("lsm/file_open", void, lsm, 0)
READ("perf_event", struct bpf_perf_event_data, perf_event, 0)
READ_ANY("kprobe/__x64_sys_getppid", struct pt_regs, kprobe, 0)
READ_ANY("tracepoint/syscalls/sys_enter_getppid", void, tracepoint, 0)
READ_ANY("raw_tracepoint/sys_enter", struct bpf_raw_tracepoint_args, raw_tp, 0)
READ_ANY("fentry/bpf_fentry_test1", void, fentry, 0)
READ_ANY("perf_event", struct bpf_perf_event_data, perf_event, 0)

/* ---- kfuncs that read -------------------------------------------------- */

SEC("tc")
int dynptr_kernel(struct __sk_buff *skb)
{
	struct bpf_dynptr ptr;

	bpf_ringbuf_reserve_dynptr(&ring, 64, 0, &ptr);
	if (!bpf_probe_read_kernel_dynptr(&ptr, 0, 64, (void *)io.target))
		bpf_dynptr_read(io.bytes, 64, &ptr, 0, 0);
	bpf_ringbuf_discard_dynptr(&ptr, 0);
	return 0;
}

SEC("tc")
int dynptr_kernel_str(struct __sk_buff *skb)
{
	struct bpf_dynptr ptr;

	bpf_ringbuf_reserve_dynptr(&ring, 64, 0, &ptr);
	bpf_probe_read_kernel_str_dynptr(&ptr, 0, 64, (void *)io.target);
	bpf_dynptr_read(io.bytes, 64, &ptr, 0, 0);
	bpf_ringbuf_discard_dynptr(&ptr, 0);
	return 0;
}

/* An index of a character is where it is: byte by byte, by search */
SEC("tc")
int search_character(struct __sk_buff *skb)
{
	int i, c;

	bpf_for(i, 0, 16) {
		bpf_for(c, 1, 128)
			if (!bpf_strnchr((char *)io.target + i, 1, c))
				io.bytes[i & 127] = c;
	}
	return 0;
}

SEC("tc")
int string_compare(struct __sk_buff *skb)
{
	static const char words[] = "Linux version";

	io.val[0] = !bpf_strnstr((char *)io.target, words, 32);
	return 0;
}

SEC("tc")
int string_length(struct __sk_buff *skb)
{
	io.val[0] = bpf_strlen((char *)io.target);
	return 0;
}

SEC("tc")
int string_span(struct __sk_buff *skb)
{
	static const char set[] = "Linux versio";

	io.val[0] = bpf_strspn((char *)io.target, set);
	return 0;
}

SEC("tc")
int bits(struct __sk_buff *skb)
{
	struct bpf_iter_bits it;
	__u32 *bit;

	bpf_iter_bits_new(&it, (__u64 *)io.target, 4);
	while ((bit = (__u32 *)bpf_iter_bits_next(&it)))
		io.bytes[*bit / 8 & 127] |= 1 << *bit % 8;
	bpf_iter_bits_destroy(&it);
	return 0;
}

SEC("tc")
int kmem_cache(struct __sk_buff *skb)
{
	struct kmem_cache *s = bpf_get_kmem_cache(bpf_get_current_task());

	if (s)
		tell(0, s->name);
	return 0;
}

/* ---- formats ----------------------------------------------------------- */

static const char fmt_address[] = "%pI4";
static const char fmt_symbol[] = "%ps";
static const char fmt_pointer[] = "%px";
static const char fmt_string[] = "%s";
static const char fmt_kernel_string[] = "%pks";

#define FORMAT(name, fmt, what)						\
SEC("tc") int format_##name(struct __sk_buff *skb)			\
{									\
	__u64 arg = what;						\
									\
	bpf_snprintf((char *)io.bytes, 64, fmt, &arg, sizeof(arg));	\
	__sync_fetch_and_add(&io.hits, 1);				\
	return 0;							\
}

FORMAT(ip_address, fmt_address, io.target)
FORMAT(symbol, fmt_symbol, io.target)
FORMAT(pointer, fmt_pointer, opaque(vault_value()))
FORMAT(string, fmt_string, io.target)
FORMAT(kernel_string, fmt_kernel_string, io.target)

SEC("iter/task")
int seq_string(struct bpf_iter__task *ctx)
{
	__u64 arg = io.target;

	if (!ctx->task)
		bpf_seq_printf(ctx->meta->seq, fmt_string, sizeof(fmt_string), &arg, sizeof(arg));
	return 0;
}

SEC("iter/task")
int seq_btf(struct bpf_iter__task *ctx)
{
	static struct btf_ptr ptr;
	struct task_struct *t = ctx->task;

	if (!t || t->pid != 1)
		return 0;
	ptr.type_id = bpf_core_type_id_kernel(struct task_struct);
	ptr.ptr = t;
	bpf_seq_printf_btf(ctx->meta->seq, &ptr, sizeof(ptr), 0);
	return 0;
}

SEC("tc")
int snprintf_btf(struct __sk_buff *skb)
{
	static struct btf_ptr ptr;

	ptr.type_id = bpf_core_type_id_kernel(struct list_head);
	ptr.ptr = (void *)io.target;
	bpf_snprintf_btf((char *)io.bytes, sizeof(io.bytes), &ptr, sizeof(ptr), BTF_F_PTR_RAW);
	__sync_fetch_and_add(&io.hits, 1);
	return 0;
}

SEC("tc")
int printk_string(struct __sk_buff *skb)
{
	static const char fmt[] = "ways: %s";

	bpf_trace_printk(fmt, sizeof(fmt), io.target);
	return 0;
}

SEC("tc")
int vprintk_string(struct __sk_buff *skb)
{
	static const char fmt[] = "ways: %s";
	__u64 arg = io.target;

	bpf_trace_vprintk(fmt, sizeof(fmt), &arg, sizeof(arg));
	return 0;
}

SEC("tc")
int stream_string(struct __sk_buff *skb)
{
	static const char fmt[] = "ways: %s";
	__u64 arg = io.target;

	bpf_stream_vprintk(1, fmt, &arg, sizeof(arg));
	return 0;
}

SEC("tc")
int stream_pointer(struct __sk_buff *skb)
{
	static const char fmt[] = "ways: %llx";
	__u64 arg = opaque(vault_value());

	bpf_stream_vprintk(1, fmt, &arg, sizeof(arg));
	return 0;
}

SEC("tc")
int stream_stack(struct __sk_buff *skb)
{
	bpf_stream_print_stack(1);
	return 0;
}

/* ---- what a light skeleton's loader calls ------------------------------- */

/* The kernel takes pointers in the attributes for its own: memory to a map */
SEC("syscall")
int sys_bpf(void *ctx)
{
	__u64 attr[16] = {};

	attr[0] = io.arg[1];		/* map_fd */
	attr[1] = (__u64)&io.arg[2];	/* key: zero */
	attr[2] = io.target;		/* value */
	io.val[1] = bpf_sys_bpf(BPF_MAP_UPDATE_ELEM, (union bpf_attr *)attr, 32);
	return 0;
}

SEC("syscall")
int kallsyms_name(void *ctx)
{
	static const char name[] = "linux_banner";

	bpf_kallsyms_lookup_name(name, sizeof(name), 0, (__u64 *)&io.val[0]);
	return 0;
}

/* ---- addresses of code and symbols --------------------------------------- */

SEC("tc")
int ksym_function(struct __sk_buff *skb)
{
	tell(0, bpf_fentry_test1);
	return 0;
}

SEC("xdp")
int ksym_function_xdp(struct xdp_md *ctx)
{
	tell(0, bpf_fentry_test1);
	return XDP_PASS;
}

SEC("fentry/bpf_fentry_test1")
int func_ip_fentry(void *ctx)
{
	tell(0, bpf_get_func_ip(ctx));
	return 0;
}

SEC("kprobe/__x64_sys_getppid")
int func_ip_kprobe(void *ctx)
{
	tell(0, bpf_get_func_ip(ctx));
	return 0;
}

SEC("kprobe.multi/__x64_sys_getppid")
int func_ip_multi(void *ctx)
{
	tell(0, bpf_get_func_ip(ctx));
	return 0;
}

SEC("fentry/security_file_open")
int func_arg(void *ctx)
{
	__u64 x = 0;

	bpf_get_func_arg(ctx, 0, &x);
	if (mine())
		tell(0, x);
	return 0;
}

SEC("fexit/alloc_pid")
int func_ret(void *ctx)
{
	__u64 x = 0;

	bpf_get_func_ret(ctx, &x);
	if (mine())
		tell(0, x);
	return 0;
}

/* ---- stacks ------------------------------------------------------------ */

static __always_inline void take_stack(void *ctx)
{
	__u64 ips[4] = {};

	bpf_get_stack(ctx, ips, sizeof(ips), 0);
	if (in_kernel(ips[0]))
		tell(0, ips[0]);
}

static __always_inline void take_stackid(void *ctx)
{
	long id = bpf_get_stackid(ctx, &stacks, 0);

	if (id >= 0)
		tell(1, id);
}

#define STACK(sec, name, when)						\
SEC(sec)								\
int stack_##name(void *ctx)						\
{									\
	if (when)							\
		take_stack(ctx);					\
	return 0;							\
}									\
									\
SEC(sec)								\
int stackid_##name(void *ctx)						\
{									\
	if (when)							\
		take_stackid(ctx);					\
	return 0;							\
}

STACK("kprobe/__x64_sys_getppid", kprobe, mine())
STACK("tracepoint/syscalls/sys_enter_getppid", tracepoint, mine())
STACK("raw_tracepoint/sys_enter", raw_tp, mine())
STACK("fentry/bpf_fentry_test1", fentry, 1)
STACK("perf_event", perf_event, 1)

/* of a task that sleeps in the kernel */
SEC("iter/task")
int stack_of_task(struct bpf_iter__task *ctx)
{
	struct task_struct *t = ctx->task;
	__u64 ips[4] = {};

	if (!t || t->pid != io.arg[0])
		return 0;
	bpf_get_task_stack(t, ips, sizeof(ips), 0);
	tell(0, ips[0]);
	return 0;
}

SEC("tc")
int stack_of_current(struct __sk_buff *skb)
{
	__u64 ips[4] = {};

	bpf_get_task_stack(bpf_get_current_task_btf(), ips, sizeof(ips), 0);
	tell(0, ips[1]);
	return 0;
}

/* ---- registers and arguments, as numbers -------------------------------- */

SEC("kprobe/__x64_sys_getppid")
int regs_kprobe(struct pt_regs *ctx)
{
	tell(0, PT_REGS_PARM1(ctx));
	return 0;
}

SEC("kprobe/__x64_sys_getppid")
int regs_kprobe_ip(struct pt_regs *ctx)
{
	tell(0, PT_REGS_IP(ctx));
	return 0;
}

SEC("kprobe/__x64_sys_getppid")
int regs_kprobe_sp(struct pt_regs *ctx)
{
	tell(0, PT_REGS_SP(ctx));
	return 0;
}

SEC("kretprobe/alloc_pid")
int regs_kretprobe(struct pt_regs *ctx)
{
	if (mine())
		tell(0, PT_REGS_RC(ctx));
	return 0;
}

SEC("kprobe.multi/__x64_sys_getppid")
int regs_multi(struct pt_regs *ctx)
{
	tell(0, PT_REGS_PARM1(ctx));
	return 0;
}

SEC("perf_event")
int regs_perf_event(struct bpf_perf_event_data *ctx)
{
	__u64 ip = PT_REGS_IP(&ctx->regs);

	if (ip > 0xff00000000000000)
		tell(0, ip);
	return 0;
}

SEC("raw_tracepoint/sys_enter")
int arg_raw_tp(struct bpf_raw_tracepoint_args *ctx)
{
	if (mine())
		tell(0, ctx->args[0]);
	return 0;
}

SEC("raw_tracepoint/sched_switch")
int arg_raw_tp_switch(struct bpf_raw_tracepoint_args *ctx)
{
	tell(0, ctx->args[1]);
	return 0;
}

/* What the record of a tracepoint has in it */
SEC("tracepoint/skb/kfree_skb")
int record_kfree_skb(struct trace_event_raw_kfree_skb *ctx)
{
	if (ctx->location)
		tell(0, ctx->location);
	return 0;
}

SEC("tracepoint/kmem/kfree")
int record_kfree(struct trace_event_raw_kfree *ctx)
{
	if (ctx->ptr)
		tell(0, ctx->ptr);
	return 0;
}

/* Numbers and pointers to what is no structure */
SEC("tp_btf/kfree")
int BPF_PROG(arg_tp_btf, unsigned long call_site, const void *ptr)
{
	tell(0, call_site);
	return 0;
}

SEC("tp_btf/kfree")
int BPF_PROG(arg_tp_btf_void, unsigned long call_site, const void *ptr)
{
	if (ptr)
		tell(0, ptr);
	return 0;
}

SEC("fentry/kfree")
int BPF_PROG(arg_fentry_void, const void *ptr)
{
	if (in_kernel(opaque(ptr)))
		tell(0, ptr);
	return 0;
}

SEC("fexit/kmem_cache_alloc_noprof")
int BPF_PROG(ret_fexit_void, struct kmem_cache *s, unsigned int flags, void *ret)
{
	if (ret)
		tell(0, ret);
	return 0;
}

SEC("fexit/alloc_pid")
int BPF_PROG(ret_fexit_struct, struct pid_namespace *ns)
{
	__u64 x = 0;

	bpf_get_func_ret(ctx, &x);
	tell(0, x);
	return 0;
}

/* ---- other ------------------------------------------------------------- */

SEC("fentry/security_file_open")
int BPF_PROG(path, struct file *file)
{
	if (mine() && !io.hits) {
		bpf_d_path(&file->f_path, (char *)io.bytes, sizeof(io.bytes));
		__sync_fetch_and_add(&io.hits, 1);
	}
	return 0;
}
