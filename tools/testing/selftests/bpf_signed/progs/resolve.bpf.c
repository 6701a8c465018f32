// SPDX-License-Identifier: GPL-2.0
/* What the kernel fills in after it has verified a signature. */
#include "common.h"

struct answers {
	__u64 values[16];
};

struct answers answers;
const volatile int use_optional;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__type(key, int);
	__type(value, int);
	__uint(max_entries, 1);
} optional SEC(".maps");

/* ---- names ------------------------------------------------------------- */

extern int bpf_no_such_kfunc(void) __ksym __weak;
extern void bpf_no_such_void_kfunc(void) __ksym __weak;
extern int bpf_no_such_kfunc_either(void) __ksym;
extern const struct rq runqueues __ksym;
extern const struct rq no_such_percpu __ksym;
extern const struct rq no_such_weak_percpu __ksym __weak;
extern const void init_task __ksym;
extern const void no_such_symbol __ksym;
extern const void init_once __ksym;
extern const void no_such_weak_symbol __ksym __weak;

SEC("syscall")
int kfunc(void *ctx)
{
	struct task_struct *p;
	int pid = 0;

	p = bpf_task_from_pid(1);
	if (p) {
		pid = p->pid;
		bpf_task_release(p);
	}
	return pid;
}

SEC("syscall")
int kfunc_unknown(void *ctx)
{
	return bpf_no_such_kfunc_either();
}

SEC("syscall")
int kfunc_weak_guarded(void *ctx)
{
	if (bpf_ksym_exists(bpf_no_such_kfunc))
		return bpf_no_such_kfunc();
	return 42;
}

SEC("syscall")
int kfunc_weak_unguarded(void *ctx)
{
	return bpf_no_such_kfunc();
}

SEC("syscall")
int kfunc_weak_void(void *ctx)
{
	bpf_no_such_void_kfunc();
	return 0;
}

SEC("syscall")
int kfunc_weak_known(void *ctx)
{
	/* vmlinux.h has all kfuncs weak */
	if (!bpf_ksym_exists(bpf_rcu_read_lock))
		return 1;
	bpf_rcu_read_lock();
	bpf_rcu_read_unlock();
	return 43;
}

SEC("raw_tp/sys_enter")
int ksym_typed(void *ctx)
{
	struct rq *rq = (struct rq *)bpf_per_cpu_ptr(&runqueues, 1);

	if (rq)
		answers.values[0] = rq->cpu + 100;
	rq = (struct rq *)bpf_per_cpu_ptr(&runqueues, 0);
	if (rq)
		answers.values[1] = rq->cpu + 100;
	return 0;
}

SEC("raw_tp/sys_enter")
int ksym_typed_unknown(void *ctx)
{
	return !!bpf_per_cpu_ptr(&no_such_percpu, 0);
}

SEC("syscall")
int ksym_typed_weak(void *ctx)
{
	return &no_such_weak_percpu ? 1 : 44;
}

SEC("syscall")
int ksym_untyped(void *ctx)
{
	answers.values[0] = (__u64)&init_task;
	return 45;
}

SEC("syscall")
int ksym_untyped_unknown(void *ctx)
{
	answers.values[0] = (__u64)&no_such_symbol;
	return 0;
}

SEC("syscall")
int ksym_untyped_ambiguous(void *ctx)
{
	answers.values[0] = (__u64)&init_once;
	return 0;
}

SEC("syscall")
int ksym_untyped_weak(void *ctx)
{
	return &no_such_weak_symbol ? 1 : 46;
}

/* ---- CO-RE ------------------------------------------------------------- */

/* Nothing here lies where the kernel has it. */
struct task_struct___shuffled {
	char comm[16];
	int tgid;
	struct task_struct___shuffled *real_parent;
	int pid;
} __attribute__((preserve_access_index));

struct task_struct___future {
	int no_such_field;
} __attribute__((preserve_access_index));

struct no_such_struct {
	int x;
} __attribute__((preserve_access_index));

/* More levels than the kernel compares for records beside instructions */
struct load_weight___nested {
	unsigned long weight;
};

struct sched_entity___nested {
	struct load_weight___nested load;
};

struct task_struct___nested {
	struct sched_entity___nested se;
};

enum bpf_prog_type___shuffled {
	BPF_PROG_TYPE_TRACING___shuffled = 77,
	BPF_PROG_TYPE_NO_SUCH___shuffled = 78,
};

SEC("syscall")
int core(void *ctx)
{
	struct task_struct___shuffled *t = (void *)bpf_get_current_task();

	answers.values[0] = BPF_CORE_READ(t, pid);
	answers.values[1] = BPF_CORE_READ(t, tgid);
	answers.values[2] = BPF_CORE_READ(t, real_parent, tgid);
	answers.values[3] = bpf_core_type_size(struct task_struct);
	answers.values[4] = bpf_core_enum_value(enum bpf_prog_type___shuffled,
						BPF_PROG_TYPE_TRACING___shuffled);
	answers.values[5] = bpf_core_enum_value_exists(enum bpf_prog_type___shuffled,
						       BPF_PROG_TYPE_NO_SUCH___shuffled);
	answers.values[6] = bpf_core_field_exists(struct task_struct___future, no_such_field);
	answers.values[7] = bpf_core_field_exists(struct task_struct, pid);
	answers.values[8] = bpf_core_type_exists(struct no_such_struct);
	answers.values[9] = bpf_core_type_exists(struct task_struct);
	answers.values[10] = bpf_core_field_offset(struct task_struct, comm);
	answers.values[11] = bpf_core_field_size(struct task_struct, comm);
	bpf_core_read_str(&answers.values[12], 16, &t->comm);
	return 47;
}

SEC("syscall")
int core_nested(void *ctx)
{
	if (!bpf_core_type_matches(struct task_struct___nested))
		return 0;
	return 50;
}

SEC("syscall")
int core_guarded(void *ctx)
{
	struct task_struct___future *t = (void *)bpf_get_current_task();

	if (bpf_core_field_exists(t->no_such_field))
		return BPF_CORE_READ(t, no_such_field);
	return 48;
}

SEC("syscall")
int core_unguarded(void *ctx)
{
	struct task_struct___future *t = (void *)bpf_get_current_task();

	return BPF_CORE_READ(t, no_such_field);
}

/* ---- maps that were not created ---------------------------------------- */

SEC("syscall")
int slot_guarded(void *ctx)
{
	int zero = 0, *value;

	if (use_optional) {
		value = bpf_map_lookup_elem(&optional, &zero);
		return value ? *value : -1;
	}
	return 49;
}

SEC("syscall")
int slot_unguarded(void *ctx)
{
	int zero = 0, *value;

	value = bpf_map_lookup_elem(&optional, &zero);
	return value ? *value : -1;
}

char LICENSE[] SEC("license") = "GPL";
