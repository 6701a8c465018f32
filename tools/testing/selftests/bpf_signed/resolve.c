// SPDX-License-Identifier: GPL-2.0
/*
 * What the kernel fills in after it has verified an image: kfuncs, kernel
 * symbols, CO-RE, and maps that were not created. Compared with the truth.
 */
#define _GNU_SOURCE
#include <bpf/btf.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/time.h>
#include "lib.h"

static struct object *obj;
static const struct image_prog *prog;
static int fds[BPF_IMAGE_MAX_MAPS], fd_cnt;

static void prepare(union bpf_attr *attr, const char *name)
{
	if (!obj)
		obj = object_open("resolve.signed.o");
	prog = object_prog(obj, name);
	fd_cnt = object_attr(attr, obj, prog, fds);
}

static int load(const char *name)
{
	union bpf_attr attr;
	int fd;

	prepare(&attr, name);
	fd = image_load(&attr);
	check(fd >= 0, "%s: %s; log: %s", name, strerror(-fd), log_text);
	return fd;
}

static void answers(__u64 values[16])
{
	int zero = 0;

	must(map_lookup(fds[image_slot(prog->image, ".bss")], &zero, values));
}

static void returns(const char *name, int want)
{
	int ret = prog_run(load(name));

	check(ret == want, "%s returned %d, not %d", name, ret, want);
}

static void kfunc(const void *arg)
{
	returns("kfunc", 1);
}

static void kfunc_unknown(const void *arg)
{
	union bpf_attr attr;

	prepare(&attr, "kfunc_unknown");
	expect_refused(&attr, ENOENT,
		       "ksym 'bpf_no_such_kfunc_either': this kernel has no such kfunc; declare it");
}

static void kfunc_weak(const void *arg)
{
	returns("kfunc_weak_guarded", 42);
	returns("kfunc_weak_known", 43);
}

static void kfunc_weak_reached(const void *arg)
{
	union bpf_attr attr;

	/* the verifier misses the result first */
	prepare(&attr, "kfunc_weak_unguarded");
	expect_refused(&attr, EACCES, "R0 !read_ok");
	prepare(&attr, "kfunc_weak_void");
	expect_refused(&attr, EINVAL, "invalid kernel function call not eliminated");
}

static void ksym_typed(const void *arg)
{
	int fd = load("ksym_typed");
	__u64 v[16];

	prog_run(fd);
	answers(v);
	check(v[1] == 100, "CPU 0 is %llu", (unsigned long long)v[1]);
	if (sysconf(_SC_NPROCESSORS_CONF) > 1)
		check(v[0] == 101, "CPU 1 is %llu", (unsigned long long)v[0]);
}

static void ksym_typed_unknown(const void *arg)
{
	union bpf_attr attr;

	prepare(&attr, "ksym_typed_unknown");
	expect_refused(&attr, ENOENT, "ksym 'no_such_percpu': this kernel has no such symbol");
	returns("ksym_typed_weak", 44);
}

static __u64 address_of(const char *name)
{
	char line[512], sym[256], type;
	unsigned long long addr, found = 0;
	FILE *f = fopen("/proc/kallsyms", "r");

	check(f, "no /proc/kallsyms");
	while (!found && fgets(line, sizeof(line), f))
		if (sscanf(line, "%llx %c %255s", &addr, &type, sym) == 3 && !strcmp(sym, name))
			found = addr;
	fclose(f);
	return found;
}

static void set_kptr_restrict(const char *value)
{
	int fd = must(open("/proc/sys/kernel/kptr_restrict", O_WRONLY));

	must(write(fd, value, strlen(value)));
	close(fd);
}

static void ksym_untyped(const void *arg)
{
	__u64 v[16], want;

	set_kptr_restrict("1");
	want = address_of("init_task");
	check(want, "no init_task in /proc/kallsyms");
	returns("ksym_untyped", 45);
	answers(v);
	check(v[0] == want, "%#llx, not %#llx", (unsigned long long)v[0],
	      (unsigned long long)want);
}

static void ksym_untyped_unknown(const void *arg)
{
	union bpf_attr attr;

	prepare(&attr, "ksym_untyped_unknown");
	expect_refused(&attr, ENOENT, "ksym 'no_such_symbol': this kernel has no such symbol");
	returns("ksym_untyped_weak", 46);
}

static void ksym_untyped_ambiguous(const void *arg)
{
	union bpf_attr attr;

	/* a function of several files that initialise their caches' objects */
	prepare(&attr, "ksym_untyped_ambiguous");
	expect_refused(&attr, EINVAL, "ksym 'init_once': this kernel has several symbols");
}

