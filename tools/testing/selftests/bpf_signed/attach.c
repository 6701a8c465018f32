// SPDX-License-Identifier: GPL-2.0
/* Attach targets: by name, out of those that were signed. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <bpf/btf.h>
#include "lib.h"

static struct object *obj;
static int fds[BPF_IMAGE_MAX_MAPS], fd_cnt;

static void prepare(union bpf_attr *attr, const char *name, const char *target)
{
	const struct image_prog *prog;

	if (!obj)
		obj = object_open("attach.signed.o");
	prog = object_prog(obj, name);
	fd_cnt = object_attr(attr, obj, prog, fds);
	attr->attach_name = (uintptr_t)target;
}

static int load(const char *name, const char *target)
{
	union bpf_attr attr;
	int fd;

	prepare(&attr, name, target);
	fd = image_load(&attr);
	check(fd >= 0, "%s%s%s: %s; log: %s", name, target ? " at " : "", target ?: "",
	      strerror(-fd), log_text);
	return fd;
}

static int link_to(int prog_fd)
{
	union bpf_attr attr = {};

	attr.raw_tracepoint.prog_fd = prog_fd;
	return must(sys_bpf(BPF_RAW_TRACEPOINT_OPEN, &attr, sizeof(attr)));
}

static int hits(int n)
{
	const struct bpf_image_map *slots;
	int values[16], zero = 0;
	__u32 cnt;

	slots = image_section(obj->progs[0].image, BPF_IMAGE_MAPS, &cnt);
	check(slots && cnt == 1, "maps of the object have changed");
	must(map_lookup(fds[0], &zero, values));
	return values[n];
}

/* Has the kernel bound the program to the type of this name? */
static void expect_target(int fd, const char *name)
{
	static struct btf *vmlinux;
	struct bpf_prog_info info;
	const struct btf_type *t;

	if (!vmlinux)
		vmlinux = btf__load_vmlinux_btf();
	check(vmlinux, "no vmlinux BTF");
	must(prog_info(fd, &info));
	t = btf__type_by_id(vmlinux, info.attach_btf_id);
	check(t && !strcmp(btf__name_by_offset(vmlinux, t->name_off), name),
	      "attached to %s, not %s", t ? btf__name_by_offset(vmlinux, t->name_off) : "nothing",
	      name);
}

static void fentry(const void *arg)
{
	int fd = load("on_fentry", NULL);

	expect_target(fd, "bpf_fentry_test1");
	link_to(fd);
	prog_run(fd);
	check(hits(0) == 1, "%d hits", hits(0));
}

static void fexit(const void *arg)
{
	int fd = load("on_fexit", NULL);

	expect_target(fd, "bpf_fentry_test1");
	link_to(fd);
	prog_run(fd);
	check(hits(1) == 1, "%d hits", hits(1));
}

static void fmod_ret(const void *arg)
{
	int fd = load("on_fmod_ret", NULL), ret;

	expect_target(fd, "bpf_modify_return_test");
	link_to(fd);
	ret = prog_run(fd);
	check(hits(2) == 1, "%d hits", hits(2));
	/* bpf_modify_return_test2() adds its 29 */
	check((ret & 0xffff) == 77 + 29, "the functions returned %d", ret & 0xffff);
}

static void tp_btf(const void *arg)
{
	int fd = load("on_tp_btf", NULL);

	expect_target(fd, "btf_trace_sys_enter");
	link_to(fd);
	getppid();
	check(hits(3) > 0, "no hits");
}

static void lsm(const void *arg)
{
	int fd = load("on_lsm", NULL);

	expect_target(fd, "bpf_lsm_file_open");
	link_to(fd);
	close(open("/proc/self/stat", O_RDONLY));
	check(hits(4) > 0, "no hits");
}

static void iter(const void *arg)
{
	int fd = load("on_iter", NULL), iter, n, found = 0;
	union bpf_attr attr = {};
	char text[65536], want[16], *line, *save;

	expect_target(fd, "bpf_iter_task");
	attr.link_create.prog_fd = fd;
	attr.link_create.attach_type = BPF_TRACE_ITER;
	iter = must(sys_bpf(BPF_LINK_CREATE, &attr, sizeof(attr)));
	memset(&attr, 0, sizeof(attr));
	attr.iter_create.link_fd = iter;
	iter = must(sys_bpf(BPF_ITER_CREATE, &attr, sizeof(attr)));
	n = must(read(iter, text, sizeof(text) - 1));
	text[n] = 0;
	snprintf(want, sizeof(want), "%d", getpid());
	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		found += !strcmp(line, want);
	check(found == 1, "the iterator has not shown us");
}

