// SPDX-License-Identifier: GPL-2.0
/*
 * Signed and unsigned programs beside each other: allowed until the kernel is
 * locked down, refused from then on. Wants a kernel that is not locked down yet,
 * with bpf_lockdown=restricted.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <bpf/libbpf.h>
#include "lib.h"

/* Made by the process that starts the tests: one array for each way around */
static int signed_first, unsigned_first;
/* Loaded before the kernel is locked down */
static int unsigned_target, unsigned_filter;

static int signed_filter(void)
{
	struct image_prog *prog;
	union bpf_attr attr;
	struct builder b;
	int fd;

	builder_init(&b, "signed", 1);
	prog = build_signed(&b);
	image_attr(&attr, prog, NULL, 0, -1);
	fd = image_load(&attr);
	check(fd >= 0, "%s; log: %s", strerror(-fd), log_text);
	return fd;
}

static int filter(void)
{
	int fd = load_unsigned(BPF_PROG_TYPE_SOCKET_FILTER);

	check(fd >= 0, "%s; log: %s", strerror(-fd), log_text);
	return fd;
}

static int array(void)
{
	return must(map_create(BPF_MAP_TYPE_PROG_ARRAY, "calls", 4, 4, 4, 0));
}

static int put(int map, int index, int prog)
{
	return map_update(map, &index, &prog) < 0 ? -errno : 0;
}

static int load_freplace(int target, union bpf_attr *attr)
{
	static int fds[BPF_IMAGE_MAX_MAPS];
	struct object *obj = object_open("attach.signed.o");
	const struct image_prog *prog = object_prog(obj, "on_freplace");
	int cnt = make_maps(obj, prog, fds);

	image_attr(attr, prog, fds, cnt, obj->btf_fd);
	attr->attach_prog_fd = target;
	return image_load(attr);
}

static void not_locked_down(const void *arg)
{
	union bpf_attr attr;
	int map = array(), fd;

	check(!put(map, 0, signed_filter()), "a signed program is refused");
	check(!put(map, 1, filter()), "an unsigned program beside it is refused");
	fd = load_freplace(unsigned_target, &attr);
	check(fd >= 0, "freplace: %s; log: %s", strerror(-fd), log_text);
}

static void tail_calls(const void *arg)
{
	int map, kmsg;

	sleep(6);	/* the kernel limits the rate of its lines */
	kmsg = kmsg_open();
	map = array();
	check(!put(map, 0, signed_filter()), "a signed program is refused");
	check(!put(map, 1, signed_filter()), "another signed program is refused");
	check(put(map, 2, filter()) == -EINVAL, "an unsigned one beside signed ones is not");
	check(put(map, 2, unsigned_filter) == -EINVAL, "nor one from before");
	check(kmsg_has(kmsg, "is restricted; see man kernel_lockdown.7"),
	      "no line in the kernel's log");

	map = array();
	check(!put(map, 0, filter()), "an unsigned program is refused");
	check(!put(map, 1, filter()), "another unsigned program is refused");
	check(put(map, 2, signed_filter()) == -EINVAL, "a signed one beside them is not");

	/* who was there first decides, even if that was before */
	check(put(signed_first, 1, filter()) == -EINVAL, "unsigned after signed");
	check(!put(signed_first, 1, signed_filter()), "signed after signed");
	check(put(unsigned_first, 1, signed_filter()) == -EINVAL, "signed after unsigned");
	check(!put(unsigned_first, 1, filter()), "unsigned after unsigned");
}

static void freplace(const void *arg)
{
	struct object *obj = object_open("attach.signed.o");
	const struct image_prog *prog = object_prog(obj, "ext_target");
	static int fds[BPF_IMAGE_MAX_MAPS];
	int cnt = make_maps(obj, prog, fds), fd;
	union bpf_attr attr;

	fd = load_freplace(unsigned_target, &attr);
	check(fd == -EPERM, "at an unsigned program: %s", fd < 0 ? strerror(-fd) : "it loaded");
	check(strstr(log_text,
		     "signed and unsigned programs cannot replace functions of each other"),
	      "log: %s", log_text);

	image_attr(&attr, prog, fds, cnt, obj->btf_fd);
	fd = must(image_load(&attr));
	fd = load_freplace(fd, &attr);
	check(fd >= 0, "at a signed program: %s; log: %s", strerror(-fd), log_text);
}

static void unsigned_extension(const void *arg)
{
	int fd = load_unsigned(BPF_PROG_TYPE_EXT);

	check(fd == -EPERM || fd == -EINVAL, "%s", fd < 0 ? strerror(-fd) : "it loaded");
}

static void lock_down(const void *arg)
{
	int fd = must(open("/sys/kernel/security/lockdown", O_WRONLY));

	must(write(fd, "integrity", 9));
	check(!strcmp(lockdown_mode(), "integrity"), "the mode is %s", lockdown_mode());
}

/* What was loaded and put together before goes on. */
static void stays(const void *arg)
{
	check(prog_run(unsigned_filter) == 0, "the filter does not run");
	check(prog_run(unsigned_target) == 5, "the target does not run");
}

/* The target of freplace, as plain libbpf loads it */
static int load_target(void)
{
	struct bpf_object *obj = bpf_object__open("attach.bpf.o");
	struct bpf_program *prog;

	if (!obj)
		return -errno;
	bpf_object__for_each_program(prog, obj)
		bpf_program__set_autoload(prog, !strcmp(bpf_program__name(prog), "ext_target"));
	if (bpf_object__load(obj))
		return -errno;
	return bpf_program__fd(bpf_object__find_program_by_name(obj, "ext_target"));
}

static const struct test_case cases[] = {
	CASE(not_locked_down),
	CASE(lock_down),
	CASE(tail_calls),
	CASE(freplace),
	CASE(unsigned_extension),
	CASE(stays),
};

int main(int argc, char **argv)
{
	unsigned_target = load_target();
	unsigned_filter = load_unsigned(BPF_PROG_TYPE_SOCKET_FILTER);
	signed_first = array();
	unsigned_first = array();
	if (unsigned_target < 0 || unsigned_filter < 0 ||
	    put(signed_first, 0, signed_filter()) || put(unsigned_first, 0, unsigned_filter)) {
		printf("Bail out! cannot load what the tests need: %s\n", log_text);
		return 1;
	}
	return run_cases(argc, argv, cases, ARRAY_SIZE(cases));
}