static void ksym_untyped_hidden(const void *arg)
{
	union bpf_attr attr;
	int shown;

	/* where /proc/kallsyms shows zeroes, an image learns no address */
	prepare(&attr, "ksym_untyped");
	set_kptr_restrict("2");
	shown = image_load(&attr);
	set_kptr_restrict("1");
	check(shown == -EPERM, "%s", shown < 0 ? strerror(-shown) : "it loaded");
	check(strstr(log_text, "ksym 'init_task': its address is hidden from the caller"),
	      "log: %s", log_text);
	check(strstr(log_text, "see kernel.kptr_restrict"), "log: %s", log_text);
}

static void core(const void *arg)
{
	struct btf *vmlinux = btf__load_vmlinux_btf();
	const struct btf_type *t;
	const struct btf_member *m;
	char comm[17] = "core_truth";
	__u64 v[16];
	int id, i, off = -1, fd;

	id = btf__find_by_name_kind(vmlinux, "task_struct", BTF_KIND_STRUCT);
	check(id > 0, "no task_struct");
	t = btf__type_by_id(vmlinux, id);
	m = btf_members(t);
	for (i = 0; i < btf_vlen(t); i++)
		if (!strcmp(btf__name_by_offset(vmlinux, m[i].name_off), "comm"))
			off = btf_member_bit_offset(t, i) / 8;

	fd = load("core");
	prctl(PR_SET_NAME, comm);
	check(prog_run(fd) == 47, "another program");
	answers(v);
	check(v[0] == (__u64)getpid(), "pid %llu", (unsigned long long)v[0]);
	check(v[1] == (__u64)getpid(), "tgid %llu", (unsigned long long)v[1]);
	check(v[2] == (__u64)getppid(), "parent %llu", (unsigned long long)v[2]);
	check(v[3] == t->size, "size of task_struct %llu", (unsigned long long)v[3]);
	check(v[4] == BPF_PROG_TYPE_TRACING, "enum value %llu", (unsigned long long)v[4]);
	check(v[5] == 0, "an enum value that is not there");
	check(v[6] == 0, "a field that is not there");
	check(v[7] == 1, "no field pid");
	check(v[8] == 0, "a type that is not there");
	check(v[9] == 1, "no task_struct");
	check(v[10] == (__u64)off, "comm lies at %llu, not %d", (unsigned long long)v[10], off);
	check(v[11] == 16, "comm has %llu bytes", (unsigned long long)v[11]);
	check(!strncmp((char *)&v[12], comm, 16), "comm is %.16s", (char *)&v[12]);
}

static void core_of_nested_types(const void *arg)
{
	/* as deep as libbpf compares, see core_relo_faults for the others */
	returns("core_nested", 50);
}

static void core_of_no_field(const void *arg)
{
	union bpf_attr attr;

	returns("core_guarded", 48);
	prepare(&attr, "core_unguarded");
	/* the poison of libbpf's engine, which libbpf puts into words */
	expect_refused(&attr, EINVAL, "195896080");
}

static void empty_slot(const void *arg)
{
	union bpf_attr attr;
	int fd;

	prepare(&attr, "slot_guarded");
	fds[image_slot(prog->image, "optional")] = -1;
	fd = image_load(&attr);
	check(fd >= 0, "%s; log: %s", strerror(-fd), log_text);
	check(prog_run(fd) == 49, "another result");
}

static void empty_slot_reached(const void *arg)
{
	const struct bpf_image_map *slots;
	int enable = 1, ro;
	union bpf_attr attr;
	__u32 cnt;

	prepare(&attr, "slot_unguarded");
	fds[image_slot(prog->image, "optional")] = -1;
	expect_refused(&attr, EINVAL, "200100000");

	/* the same by a variable that lets the program get there */
	prepare(&attr, "slot_guarded");
	slots = image_section(prog->image, BPF_IMAGE_MAPS, &cnt);
	ro = image_slot(prog->image, ".rodata");
	check(slots[ro].value_size == sizeof(enable), "the object has changed");
	fds[ro] = make_map(obj, prog, ro, &enable);
	must(map_freeze(fds[ro]));
	check(image_load(&attr) >= 0, "with the map: log: %s", log_text);
	fds[image_slot(prog->image, "optional")] = -1;
	expect_refused(&attr, EINVAL, "200100000");
}

