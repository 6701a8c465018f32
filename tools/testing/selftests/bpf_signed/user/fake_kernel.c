// SPDX-License-Identifier: GPL-2.0
/*
 * What libbpf makes of the answers of kernels that are not at hand: older ones,
 * ones built otherwise, ones that refuse. They are given by a syscall() and a
 * faccessat() of our own, which the static library is linked with.
 *
 *	fake_kernel SIGNED STRIPPED TARGETS
 *
 * Signed objects: one with a program, the same without BTF, and one whose program
 * 'no_target_prog' may be attached to *_open and ext4*:x*.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/syscall.h>
#include <linux/bpf.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <bpf/libbpf_internal.h>
#include "tap.h"

/* What the kernel says; zero is success */
static struct {
	int image_probe;
	int image;
	int plain;
	int link;
} says;

static int plain_loads;

static long answer(int err)
{
	if (!err)
		return open("/dev/null", O_RDONLY | O_CLOEXEC);
	errno = err;
	return -1;
}

long syscall(long number, ...)
{
	union bpf_attr *attr;
	size_t size;
	va_list args;
	int cmd;

	/* a place for the fd of a map that is still to be made */
	if (number == __NR_memfd_create)
		return answer(0);
	if (number != __NR_bpf)
		return answer(ENOSYS);
	va_start(args, number);
	cmd = va_arg(args, int);
	attr = va_arg(args, union bpf_attr *);
	size = va_arg(args, unsigned int);
	va_end(args);

	switch (cmd) {
	case BPF_PROG_LOAD:
		if (size > offsetof(union bpf_attr, image_size) && attr->image)
			return answer(attr->image == (__u64)-1 ? says.image_probe : says.image);
		plain_loads++;
		return answer(says.plain);
	case BPF_LINK_CREATE:
		return answer(says.link);
	case BPF_MAP_CREATE:
	case BPF_BTF_LOAD:
		return answer(0);
	default:
		return answer(EINVAL);
	}
}

/* This kernel has no BTF, wherever one may look */
int faccessat(int dir, const char *path, int mode, int flags)
{
	errno = ENOENT;
	return -1;
}

static bool has(enum kern_feature_id id, int image_probe, int plain, int link)
{
	struct kern_feature_cache cache = {};

	says.image_probe = image_probe;
	says.plain = plain;
	says.link = link;
	return feat_supported(&cache, id);
}

static void test_features(void)
{
	result(has(FEAT_PROG_IMAGE, EFAULT, 0, 0), "a kernel that goes for the image takes images");
	result(!has(FEAT_PROG_IMAGE, E2BIG, 0, 0), "one that knows no such attribute does not");
	result(!has(FEAT_PROG_IMAGE, ENOMEM, 0, 0), "no memory says nothing of images");
	result(!has(FEAT_PROG_IMAGE, ENOSYS, 0, 0), "nor does a missing system call");
	result(!has(FEAT_PROG_IMAGE, EPERM, 0, 0), "nor a refusal, if other programs are loaded");
	result(has(FEAT_PROG_IMAGE, EPERM, EPERM, 0), "if none is, images are to be tried");

	result(!has(FEAT_GLOBAL_DATA, EFAULT, EINVAL, 0),
	       "images don't stand for a feature that is not there");
	result(has(FEAT_GLOBAL_DATA, EFAULT, EPERM, 0), "but for one that may not be tried");
	result(!has(FEAT_GLOBAL_DATA, E2BIG, EPERM, 0), "... if the kernel takes images");
	result(!has(FEAT_PERF_LINK, EFAULT, 0, EINVAL), "a kernel may lack perf links");
	result(has(FEAT_PERF_LINK, EFAULT, 0, EBADF), "or have them");
	result(has(FEAT_PERF_LINK, EFAULT, EPERM, 0), "or refuse to tell");
}

static struct bpf_object *open_object(const char *path)
{
	struct bpf_object *obj = bpf_object__open_file(path, NULL);

	if (!obj) {
		printf("Bail out! can't open %s: %s\n%s", path, strerror(errno), log_buf);
		exit(1);
	}
	return obj;
}

static void test_objects(const char *is_signed, const char *stripped)
{
	struct bpf_object *obj;

	says.image_probe = EFAULT;
	says.image = 0;
	says.plain = EPERM;
	plain_loads = 0;
	obj = open_object(is_signed);
	result(!bpf_object__load(obj) && !plain_loads, "a signed object needs no other programs");
	bpf_object__close(obj);

	obj = open_object(stripped);
	result(bpf_object__load(obj) == -ENODATA && strstr(log_buf, "signed, but has no BTF"),
	       "a signed object without BTF is refused");
	bpf_object__close(obj);
}

static void test_targets(const char *path)
{
	static const struct {
		const char *name;
		int err;
	} targets[] = {
		{ "vfs_open", 0 },
		{ "vfs_read", -EINVAL },
		{ "ext4:vfs_open", -EINVAL },
		{ "ext4:xattr", 0 },
		{ "ext4_mod:xattr", 0 },
		{ "btrfs:xattr", -EINVAL },
		{ "ext4:read", -EINVAL },
		{ "ext4xattr", -EINVAL },
	};
	struct bpf_program *prog;
	struct bpf_object *obj;
	char name[128];
	size_t i;
	int err;

	says.image_probe = EFAULT;
	obj = open_object(path);
	prog = bpf_object__find_program_by_name(obj, "no_target_prog");
	for (i = 0; i < sizeof(targets) / sizeof(*targets); i++) {
		err = bpf_program__set_attach_target(prog, 0, targets[i].name);
		snprintf(name, sizeof(name), "target %s is %s as in the kernel",
			 targets[i].name, targets[i].err ? "refused" : "taken");
		result(err == targets[i].err, name);
	}
	bpf_object__close(obj);
}

int main(int argc, char **argv)
{
	if (argc != 4)
		return 1;
	setvbuf(stdout, NULL, _IOLBF, 0);
	libbpf_set_print(keep_log);
	/* first those that leave what they have found out in libbpf's own cache */
	test_targets(argv[3]);
	test_objects(argv[1], argv[2]);
	test_features();
	return failures ? 1 : 0;
}
