// SPDX-License-Identifier: GPL-2.0
/* A BPF LSM program, itself signed, sees loads by image as user space's. */
#define _GNU_SOURCE
#include "lib.h"

struct seen {
	int loads;
	int kernel;
	__u32 type;
	__u32 verdict;
	__u32 keyring_type;
	char name[16];
};

static int bss, bss_size;

static void attach(void)
{
	struct object *obj = object_open("lsm.signed.o");
	const struct image_prog *prog = object_prog(obj, "on_prog_load");
	int fds[BPF_IMAGE_MAX_MAPS], cnt, ro, pid = getpid(), fd;
	const struct bpf_image_map *slots;
	union bpf_attr attr;
	__u32 n;

	cnt = make_maps(obj, prog, fds);
	ro = image_slot(prog->image, ".rodata");
	slots = image_section(prog->image, BPF_IMAGE_MAPS, &n);
	check(slots[ro].value_size == sizeof(pid), "the object has changed");
	fds[ro] = make_map(obj, prog, ro, &pid);
	must(map_freeze(fds[ro]));
	bss = fds[image_slot(prog->image, ".bss")];
	bss_size = slots[image_slot(prog->image, ".bss")].value_size;
	image_attr(&attr, prog, fds, cnt, obj->btf_fd);
	fd = image_load(&attr);
	check(fd >= 0, "%s; log: %s", strerror(-fd), log_text);
	memset(&attr, 0, sizeof(attr));
	attr.raw_tracepoint.prog_fd = fd;
	must(sys_bpf(BPF_RAW_TRACEPOINT_OPEN, &attr, sizeof(attr)));
}

static struct seen seen(void)
{
	char value[256];
	struct seen s;
	int zero = 0;

	check(bss_size <= (int)sizeof(value), "the object has changed");
	must(map_lookup(bss, &zero, value));
	memcpy(&s, value, sizeof(s));
	return s;
}

static int load(void)
{
	struct image_prog *prog;
	union bpf_attr attr;
	struct builder b;

	builder_init(&b, "first", 1);
	prog = build_signed(&b);
	image_attr(&attr, prog, NULL, 0, -1);
	return image_load(&attr);
}

static void told_of_user_space(const void *arg)
{
	struct seen s;

	attach();
	must(load());
	s = seen();
	check(s.loads == 1, "%d loads", s.loads);
	check(s.kernel == 0, "the load passes for the kernel's own");
	check(s.type == BPF_PROG_TYPE_SOCKET_FILTER, "type %u", s.type);
	check(s.verdict == BPF_SIG_VERIFIED, "verdict %u", s.verdict);
	check(s.keyring_type == BPF_SIG_KEYRING_SECONDARY, "keyring %u", s.keyring_type);
	check(!strcmp(s.name, "first"), "name %s", s.name);
}

static void not_told_of_what_is_no_image(const void *arg)
{
	struct image_prog *prog;
	union bpf_attr attr;
	struct builder b;

	attach();
	builder_init(&b, "first", 1);
	prog = build_signed(&b);
	((char *)prog->image)[0] ^= 1;
	image_attr(&attr, prog, NULL, 0, -1);
	expect_refused(&attr, EKEYREJECTED, "signature:");
	check(seen().loads == 0, "asked about an image that was not verified");
}

static void told_of_unsigned(const void *arg)
{
	struct seen s;
	int fd;

	attach();
	fd = load_unsigned(BPF_PROG_TYPE_SOCKET_FILTER);
	s = seen();
	check(s.loads == 1 && !s.kernel && s.verdict == BPF_SIG_UNSIGNED,
	      "%d loads, kernel %d, verdict %u (%d)", s.loads, s.kernel, s.verdict, fd);
}

static void may_refuse(const void *arg)
{
	char value[256];
	int zero = 0, ret;

	attach();
	/* all of .bss: "deny" is somewhere in it */
	memset(value, 1, sizeof(value));
	must(map_update(bss, &zero, value));
	ret = load();
	check(ret == -EPERM, "%s", ret < 0 ? strerror(-ret) : "it loaded");
}

static const struct test_case cases[] = {
	CASE(told_of_user_space),
	CASE(not_told_of_what_is_no_image),
	CASE(told_of_unsigned),
	CASE(may_refuse),
};

int main(int argc, char **argv)
{
	return run_cases(argc, argv, cases, ARRAY_SIZE(cases));
}
