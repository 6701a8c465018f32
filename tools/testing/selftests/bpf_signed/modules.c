// SPDX-License-Identifier: GPL-2.0
/* kfuncs, types and attach targets of a module, which may come and go. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include "lib.h"

#define NAME "bpf_signed_test"

static struct object *obj;
static int fds[BPF_IMAGE_MAX_MAPS], fd_cnt;

static int insert(void)
{
	int fd = must(open("module.signed", O_RDONLY | O_CLOEXEC));
	int ret = syscall(__NR_finit_module, fd, "", 0) ? -errno : 0;

	close(fd);
	return ret;
}

static int delete(void)
{
	return syscall(__NR_delete_module, NAME, O_NONBLOCK) ? -errno : 0;
}

/* From whatever an earlier case has left */
static void insert_anew(void)
{
	delete();
	must(insert());
}

static int refs(void)
{
	char *text = read_file("/sys/module/" NAME "/refcnt", NULL);
	int n = atoi(text);

	free(text);
	return n;
}

/* Programs are freed a while after their last fd is closed. */
static void must_go(void)
{
	int i, ret = -EWOULDBLOCK;

	for (i = 0; i < 100 && ret == -EWOULDBLOCK; i++) {
		ret = delete();
		if (ret == -EWOULDBLOCK)
			usleep(50000);
	}
	check(!ret, "the module cannot go: %s", strerror(-ret));
}

static void prepare(union bpf_attr *attr, const char *name, const char *target)
{
	const struct image_prog *prog;

	if (!obj)
		obj = object_open("module.signed.o");
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
	check(fd >= 0, "%s: %s; log: %s", name, strerror(-fd), log_text);
	return fd;
}

static void without_the_module(const void *arg)
{
	union bpf_attr attr;

	delete();
	prepare(&attr, "call_module", NULL);
	expect_refused(&attr, ENOENT, "ksym 'bpf_signed_test_add': this kernel has no such kfunc");
	prepare(&attr, "on_target", NULL);
	expect_refused(&attr, ENOENT, "attach target 'bpf_signed_test:bpf_signed_test_target'");
}

static void kfunc_of_a_module(const void *arg)
{
	int fd;

	insert_anew();
	fd = load("call_module", NULL);
	check(prog_run(fd) == 42, "returns %d", prog_run(fd));
	check(refs() > 0, "the program does not hold the module");
	check(delete() == -EWOULDBLOCK, "the module goes while a program calls it");
	close(fd);
	must_go();
}

static void kfuncs_of_module_and_kernel(const void *arg)
{
	int fd;

	insert_anew();
	fd = load("call_both", NULL);
	check(prog_run(fd) == 7, "returns %d", prog_run(fd));
	close(fd);
	must_go();
}

static void type_of_a_module(const void *arg)
{
	int fd;

	delete();
	fd = load("offset_in_module", NULL);
	check(prog_run(fd) == 0, "without the module: %d", prog_run(fd));
	close(fd);
	insert_anew();
	fd = load("offset_in_module", NULL);
	check(prog_run(fd) == 20, "the offset is %d", prog_run(fd));
	close(fd);
	must_go();
}

static void target_in_a_module(const void *arg)
{
	static const char * const names[] = { NULL, "bpf_signed_test_target" };
	union bpf_attr attr;
	int fd, link, caller, hits, zero = 0;
	size_t i;

	insert_anew();
	caller = load("call_both", NULL);
	for (i = 0; i < ARRAY_SIZE(names); i++) {
		fd = load("on_target", names[i]);
		memset(&attr, 0, sizeof(attr));
		attr.raw_tracepoint.prog_fd = fd;
		link = must(sys_bpf(BPF_RAW_TRACEPOINT_OPEN, &attr, sizeof(attr)));
		prog_run(caller);
		must(map_lookup(fds[0], &zero, &hits));
		check(hits == 4, "%d hits", hits);
		check(delete() == -EWOULDBLOCK, "the module goes while it is watched");
		close(link);
		close(fd);
	}
	close(caller);
	must_go();
}

static void target_in_another_module(const void *arg)
{
	union bpf_attr attr;

	insert_anew();
	prepare(&attr, "on_target", "vmlinux:bpf_signed_test_target");
	expect_refused(&attr, ENOENT, "attach target 'vmlinux:bpf_signed_test_target'");
	prepare(&attr, "on_target", "no_such_module:bpf_signed_test_target");
	expect_refused(&attr, ENOENT, "attach target 'no_such_module:bpf_signed_test_target'");
	/* the kernel's function, and not the module's */
	prepare(&attr, "on_target", "bpf_signed_test:vfs_unlink");
	expect_refused(&attr, ENOENT, "attach target 'bpf_signed_test:vfs_unlink'");
	prepare(&attr, "on_target", "bpf_signed_test:bpf_signed_test_add");
	expect_refused(&attr, EINVAL,
		       "attach_name: 'bpf_signed_test:bpf_signed_test_add' is not among");
	must_go();
}

static void refused_loads_let_it_go(const void *arg)
{
	union bpf_attr attr;
	int i;

	insert_anew();
	for (i = 0; i < 1000; i++) {
		if (!i)
			prepare(&attr, "call_unknown", NULL);
		expect_refused(&attr, ENOENT, "ksym 'bpf_no_such_kfunc'");
	}
	/* its first kfunc is the module's, and the verifier has it by then */
	prepare(&attr, "call_both", NULL);
	attr.log_level = 2;
	attr.log_size = 128;
	for (i = 0; i < 1000; i++)
		check(image_load(&attr) == -ENOSPC, "another error");
	check(refs() == 0, "%d references are left", refs());
	must(delete());
}

static atomic_bool stop;

static void *come_and_go(void *arg)
{
	while (!stop) {
		insert();
		delete();
	}
	return NULL;
}

static void module_comes_and_goes(const void *arg)
{
	int i, fd, loaded = 0;
	pthread_t thread;
	union bpf_attr attr, attach;
	const char *name;

	prepare(&attach, "on_target", NULL);
	prepare(&attr, "call_module", NULL);
	attach.log_level = 0;
	attr.log_level = attach.log_level;
	attach.log_size = 0;
	attr.log_size = attach.log_size;
	attach.log_buf = 0;
	attr.log_buf = attach.log_buf;
	check(!pthread_create(&thread, NULL, come_and_go, NULL), "no thread");
	for (i = 0; i < 600; i++) {
		name = i % 3 ? "call_module" : "on_target";
		fd = image_load(i % 3 ? &attr : &attach);
		if (fd < 0) {
			check(fd == -ENOENT || fd == -EINVAL || fd == -ENXIO || fd == -EAGAIN,
			      "%s: %s", name, strerror(-fd));
			continue;
		}
		loaded++;
		if (i % 3)
			check(prog_run(fd) == 42, "another result");
		close(fd);
		/* freed programs let the module go a while later only */
		if (i % 4 == 0)
			usleep(20000);
	}
	stop = true;
	pthread_join(thread, NULL);
	printf("# %d of 600 loaded\n", loaded);
	insert();
	must_go();
}

static const struct test_case cases[] = {
	CASE(without_the_module),
	CASE(kfunc_of_a_module),
	CASE(kfuncs_of_module_and_kernel),
	CASE(type_of_a_module),
	CASE(target_in_a_module),
	CASE(target_in_another_module),
	CASE(refused_loads_let_it_go),
	CASE(module_comes_and_goes),
};

int main(int argc, char **argv)
{
	return run_cases(argc, argv, cases, ARRAY_SIZE(cases));
}