static void freplace(const void *arg)
{
	int target = load("ext_target", NULL), fd;
	union bpf_attr attr;

	check(prog_run(target) == 5, "the target returns %d", prog_run(target));
	prepare(&attr, "on_freplace", NULL);
	attr.attach_prog_fd = target;
	fd = image_load(&attr);
	check(fd >= 0, "%s; log: %s", strerror(-fd), log_text);
	link_to(fd);
	check(prog_run(target) == 6, "the replaced function returns %d", prog_run(target));
}

/* Which function of which program was decided at load. */
static void freplace_elsewhere(const void *arg)
{
	int target = load("ext_target", NULL), other = load("ext_target", NULL), fd, id, log;
	struct bpf_prog_info info;
	union bpf_attr attr;
	struct btf *btf;

	must(prog_info(target, &info));
	btf = btf__load_from_kernel_by_id(info.btf_id);
	check(btf, "no BTF of the target");
	id = btf__find_by_name_kind(btf, "replaced", BTF_KIND_FUNC);
	check(id > 0, "no function to be replaced");
	prepare(&attr, "on_freplace", NULL);
	attr.attach_prog_fd = target;
	fd = must(image_load(&attr));

	log = kmsg_open();
	memset(&attr, 0, sizeof(attr));
	attr.link_create.prog_fd = fd;
	attr.link_create.target_fd = other;
	attr.link_create.target_btf_id = id;
	check(sys_bpf(BPF_LINK_CREATE, &attr, sizeof(attr)) < 0 && errno == EPERM,
	      "it replaces a function of another program: %s", strerror(errno));
	check(kmsg_has(log, "program 'on_freplace' may not replace a function of program 'ext"),
	      "no line in the kernel's log");
	attr.link_create.target_fd = target;
	must(sys_bpf(BPF_LINK_CREATE, &attr, sizeof(attr)));
	check(prog_run(target) == 6 && prog_run(other) == 5, "another function is replaced");
}

static void freplace_without_program(const void *arg)
{
	union bpf_attr attr;

	prepare(&attr, "on_freplace", NULL);
	expect_refused(&attr, EINVAL, "attach_prog_fd: the signed target needs a program");
}

static void freplace_unknown_function(const void *arg)
{
	int target = load("ext_target", NULL);
	union bpf_attr attr;

	prepare(&attr, "freplace_unknown", NULL);
	attr.attach_prog_fd = target;
	expect_refused(&attr, ENOENT, "attach target 'no_such_function'");
}

static void freplace_of_kernel_btf(const void *arg)
{
	union bpf_attr attr = {};
	int btf;

	/* attach_prog_fd and attach_btf_obj_fd are one field */
	attr.btf_id = 1;
	btf = must(sys_bpf(BPF_BTF_GET_FD_BY_ID, &attr, sizeof(attr)));
	prepare(&attr, "on_freplace", NULL);
	attr.attach_btf_obj_fd = btf;
	expect_refused(&attr, EINVAL, "attach_prog_fd: is no program with BTF");
	prepare(&attr, "on_fentry", NULL);
	attr.attach_btf_obj_fd = btf;
	expect_refused(&attr, EINVAL, "attach_prog_fd: is no program with BTF");
}

static void program_for_a_kernel_target(const void *arg)
{
	int target = load("ext_target", NULL);
	union bpf_attr attr;

	/* fentry can watch BPF programs, too: this one was signed for the kernel */
	prepare(&attr, "on_fentry", NULL);
	attr.attach_prog_fd = target;
	expect_refused(&attr, EINVAL, "attach_prog_fd: the signed target cannot have a program");
}

static void program_for_no_target(const void *arg)
{
	int target = load("ext_target", NULL);
	union bpf_attr attr;

	prepare(&attr, "ext_target", NULL);
	attr.attach_prog_fd = target;
	expect_refused(&attr, EINVAL, "attach_prog_fd: the image has no target in another program");
}