static void empty_slot_of_data(const void *arg)
{
	union bpf_attr attr;

	/* read-only data cannot be left out to get rid of its contents' check */
	prepare(&attr, "slot_guarded");
	fds[image_slot(prog->image, ".rodata")] = -1;
	expect_refused(&attr, EINVAL, "200100000");
	prepare(&attr, "ksym_untyped");
	fds[image_slot(prog->image, ".bss")] = -1;
	expect_refused(&attr, EINVAL, "200100000");
}

static void other_negative_fds(const void *arg)
{
	static const int values[] = { -1, -2, -2147483647 - 1 };
	union bpf_attr attr;
	size_t i;
	int fd;

	for (i = 0; i < ARRAY_SIZE(values); i++) {
		prepare(&attr, "slot_guarded");
		fds[image_slot(prog->image, "optional")] = values[i];
		fd = image_load(&attr);
		check(fd >= 0 || fd == -EINVAL || fd == -EBADF, "%d: %s", values[i], strerror(-fd));
		if (fd >= 0)
			check(prog_run(fd) == 49, "another result");
	}
	/* and what is no fd of a map */
	prepare(&attr, "slot_guarded");
	fds[image_slot(prog->image, "optional")] = 4000;
	check(image_load(&attr) == -EBADF, "log: %s", log_text);
	fds[image_slot(prog->image, "optional")] = 1;
	check(image_load(&attr) == -EINVAL, "log: %s", log_text);
	fds[image_slot(prog->image, "optional")] = obj->btf_fd;
	expect_refused(&attr, EINVAL, NULL);
}

static void ignore_it(int sig)
{
}

static void signal_among_many_ksyms(const void *arg)
{
	static const char strings[] = "\0GPL\0bpf_no_such_kfunc\0bpf_last_kfunc";
	static struct bpf_insn insns[BPF_IMAGE_MAX_KSYMS + 2];
	static struct bpf_image_ksym ksyms[BPF_IMAGE_MAX_KSYMS];
	const struct itimerval often = { { 0, 1000 }, { 0, 1000 } };
	const struct sigaction act = { .sa_handler = ignore_it };
	struct builder b;
	union bpf_attr attr;
	int i;

	builder_init(&b, "many", 0);
	memcpy(&insns[BPF_IMAGE_MAX_KSYMS], b.sec[1].data, 2 * sizeof(*insns));
	builder_set(&b, BPF_IMAGE_STRINGS, strings, sizeof(strings));
	b.hdr.license = builder_str(&b, "GPL");
	for (i = 0; i < BPF_IMAGE_MAX_KSYMS; i++) {
		insns[i].code = BPF_JMP | BPF_CALL;
		insns[i].src_reg = BPF_PSEUDO_KFUNC_CALL;
		ksyms[i].insn = i;
		ksyms[i].kind = BPF_IMAGE_KSYM_KFUNC;
		ksyms[i].name = builder_str(&b, "bpf_no_such_kfunc");
		ksyms[i].flags = BPF_IMAGE_KSYM_WEAK;
	}
	ksyms[--i].name = builder_str(&b, "bpf_last_kfunc");
	ksyms[i].flags = 0;
	builder_set(&b, BPF_IMAGE_INSNS, insns, sizeof(insns));
	builder_set(&b, BPF_IMAGE_KSYMS, ksyms, sizeof(ksyms));
	image_attr(&attr, build_signed(&b), NULL, 0, -1);

	/* left alone, it gets to the last of them */
	expect_refused(&attr, ENOENT, "ksym 'bpf_last_kfunc': this kernel has no such kfunc");
	must(sigaction(SIGALRM, &act, NULL));
	must(setitimer(ITIMER_REAL, &often, NULL));
	i = image_load(&attr);
	must(setitimer(ITIMER_REAL, &(struct itimerval){}, NULL));
	check(i == -EAGAIN, "%s; log: %s", i < 0 ? strerror(-i) : "it loaded", log_text);
	check(!log_text[0], "log: %s", log_text);
}

static const struct test_case cases[] = {
	CASE(kfunc),
	CASE(kfunc_unknown),
	CASE(kfunc_weak),
	CASE(kfunc_weak_reached),
	CASE(ksym_typed),
	CASE(ksym_typed_unknown),
	CASE(ksym_untyped),
	CASE(ksym_untyped_unknown),
	CASE(ksym_untyped_ambiguous),
	CASE(ksym_untyped_hidden),
	CASE(signal_among_many_ksyms),
	CASE(core),
	CASE(core_of_nested_types),
	CASE(core_of_no_field),
	CASE(empty_slot),
	CASE(empty_slot_reached),
	CASE(empty_slot_of_data),
	CASE(other_negative_fds),
};

int main(int argc, char **argv)
{
	return run_cases(argc, argv, cases, ARRAY_SIZE(cases));
}
