// SPDX-License-Identifier: GPL-2.0
/* Programs for what lockdown would say to them. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

extern int bpf_cgroup_read_xattr(void *cgroup, const char *name, void *value) __ksym __weak;
extern void bpf_rcu_read_lock(void) __ksym;
extern void bpf_rcu_read_unlock(void) __ksym;
extern void no_such_kfunc(void) __ksym __weak;
extern const void init_task __ksym;

struct {
	__uint(type, BPF_MAP_TYPE_STACK_TRACE);
	__uint(max_entries, 16);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, 8 * sizeof(__u64));
} stacks SEC(".maps");

SEC("xdp")
int packet(struct xdp_md *ctx)
{
	return bpf_get_prandom_u32() ? XDP_PASS : XDP_DROP;
}

SEC("kprobe/do_unlinkat")
int reads_kernel(void *ctx)
{
	long value = 0;

	bpf_probe_read_kernel(&value, sizeof(value), ctx);
	return value + bpf_get_current_pid_tgid();
}

SEC("xdp")
int packet_reads_kernel(struct xdp_md *ctx)
{
	long value = 0;

	bpf_probe_read_kernel(&value, sizeof(value), ctx);
	return value;
}

SEC("uprobe//bin/bash:readline")
int reads_user(void *ctx)
{
	long value = 0;

	bpf_probe_read_user(&value, sizeof(value), ctx);
	return value;
}

SEC("perf_event")
int user_stack(void *ctx)
{
	return bpf_get_stackid(ctx, &stacks, BPF_F_USER_STACK);
}

SEC("perf_event")
int kernel_stack(void *ctx)
{
	return bpf_get_stackid(ctx, &stacks, 0);
}

SEC("tp/syscalls/sys_enter_getpid")
int writes_user(void *ctx)
{
	long value = 0;

	return bpf_probe_write_user(ctx, &value, sizeof(value));
}

SEC("raw_tp/sys_enter")
int prints(void *ctx)
{
	static const char format[] = "%d";
	char out[16];
	__u64 args[1] = { 1 };

	return bpf_snprintf(out, sizeof(out), format, args, sizeof(args));
}

SEC("fentry/do_unlinkat")
int BPF_PROG(kfuncs)
{
	bpf_rcu_read_lock();
	bpf_rcu_read_unlock();
	if (bpf_cgroup_read_xattr)
		return bpf_cgroup_read_xattr(0, "", 0);
	return 0;
}

SEC("tc")
int unlisted(struct __sk_buff *ctx)
{
	if (no_such_kfunc)
		no_such_kfunc();
	return 0;
}

SEC("fentry/do_unlinkat")
int BPF_PROG(address)
{
	return (long)&init_task;
}

SEC("fmod_ret/bpf_fentry_test1")
__bpf_lockdown(integrity, fields)
__bpf_lockdown(confidentiality, kernel_read)
int BPF_PROG(changes)
{
	return 1;
}

SEC("fentry/do_unlinkat")
__bpf_lockdown(confidentiality, fields)
int BPF_PROG(annotated)
{
	return !bpf_get_current_task_btf();
}

SEC("xdp")
__bpf_lockdown(confidentiality, forbid)
int forbidden(struct xdp_md *ctx)
{
	return XDP_PASS;
}

/* held to no event, which may be the kernel's */
SEC("kprobe")
__bpf_lockdown(confidentiality, user_read)
int anywhere(void *ctx)
{
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
