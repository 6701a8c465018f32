// SPDX-License-Identifier: GPL-2.0
/* Memory and registers of user space. */
#include "common.bpf.h"

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

/* io.arg[0] is where the runner has its text, io.arg[1] where it waits for one */
static __always_inline void read_user(void)
{
	bpf_probe_read_user(io.bytes, 16, (void *)io.arg[0]);
	__sync_fetch_and_add(&io.hits, 1);
}

static __always_inline void read_user_str(void)
{
	bpf_probe_read_user_str(io.bytes, 32, (void *)io.arg[0]);
	__sync_fetch_and_add(&io.hits, 1);
}

#define USER(sec, type, name, when, ret)				\
SEC(sec)								\
int name##_user(type * ctx)						\
{									\
	if (when)							\
		read_user();						\
	return ret;							\
}									\
									\
SEC(sec)								\
int name##_user_str(type * ctx)						\
{									\
	if (when)							\
		read_user_str();					\
	return ret;							\
}

USER("tc", struct __sk_buff, tc, 1, 0)
USER("xdp", struct xdp_md, xdp, 1, XDP_PASS)
USER("socket", struct __sk_buff, socket, 1, 0)
USER("cgroup_skb/egress", struct __sk_buff, cgroup_skb, 1, PASS)
USER("cgroup/bind4", struct bpf_sock_addr, sock_addr, 1, PASS)
USER("cgroup/dev", struct bpf_cgroup_dev_ctx, device, 1, PASS)
USER("syscall", void, syscall, 1, 0)
USER("kprobe/__x64_sys_getppid", struct pt_regs, kprobe, mine(), 0)
USER("uprobe//proc/self/exe:probed", struct pt_regs, uprobe, mine(), 0)
USER("uretprobe//proc/self/exe:probed", struct pt_regs, uretprobe, mine(), 0)
USER("tracepoint/syscalls/sys_enter_getppid", void, tracepoint, mine(), 0)
USER("raw_tracepoint/sys_enter", struct bpf_raw_tracepoint_args, raw_tp, mine(), 0)
USER("fentry/bpf_fentry_test1", void, fentry, 1, 0)
USER("lsm/file_open", void, lsm, mine(), 0)

/* ---- sleepable --------------------------------------------------------- */

SEC("syscall")
int copy_from(void *ctx)
{
	bpf_copy_from_user(io.bytes, 16, (void *)io.arg[0]);
	return 0;
}

SEC("lsm.s/file_open")
int copy_from_lsm(void *ctx)
{
	if (mine())
		bpf_copy_from_user(io.bytes, 16, (void *)io.arg[0]);
	return 0;
}

SEC("uprobe.s//proc/self/exe:probed")
int copy_from_uprobe(void *ctx)
{
	if (mine())
		bpf_copy_from_user(io.bytes, 16, (void *)io.arg[0]);
	return 0;
}

SEC("fentry.s/bpf_fentry_test1")
int copy_from_task(void *ctx)
{
	bpf_copy_from_user_task(io.bytes, 16, (void *)io.arg[0],
				bpf_get_current_task_btf(), 0);
	return 0;
}

SEC("syscall")
int copy_from_str(void *ctx)
{
	bpf_copy_from_user_str(io.bytes, 32, (void *)io.arg[0], 0);
	return 0;
}

SEC("syscall")
int copy_from_dynptr(void *ctx)
{
	struct bpf_dynptr ptr;

	bpf_ringbuf_reserve_dynptr(&ring, 32, 0, &ptr);
	bpf_copy_from_user_dynptr(&ptr, 0, 16, (void *)io.arg[0]);
	bpf_dynptr_read(io.bytes, 16, &ptr, 0, 0);
	bpf_ringbuf_discard_dynptr(&ptr, 0);
	return 0;
}

SEC("tc")
int read_dynptr(struct __sk_buff *skb)
{
	struct bpf_dynptr ptr;

	bpf_ringbuf_reserve_dynptr(&ring, 32, 0, &ptr);
	bpf_probe_read_user_dynptr(&ptr, 0, 16, (void *)io.arg[0]);
	bpf_dynptr_read(io.bytes, 16, &ptr, 0, 0);
	bpf_ringbuf_discard_dynptr(&ptr, 0);
	return 0;
}

SEC("tc")
int read_dynptr_str(struct __sk_buff *skb)
{
	struct bpf_dynptr ptr;

	bpf_ringbuf_reserve_dynptr(&ring, 32, 0, &ptr);
	bpf_probe_read_user_str_dynptr(&ptr, 0, 32, (void *)io.arg[0]);
	bpf_dynptr_read(io.bytes, 16, &ptr, 0, 0);
	bpf_ringbuf_discard_dynptr(&ptr, 0);
	return 0;
}

/* ---- stacks ------------------------------------------------------------ */

SEC("kprobe/__x64_sys_getppid")
int stack_kprobe(void *ctx)
{
	if (!mine())
		return 0;
	bpf_get_stack(ctx, &io.val[1], 8, BPF_F_USER_STACK);
	tell(0, io.val[1]);
	return 0;
}

SEC("uprobe//proc/self/exe:probed")
int stack_uprobe(void *ctx)
{
	if (!mine())
		return 0;
	bpf_get_stack(ctx, &io.val[1], 8, BPF_F_USER_STACK);
	tell(0, io.val[1]);
	return 0;
}

SEC("tracepoint/syscalls/sys_enter_getppid")
int stack_tracepoint(void *ctx)
{
	if (!mine())
		return 0;
	bpf_get_stack(ctx, &io.val[1], 8, BPF_F_USER_STACK);
	tell(0, io.val[1]);
	return 0;
}

SEC("kprobe/__x64_sys_getppid")
int stackid_kprobe(void *ctx)
{
	long id;

	if (!mine())
		return 0;
	id = bpf_get_stackid(ctx, &stacks, BPF_F_USER_STACK);
	if (id >= 0)
		tell(1, id);
	return 0;
}

SEC("tracepoint/syscalls/sys_enter_getppid")
int stackid_tracepoint(void *ctx)
{
	long id;

	if (!mine())
		return 0;
	id = bpf_get_stackid(ctx, &stacks, BPF_F_USER_STACK);
	if (id >= 0)
		tell(1, id);
	return 0;
}

/* ---- writing ----------------------------------------------------------- */

static const char text[] = "written";

#define WRITE(sec, name, when)						\
SEC(sec) int write_##name(void *ctx)					\
{									\
	if (when)							\
		bpf_probe_write_user((void *)io.arg[1], text, sizeof(text)); \
	return 0;							\
}

WRITE("kprobe/__x64_sys_getppid", kprobe, mine())
WRITE("tracepoint/syscalls/sys_enter_getppid", tracepoint, mine())
WRITE("raw_tracepoint/sys_enter", raw_tp, mine())
WRITE("fentry/bpf_fentry_test1", fentry, 1)
WRITE("uprobe//proc/self/exe:probed", uprobe, mine())