static void odd_fd_for_a_program(const void *arg)
{
	union bpf_attr attr;

	prepare(&attr, "on_freplace", NULL);
	attr.attach_prog_fd = fds[0];
	check(image_load(&attr) == -EINVAL, "a map is taken for a program");
	attr.attach_prog_fd = 4000;
	check(image_load(&attr) < 0, "nothing is taken for a program");
	attr.attach_prog_fd = -1;
	check(image_load(&attr) < 0, "nothing is taken for a program");
}

static void struct_ops_member(const char *prog, const char *member)
{
	struct btf *vmlinux = btf__load_vmlinux_btf();
	const struct btf_type *t;
	struct bpf_prog_info info;
	const struct image_prog *p;
	const struct bpf_image_attach *at;
	__u32 cnt;
	int fd, id;

	fd = load(prog, NULL);
	expect_target(fd, "tcp_congestion_ops");
	must(prog_info(fd, &info));
	check(info.type == BPF_PROG_TYPE_STRUCT_OPS, "type %u", info.type);
	id = btf__find_by_name_kind(vmlinux, "tcp_congestion_ops", BTF_KIND_STRUCT);
	check(id > 0 && info.attach_btf_id == (__u32)id, "another type");
	t = btf__type_by_id(vmlinux, id);
	check(t, "no type");
	p = object_prog(obj, prog);
	at = image_section(p->image, BPF_IMAGE_ATTACH, &cnt);
	check(cnt == 1 && !strcmp(image_string(p->image, at->member), member),
	      "the image names another member");
}

static void struct_ops(const void *arg)
{
	struct_ops_member("on_ssthresh", "ssthresh");
	struct_ops_member("on_undo_cwnd", "undo_cwnd");
	struct_ops_member("on_cong_avoid", "cong_avoid");
}

static void struct_ops_of_another_member(const void *arg)
{
	union bpf_attr attr;

	prepare(&attr, "on_ssthresh", "tcp_congestion_ops/undo_cwnd");
	expect_refused(&attr, EINVAL, "attach_name: 'tcp_congestion_ops/undo_cwnd' is not among");
	prepare(&attr, "on_ssthresh", "tcp_congestion_ops");
	expect_refused(&attr, EINVAL, "attach_name:");
	prepare(&attr, "on_ssthresh", "tcp_congestion_ops/");
	expect_refused(&attr, EINVAL, "attach_name:");
	prepare(&attr, "on_ssthresh", "/ssthresh");
	expect_refused(&attr, EINVAL, "attach_name:");
	load("on_ssthresh", "tcp_congestion_ops/ssthresh");
}

static void struct_ops_unknown(const void *arg)
{
	struct bpf_image_attach at = {};
	struct builder b;
	struct image_prog *prog;
	union bpf_attr attr;

	builder_init(&b, "first", 0);
	b.hdr.prog_type = BPF_PROG_TYPE_STRUCT_OPS;
	at.name = builder_str(&b, "no_such_name");
	at.member = builder_str(&b, "member");
	builder_set(&b, BPF_IMAGE_ATTACH, &at, sizeof(at));
	prog = build_signed(&b);
	image_attr(&attr, prog, NULL, 0, -1);
	expect_refused(&attr, ENOENT, "attach target 'no_such_name': this kernel has no such");

	at.name = builder_str(&b, "tcp_congestion_ops");
	prog = build_signed(&b);
	image_attr(&attr, prog, NULL, 0, -1);
	expect_refused(&attr, ENOENT, "this kernel's type has no member 'member'");
}

static void no_target_at_load(const void *arg)
{
	static const char * const names[] = { "on_kprobe", "on_raw_tp", "on_tracepoint" };
	struct bpf_prog_info info;
	union bpf_attr attr;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		must(prog_info(load(names[i], NULL), &info));
		check(!info.attach_btf_id, "%s has a target", names[i]);
		prepare(&attr, names[i], "vfs_unlink");
		expect_refused(&attr, EINVAL, "attach_name: 'vfs_unlink' is not among");
	}
}

