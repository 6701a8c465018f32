// SPDX-License-Identifier: GPL-2.0
/*
 * Each allocation of a load fails in turn, and each copy from and to user space:
 * the load says so, or does without, and leaves nothing behind. Then they fail by
 * chance, several in one load, under lockdown. Needs a kernel with FAILSLAB,
 * FAIL_PAGE_ALLOC and FAULT_INJECTION_USERCOPY that is not locked down yet:
 * debugfs would be closed, and so the test locks it down itself.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/types.h>
#include "lib.h"

#define NOT_SUPPORTED	524	/* an error that user space has no name for */

#define DEBUGFS		"/sys/kernel/debug/"
#define MAX_POINTS	20000
#define ROUNDS		500

struct target {
	const char *name;
	const char *file, *prog;
	/* 0, or why it is refused even if nothing else fails */
	int error;
};

static const struct target targets[] = {
	{ "maps, CO-RE and a kfunc", "small.signed.o", "small", 0 },
	{ "LSM hook", "basic.signed.o", "on_unlink", 0 },
	{ "CO-RE", "resolve.signed.o", "core", 0 },
	{ "typed ksym", "resolve.signed.o", "ksym_typed", 0 },
	{ "relocation that fails", "resolve.signed.o", "core_unguarded", EINVAL },
	{ "unknown kfunc", "resolve.signed.o", "kfunc_unknown", ENOENT },
};

static int nth_fd = -1, make_it_fail_fd = -1;

static void set(const char *file, const char *value)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), DEBUGFS "%s", file);
	fd = must(open(path, O_WRONLY));
	check(write(fd, value, strlen(value)) == (ssize_t)strlen(value), "%s: %s", file,
	      strerror(errno));
	close(fd);
}

static void set_up(void)
{
	static const char * const kinds[] = { "failslab", "fail_page_alloc", "fail_usercopy" };
	char file[64];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		snprintf(file, sizeof(file), "%s/verbose", kinds[i]);
		set(file, "0");
		snprintf(file, sizeof(file), "%s/task-filter", kinds[i]);
		set(file, "Y");
		snprintf(file, sizeof(file), "%s/times", kinds[i]);
		set(file, i < 2 ? "-1" : "1000000");
	}
	/* those that may wait as well, which are nearly all */
	set("failslab/ignore-gfp-wait", "N");
	set("fail_page_alloc/ignore-gfp-wait", "N");
	set("fail_page_alloc/ignore-gfp-highmem", "N");
	set("fail_page_alloc/min-order", "0");
	/* for tasks that ask for it, see by_chance() */
	set("failslab/probability", "1");
	set("fail_page_alloc/probability", "1");
}

static void lock_down(const void *arg)
{
	int fd = must(open("/sys/kernel/security/lockdown", O_WRONLY));

	must(write(fd, "integrity", 9));
	close(fd);
	check(!strcmp(lockdown_mode(), "integrity"), "it is not locked down");
}

static int read_number(int fd)
{
	char text[16] = {};

	return pread(fd, text, sizeof(text) - 1, 0) > 0 ? atoi(text) : -1;
}

/* How many copies may still fail: tells a copy that did from an allocation. */
static int copies_left(void)
{
	int fd = must(open(DEBUGFS "fail_usercopy/times", O_RDONLY));
	char text[16] = {};

	must(read(fd, text, sizeof(text) - 1));
	close(fd);
	return atoi(text);
}

static void fail_nth(int n)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%d", n);

	/* this may be what fails, if the load did not get so far */
	while (pwrite(nth_fd, text, len, 0) != len)
		;
}

struct counts {
	int progs, maps, btfs;
};

static struct counts count_all(void)
{
	struct counts c;

	/* objects go after a grace period */
	usleep(300000);
	c.progs = count_ids(BPF_PROG_GET_NEXT_ID);
	c.maps = count_ids(BPF_MAP_GET_NEXT_ID);
	c.btfs = count_ids(BPF_BTF_GET_NEXT_ID);
	return c;
}

static void nothing_left(struct counts before)
{
	struct counts after = count_all();
	int i;

	for (i = 0; i < 20 && after.progs != before.progs; i++)
		after = count_all();
	check(after.progs == before.progs, "programs: %d, were %d", after.progs, before.progs);
	check(after.maps == before.maps, "maps: %d, were %d", after.maps, before.maps);
	check(after.btfs == before.btfs, "BTFs: %d, were %d", after.btfs, before.btfs);
}

static int fds[BPF_IMAGE_MAX_MAPS];

static void prepare(const struct target *t, union bpf_attr *attr)
{
	struct object *obj = object_open(t->file);
	const struct image_prog *prog = object_prog(obj, t->prog);

	object_attr(attr, obj, prog, fds);
	nth_fd = must(open("/proc/thread-self/fail-nth", O_RDWR));
	make_it_fail_fd = must(open("/proc/thread-self/make-it-fail", O_WRONLY));
}

