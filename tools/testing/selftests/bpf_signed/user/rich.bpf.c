// SPDX-License-Identifier: GPL-2.0
/* One of everything that an image can hold, without need of a vmlinux.h */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <bpf/bpf_core_read.h>

char LICENSE[] SEC("license") = "GPL";

struct task_struct {
	int pid;
	int tgid;
} __attribute__((preserve_access_index));

struct config {
	int pid;
	int limit;
};

const volatile int targ_pid;
const volatile char targ_comm[16] = "init";
const volatile struct config cfg = { .pid = 1, .limit = 2 };
typedef const volatile long tunable_long;
tunable_long targ_long = 7;
static const volatile int static_tunable = 3;
const int fixed_number = 42;
const char fixed_text[] = "these bytes are signed";
const volatile int custom_tunable SEC(".rodata.custom") = 5;

int counter;
int preset = 11;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16);
	__type(key, int);
	__type(value, long);
} hash SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_STACK_TRACE);
	__uint(max_entries, 16);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, 8 * sizeof(__u64));
} stacks SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
	__uint(key_size, sizeof(int));
	__uint(value_size, sizeof(int));
} events SEC(".maps");

struct inner {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, int);
	__type(value, int);
} inner SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__type(key, int);
	__array(values, struct inner);
} outer SEC(".maps") = { .values = { &inner } };

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, int);
	__type(value, int);
} unused SEC(".maps");

extern int LINUX_KERNEL_VERSION __kconfig;
extern const int bpf_prog_active __ksym;
extern const void init_task __ksym;
extern const void no_such_symbol __ksym __weak;
extern struct task_struct *bpf_task_acquire(struct task_struct *p) __ksym;
extern void bpf_task_release(struct task_struct *p) __ksym;
extern void no_such_kfunc(void) __ksym __weak;
extern struct task_struct *bpf_task_from_pid___flavour(int pid) __ksym __weak;

static __noinline int subprog(int x)
{
	return x + *(volatile const int *)&fixed_number;
}

static long with_maps(void *ctx)
{
	int key = targ_pid;
	long *val;

	val = bpf_map_lookup_elem(&hash, &key);
	if (val)
		__sync_fetch_and_add(val, cfg.limit + targ_comm[0] + targ_long + static_tunable);
	bpf_get_stackid(ctx, &stacks, 0);
	bpf_perf_event_output(ctx, &events, BPF_F_CURRENT_CPU, &key, sizeof(key));
	if (bpf_map_lookup_elem(&outer, &(int){ 0 }))
		counter += preset;
	return LINUX_KERNEL_VERSION + custom_tunable;
}

SEC("tracepoint/syscalls/sys_enter_getpid")
int tracepoint_prog(void *ctx)
{
	bpf_printk("%d %s", subprog(targ_pid), fixed_text);
	return with_maps(ctx);
}

SEC("kprobe/do_unlinkat")
int kprobe_prog(struct pt_regs *ctx)
{
	return subprog(counter);
}

SEC("tp_btf/task_newtask")
int BPF_PROG(tp_btf_prog, struct task_struct *task)
{
	struct task_struct *t;
	const int *active;

	active = bpf_per_cpu_ptr(&bpf_prog_active, 0);
	if (active)
		counter += *active;
	if (&no_such_symbol)
		counter++;
	if (bpf_ksym_exists(no_such_kfunc))
		no_such_kfunc();
	if (bpf_ksym_exists(bpf_task_from_pid___flavour)) {
		t = bpf_task_from_pid___flavour(1);
		if (t)
			bpf_task_release(t);
	}
	t = bpf_task_acquire(task);
	if (t) {
		counter += t->pid + bpf_core_field_exists(t->tgid);
		bpf_task_release(t);
	}
	return 0;
}

SEC("?tp_btf/task_newtask")
int BPF_PROG(untyped_ksym_prog, struct task_struct *task)
{
	counter = (long)&init_task;
	return 0;
}

SEC("fentry/do_unlinkat")
int BPF_PROG(fentry_prog)
{
	return 0;
}

SEC("?fexit.s/vmlinux:do_unlinkat")
int BPF_PROG(fexit_sleepable_prog)
{
	return 0;
}

SEC("fentry")
int BPF_PROG(no_target_prog)
{
	counter = 5;
	return 0;
}

SEC("lsm/file_open")
int BPF_PROG(lsm_prog)
{
	return 0;
}

SEC("lsm_cgroup/socket_bind")
int BPF_PROG(lsm_cgroup_prog)
{
	return 1;
}

SEC("iter/task")
int iter_prog(void *ctx)
{
	return 0;
}

SEC("?freplace/subprog")
int freplace_prog(int x)
{
	return x;
}

SEC("xdp")
int xdp_prog(void *ctx)
{
	return XDP_PASS;
}

struct no_such_ops___v2 {
	int (*ssthresh)(int sk);
	int (*undo_cwnd)(int sk);
};

SEC("struct_ops")
int BPF_PROG(ops_prog, int sk)
{
	return 2;
}

SEC("?struct_ops")
int BPF_PROG(unused_ops_prog, int sk)
{
	return 2;
}

SEC("?.struct_ops.link")
struct no_such_ops___v2 ops = {
	.ssthresh = (void *)ops_prog,
	.undo_cwnd = (void *)ops_prog,
};