static void raw_tracepoint_works(const void *arg)
{
	union bpf_attr attr = {};
	int fd = load("on_raw_tp", NULL);

	attr.raw_tracepoint.name = (uintptr_t)"sys_enter";
	attr.raw_tracepoint.prog_fd = fd;
	must(sys_bpf(BPF_RAW_TRACEPOINT_OPEN, &attr, sizeof(attr)));
	getppid();
	check(hits(6) > 0, "no hits");
}

static void default_target(const void *arg)
{
	expect_target(load("chooser", NULL), "bpf_fentry_test2");
}

static void chosen_target(const void *arg)
{
	int fd = load("chooser", "bpf_fentry_test1");

	expect_target(fd, "bpf_fentry_test1");
	link_to(fd);
	prog_run(fd);
	check(hits(8) == 1, "%d hits", hits(8));
}

static void target_by_pattern(const void *arg)
{
	expect_target(load("only_patterns", "bpf_fentry_test7"), "bpf_fentry_test7");
}

static void patterns_have_no_default(const void *arg)
{
	union bpf_attr attr;

	prepare(&attr, "only_patterns", NULL);
	expect_refused(&attr, EINVAL, "attach_name: the image has patterns only; choose a target");
}

static void target_not_allowed(const void *arg)
{
	static const char * const names[] = {
		"vfs_unlink", "bpf_fentry_test5", "", "*", "bpf_fentry_test",
		"bpf_fentry_test22", "bpf_fentry_test2 ", " bpf_fentry_test2",
		"vmlinux:bpf_fentry_test2", ":bpf_fentry_test2",
		"bpf_fentry_test2/x", "BPF_FENTRY_TEST2", "bpf_fentry_test2\n",
	};
	union bpf_attr attr;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		prepare(&attr, "chooser", names[i]);
		expect_refused(&attr, EINVAL, "is not among the targets that were signed");
		prepare(&attr, "on_fentry", names[i]);
		expect_refused(&attr, EINVAL, "is not among the targets that were signed");
	}
}

static void target_unknown(const void *arg)
{
	union bpf_attr attr;

	prepare(&attr, "unknown_default", NULL);
	expect_refused(&attr, ENOENT, "attach target 'no_such_function': this kernel has no such");
	prepare(&attr, "chooser", "bpf_fentry_no_such_function");
	expect_refused(&attr, ENOENT, "attach target 'bpf_fentry_no_such_function'");
	/* a pattern that fits itself, and is still no function */
	prepare(&attr, "only_patterns", "bpf_fentry_test*");
	expect_refused(&attr, ENOENT, "attach target 'bpf_fentry_test*'");
	/* a type that exists, and is no function */
	prepare(&attr, "only_patterns", "bpf_fentry_test_t");
	expect_refused(&attr, ENOENT, "attach target 'bpf_fentry_test_t'");
}

static void target_name_is_no_text(const void *arg)
{
	char *page = aligned_alloc(4096, 8192);
	union bpf_attr attr;

	/* control characters do not get into the log */
	prepare(&attr, "chooser", "\033[2J\007");
	expect_refused(&attr, EINVAL, "attach_name: '?[2J?'");
	/* a name without an end */
	memset(page, 'a', 8192);
	prepare(&attr, "chooser", page);
	check(image_load(&attr) == -EINVAL, "an endless name");
}

static const struct test_case cases[] = {
	CASE(fentry),
	CASE(fexit),
	CASE(fmod_ret),
	CASE(tp_btf),
	CASE(lsm),
	CASE(iter),
	CASE(freplace),
	CASE(freplace_elsewhere),
	CASE(freplace_without_program),
	CASE(freplace_unknown_function),
	CASE(freplace_of_kernel_btf),
	CASE(program_for_a_kernel_target),
	CASE(program_for_no_target),
	CASE(odd_fd_for_a_program),
	CASE(struct_ops),
	CASE(struct_ops_of_another_member),
	CASE(struct_ops_unknown),
	CASE(no_target_at_load),
	CASE(raw_tracepoint_works),
	CASE(default_target),
	CASE(chosen_target),
	CASE(target_by_pattern),
	CASE(patterns_have_no_default),
	CASE(target_not_allowed),
	CASE(target_unknown),
	CASE(target_name_is_no_text),
};

int main(int argc, char **argv)
{
	return run_cases(argc, argv, cases, ARRAY_SIZE(cases));
}