static void expect(const struct target *t, int fd, int n)
{
	check(t->error ? fd == -t->error : fd >= 0, "%d: %s; log: %s", n,
	      fd < 0 ? strerror(-fd) : "it loaded", log_text);
	if (fd >= 0)
		close(fd);
}

/*
 * Memory that runs out is called so, but for three places that the kernel has
 * without signed images as well.
 */
static bool is_out_of_memory(int error)
{
	switch (-error) {
	case ENOMEM:
	case NOT_SUPPORTED:	/* whatever went wrong in the JIT */
	case EKEYREJECTED:	/* rsa_check_payload() in crypto/rsa.c */
		return true;
	case EINVAL:		/* no bpf_prog_alloc() in __bpf_prog_load() */
		return !log_text[0];
	default:
		return false;
	}
}

/* One failure after the other, from the first that a load can meet to the last */
static void one_by_one(const void *arg)
{
	const struct target *t = arg;
	int n, fd, left, copies, wanted, allocations = 0, faults = 0, survived = 0, wrong = 0;
	struct counts before;
	union bpf_attr attr;
	bool copy;

	prepare(t, &attr);
	expect(t, image_load(&attr), 0);
	before = count_all();
	for (n = 1; n < MAX_POINTS; n++) {
		copies = copies_left();
		fail_nth(n);
		fd = image_load(&attr);
		left = read_number(nth_fd);
		fail_nth(0);
		if (left != 0) {
			expect(t, fd, n);
			break;
		}
		copy = copies_left() < copies;
		if (fd >= 0 || (t->error && fd == -t->error)) {
			/* a second try, or something that can be done without */
			expect(t, fd, n);
			survived++;
		} else if (copy ? fd == -EFAULT : is_out_of_memory(fd)) {
			allocations += !copy;
			faults += copy;
		} else {
			printf("# %s %d: %s; log: %s\n", copy ? "copy" : "allocation", n,
			       strerror(-fd), log_text);
			wrong++;
			/* once more, for the kernel's log to say where it is */
			set("failslab/verbose", "2");
			set("fail_page_alloc/verbose", "2");
			set("fail_usercopy/verbose", "2");
			fail_nth(n);
			fd = image_load(&attr);
			fail_nth(0);
			set("failslab/verbose", "0");
			set("fail_page_alloc/verbose", "0");
			set("fail_usercopy/verbose", "0");
			if (fd >= 0)
				close(fd);
		}
	}
	check(n < MAX_POINTS, "a load has no end of things that can fail");
	printf("# %d allocations and %d copies failed a load, %d did not\n", allocations,
	       faults, survived);
	wanted = t->error ? 10 : 20;
	check(allocations > wanted && faults > 3, "that is too few: nothing is injected");
	check(!wrong, "%d failures are called something else", wrong);
	nothing_left(before);
}

/* Several in one load, so that what cleans up meets them as well */
static void by_chance(const void *arg)
{
	const struct target *t = arg;
	int i, fd, refused = 0, wrong = 0;
	struct counts before;
	union bpf_attr attr;

	prepare(t, &attr);
	expect(t, image_load(&attr), 0);
	before = count_all();
	for (i = 0; i < rounds(ROUNDS); i++) {
		must(pwrite(make_it_fail_fd, "1", 1, 0));
		fd = image_load(&attr);
		must(pwrite(make_it_fail_fd, "0", 1, 0));
		if (t->error ? fd == -t->error && log_text[0] : fd >= 0)
			expect(t, fd, i);
		else if (is_out_of_memory(fd))
			refused++;
		else if (!wrong++)
			printf("# load %d: %s; log: %s\n", i, strerror(-fd), log_text);
	}
	printf("# %d of %d loads failed\n", refused, i);
	check(refused > 0, "nothing is injected");
	check(!wrong, "%d failures are called something else", wrong);
	nothing_left(before);
}

int main(int argc, char **argv)
{
	struct test_case all[2 * ARRAY_SIZE(targets) + 1];
	char names[2 * ARRAY_SIZE(targets)][64];
	size_t i, cnt = ARRAY_SIZE(targets);

	set_up();
	for (i = 0; i < cnt; i++) {
		snprintf(names[i], sizeof(names[i]), "one by one: %s", targets[i].name);
		all[i] = (struct test_case){ names[i], one_by_one, &targets[i] };
		snprintf(names[cnt + i], sizeof(names[i]), "by chance: %s", targets[i].name);
		all[cnt + 1 + i] = (struct test_case){ names[cnt + i], by_chance, &targets[i] };
	}
	all[cnt] = (struct test_case){ "lock down", lock_down, NULL };
	return run_cases(argc, argv, all, 2 * cnt + 1);
}
