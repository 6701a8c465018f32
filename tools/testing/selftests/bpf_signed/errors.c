// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
/* Each line of the error table, and each attribute that has no place. */
#include "lib.h"

static struct object *open_small(void)
{
	return object_open("small.signed.o");
}

/* A hand-made program that is right, as a base for what is wrong */
static void attr_of(union bpf_attr *attr, struct image_prog **prog)
{
	struct builder b;

	builder_init(&b, "first", 1);
	*prog = build_signed(&b);
	image_attr(attr, *prog, NULL, 0, -1);
}

static void loads_and_runs(const void *arg)
{
	struct object *obj = open_small();
	int fd = object_load(obj, "small");

	check(fd >= 0, "%s; log: %s", strerror(-fd), log_text);
	check(prog_run(fd) == 34, "wrong result");
}

static void built_image_loads(const void *arg)
{
	struct image_prog *prog;
	struct bpf_prog_info info;
	union bpf_attr attr;
	int fd;

	attr_of(&attr, &prog);
	fd = image_load(&attr);
	check(fd >= 0, "%s; log: %s", strerror(-fd), log_text);
	check(prog_run(fd) == 1, "wrong result");
	must(prog_info(fd, &info));
	check(!strcmp(info.name, "first"), "name is %s", info.name);
	check(info.gpl_compatible, "the license got lost");
}

static void changed_image(const void *arg)
{
	struct image_prog *prog;
	union bpf_attr attr;

	attr_of(&attr, &prog);
	((char *)prog->image)[prog->image_len - 12] ^= 1;
	expect_refused(&attr, EKEYREJECTED, "signature: it does not match the image");
}

static void signature_of_another_image(const void *arg)
{
	struct image_prog *first, *second;
	union bpf_attr attr;
	struct builder b;

	attr_of(&attr, &first);
	builder_init(&b, "second", 2);
	second = build_signed(&b);
	attr.signature = (uintptr_t)second->sig;
	attr.signature_size = second->sig_len;
	expect_refused(&attr, EKEYREJECTED, "signature:");
}

static void foreign_key(const void *arg)
{
	struct image_prog *prog;
	union bpf_attr attr;

	attr_of(&attr, &prog);
	prog = sign_image(signer_new("Somebody", NULL), (void *)prog->image, prog->image_len);
	image_attr(&attr, prog, NULL, 0, -1);
	expect_refused(&attr, ENOKEY, "no key in the keyring is its signer's");
}

static void foreign_key_with_certificate(const void *arg)
{
	struct image_prog *prog;
	union bpf_attr attr;
	__u32 len;

	/* a certificate that travels with the signature vouches for nothing */
	attr_of(&attr, &prog);
	attr.signature = (uintptr_t)sign_with_cert(signer_new("Somebody", NULL), prog->image,
						   prog->image_len, &len);
	attr.signature_size = len;
	expect_refused(&attr, ENOKEY, "no key in the keyring is its signer's");
}

static void not_pkcs7(const void *arg)
{
	static const char junk[] = "this is no signature at all";
	struct image_prog *prog;
	union bpf_attr attr;

	attr_of(&attr, &prog);
	attr.signature = (uintptr_t)junk;
	attr.signature_size = sizeof(junk);
	expect_refused(&attr, EBADMSG, "it is no detached PKCS#7 signature");
}

static void certificate_for_signature(const void *arg)
{
	struct image_prog *prog;
	union bpf_attr attr;
	size_t len;

	attr_of(&attr, &prog);
	attr.signature = (uintptr_t)signer_cert(kernel_signer(), &len);
	attr.signature_size = len;
	expect_refused(&attr, EBADMSG, "it is no detached PKCS#7 signature");
}

static void no_signature(const void *arg)
{
	struct image_prog *prog;
	union bpf_attr attr;

	attr_of(&attr, &prog);
	attr.signature_size = 0;
	expect_refused(&attr, EBADMSG, "signature:");
	attr.signature = 0;
	expect_refused(&attr, EBADMSG, "signature:");
}

static void null_signature_with_size(const void *arg)
{
	struct image_prog *prog;
	union bpf_attr attr;

	attr_of(&attr, &prog);
	attr.signature = 0;
	expect_refused(&attr, EFAULT, NULL);
}

static void image_without_size(const void *arg)
{
	struct image_prog *prog;
	union bpf_attr attr;

	attr_of(&attr, &prog);
	attr.image_size = 0;
	expect_refused(&attr, EKEYREJECTED, "signature:");
}

static void size_without_image(const void *arg)
{
	struct image_prog *prog;
	union bpf_attr attr;

	/* then it is a load without an image, and one of no type and no code */
	attr_of(&attr, &prog);
	attr.image = 0;
	check(image_load(&attr) < 0, "it loaded");
}

static void bad_pointers(const void *arg)
{
	struct image_prog *prog;
	union bpf_attr attr;
	int fds[1] = { -1 };

	attr_of(&attr, &prog);
	attr.image = 8;
	expect_refused(&attr, EFAULT, NULL);

	/* an address of the kernel's */
	image_attr(&attr, prog, NULL, 0, -1);
	attr.image = 0xffffffff81000000ULL;
	expect_refused(&attr, EFAULT, NULL);
	attr.image = ~0ULL - 8;
	expect_refused(&attr, EFAULT, NULL);

	image_attr(&attr, prog, NULL, 0, -1);
	attr.signature = 0xffffffff81000000ULL;
	expect_refused(&attr, EFAULT, NULL);

	image_attr(&attr, prog, NULL, 0, -1);
	attr.fd_array = 0xffffffff81000000ULL;
	attr.fd_array_cnt = 1;
	expect_refused(&attr, EFAULT, NULL);

	image_attr(&attr, prog, NULL, 0, -1);
	attr.attach_name = 0xffffffff81000000ULL;
	expect_refused(&attr, EFAULT, NULL);

	image_attr(&attr, prog, fds, 1, -1);
	attr.log_buf = 8;
	expect_refused(&attr, EFAULT, NULL);
}

static void log_of_odd_sizes(const void *arg)
{
	struct image_prog *prog;
	union bpf_attr attr;
	__u32 size;
	int ret;

	attr_of(&attr, &prog);
	((char *)prog->image)[0] ^= 1;
	/* the log is written before there is a verifier: each size is safe */
	for (size = 0; size < 130; size++) {
		image_attr(&attr, prog, NULL, 0, -1);
		attr.log_size = size;
		memset(log_text, 'x', sizeof(log_text));
		ret = sys_bpf(BPF_PROG_LOAD, &attr, sizeof(attr)) < 0 ? -errno : 0;
		check(ret == -EKEYREJECTED || ret == -ENOSPC || ret == -EINVAL,
		      "log_size %u: %s", size, strerror(-ret));
		check(log_text[size] == 'x', "log_size %u: written past its end", size);
		if (ret == -EKEYREJECTED && size)
			check(memchr(log_text, 0, size), "log_size %u: not terminated", size);
	}
	image_attr(&attr, prog, NULL, 0, -1);
	attr.log_buf = 0;
	attr.log_size = 0;
	attr.log_level = 0;
	check(image_load(&attr) == -EKEYREJECTED, "without a log: another error");
}

static void too_large(const void *arg)
{
	struct image_prog *prog;
	union bpf_attr attr;
	int fds[BPF_IMAGE_MAX_MAPS + 1];

	attr_of(&attr, &prog);
	attr.image_size = BPF_IMAGE_MAX_SIZE + 1;
	expect_refused(&attr, E2BIG, "image: larger than");
	attr.image_size = ~0U;
	expect_refused(&attr, E2BIG, "image: larger than");

	image_attr(&attr, prog, NULL, 0, -1);
	attr.signature_size = BPF_IMAGE_MAX_SIGNATURE + 1;
	expect_refused(&attr, E2BIG, "signature: larger than");
	attr.signature_size = ~0U;
	expect_refused(&attr, E2BIG, "signature: larger than");

	memset(fds, 0xff, sizeof(fds));
	image_attr(&attr, prog, fds, BPF_IMAGE_MAX_MAPS + 1, -1);
	expect_refused(&attr, E2BIG, "fd_array: more than");
	attr.fd_array_cnt = 0x40000000;
	expect_refused(&attr, E2BIG, "fd_array: more than");
	attr.fd_array_cnt = ~0U;
	expect_refused(&attr, E2BIG, "fd_array: more than");
}

static void bounds_themselves_hold(const void *arg)
{
	char *big = calloc(1, BPF_IMAGE_MAX_SIZE);
	struct image_prog *prog;
	union bpf_attr attr;

	/* the largest sizes are read, and refused for what is in them */
	attr_of(&attr, &prog);
	memcpy(big, prog->image, prog->image_len);
	attr.image = (uintptr_t)big;
	attr.image_size = BPF_IMAGE_MAX_SIZE;
	expect_refused(&attr, EKEYREJECTED, "signature:");

	image_attr(&attr, prog, NULL, 0, -1);
	memcpy(big, prog->sig, prog->sig_len);
	attr.signature = (uintptr_t)big;
	attr.signature_size = BPF_IMAGE_MAX_SIGNATURE;
	expect_refused(&attr, EBADMSG, "signature:");
}

static void fd_count_differs(const void *arg)
{
	struct object *obj = open_small();
	const struct image_prog *prog = object_prog(obj, "small");
	int fds[BPF_IMAGE_MAX_MAPS], cnt;
	union bpf_attr attr;

	cnt = make_maps(obj, prog, fds);
	check(cnt == 3, "the object has changed");
	image_attr(&attr, prog, fds, cnt - 1, obj->btf_fd);
	expect_refused(&attr, EINVAL, "fd_array_cnt: is 2, the image has 3 map slots");
	fds[cnt] = fds[0];
	attr.fd_array_cnt = cnt + 1;
	expect_refused(&attr, EINVAL, "fd_array_cnt: is 4, the image has 3 map slots");
	attr.fd_array_cnt = 0;
	expect_refused(&attr, EINVAL, "fd_array_cnt:");
}

struct stray {
	const char *field;
	size_t off;
	size_t size;
	__u64 value;
};

#define STRAY(f, v)							\
	{								\
		.field = #f,						\
		.off = offsetof(union bpf_attr, f),			\
		.size = sizeof(((union bpf_attr *)0)->f),		\
		.value = (v),						\
	}

static const struct stray strays[] = {
	STRAY(prog_type, BPF_PROG_TYPE_KPROBE),
	STRAY(insn_cnt, 2),
	STRAY(insns, 0x1000),
	STRAY(license, 0x1000),
	STRAY(kern_version, 1),
	STRAY(prog_name[0], 'x'),
	STRAY(expected_attach_type, BPF_TRACE_FEXIT),
	STRAY(func_info_rec_size, 8),
	STRAY(func_info, 0x1000),
	STRAY(func_info_cnt, 1),
	STRAY(line_info_rec_size, 16),
	STRAY(line_info, 0x1000),
	STRAY(line_info_cnt, 1),
	STRAY(attach_btf_id, 1),
	STRAY(core_relo_cnt, 1),
	STRAY(core_relos, 0x1000),
	STRAY(core_relo_rec_size, 16),
	STRAY(image_flags, 1),
	STRAY(image_flags, 0x80000000),
	STRAY(prog_flags, BPF_F_SLEEPABLE),
	STRAY(prog_flags, BPF_F_ANY_ALIGNMENT),
	STRAY(prog_flags, 0x80000000),
};

static void stray_attribute(const void *arg)
{
	const struct stray *s = arg;
	struct image_prog *prog;
	union bpf_attr attr;
	char words[64];

	attr_of(&attr, &prog);
	memcpy((char *)&attr + s->off, &s->value, s->size);
	snprintf(words, sizeof(words), "%s: must be zero beside an image", s->field);
	expect_refused(&attr, EINVAL, words);
}

static void unknown_attribute(const void *arg)
{
	struct {
		union bpf_attr attr;
		__u64 more;
	} big = {};
	struct image_prog *prog;
	int ret;

	attr_of(&big.attr, &prog);
	big.more = 1;
	ret = sys_bpf(BPF_PROG_LOAD, &big.attr, sizeof(big)) < 0 ? -errno : 0;
	check(ret == -E2BIG, "%s", strerror(-ret));
	big.more = 0;
	must(sys_bpf(BPF_PROG_LOAD, &big.attr, sizeof(big)));
}

static void image_cut_off_attr(const void *arg)
{
	struct image_prog *prog;
	union bpf_attr attr;

	/* an attr that ends before the image, as old programs pass it */
	attr_of(&attr, &prog);
	check(sys_bpf(BPF_PROG_LOAD, &attr, offsetof(union bpf_attr, image)) < 0,
	      "it loaded");
}

static void image_beside_unsigned_program(const void *arg)
{
	static const struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = 99 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	struct image_prog *prog;
	union bpf_attr attr;

	attr_of(&attr, &prog);
	attr.prog_type = BPF_PROG_TYPE_SOCKET_FILTER;
	attr.insns = (uintptr_t)insns;
	attr.insn_cnt = ARRAY_SIZE(insns);
	attr.license = (uintptr_t)"GPL";
	expect_refused(&attr, EINVAL, "must be zero beside an image");
}

static void ifindex_without_device(const void *arg)
{
	struct image_prog *prog;
	union bpf_attr attr;

	attr_of(&attr, &prog);
	attr.prog_ifindex = 0x7fffffff;
	check(image_load(&attr) < 0, "it loaded");
}

static void btf_missing(const void *arg)
{
	struct object *obj = open_small();
	const struct image_prog *prog = object_prog(obj, "small");
	int fds[BPF_IMAGE_MAX_MAPS], ret;
	union bpf_attr attr;

	object_attr(&attr, obj, prog, fds);
	attr.prog_btf_fd = 0;
	ret = image_load(&attr);
	check(ret == -EINVAL || ret == -EBADF, "without BTF: %s", strerror(-ret));
	attr.prog_btf_fd = fds[0];
	ret = image_load(&attr);
	check(ret == -EINVAL, "a map for BTF: %s", strerror(-ret));
	attr.prog_btf_fd = 4000;
	ret = image_load(&attr);
	check(ret == -EBADF, "no fd: %s", strerror(-ret));
}

static void btf_of_another_object(const void *arg)
{
	struct object *obj = open_small(), *other = object_open("basic.signed.o");
	const struct image_prog *prog = object_prog(obj, "small");
	int fds[BPF_IMAGE_MAX_MAPS], cnt;
	union bpf_attr attr;

	cnt = make_maps(obj, prog, fds);
	image_attr(&attr, prog, fds, cnt, other->btf_fd);
	expect_refused(&attr, EINVAL, "prog_btf_fd: it is not the BTF that was signed");
}

/*
 * An image without a BTF section, and yet BTF beside it: whatever the kernel
 * makes of it, it must not take what was not signed.
 */
static void btf_that_the_image_lacks(const void *arg)
{
	struct object *obj = open_small();
	struct bpf_prog_info info;
	struct image_prog *prog;
	union bpf_attr attr;
	int fd;

	attr_of(&attr, &prog);
	attr.prog_btf_fd = obj->btf_fd;
	fd = image_load(&attr);
	if (fd < 0)
		return;
	must(prog_info(fd, &info));
	check(!info.btf_id, "unsigned BTF became the program's");
}

static const struct test_case cases[] = {
	CASE(loads_and_runs),
	CASE(built_image_loads),
	CASE(changed_image),
	CASE(signature_of_another_image),
	CASE(foreign_key),
	CASE(foreign_key_with_certificate),
	CASE(not_pkcs7),
	CASE(certificate_for_signature),
	CASE(no_signature),
	CASE(null_signature_with_size),
	CASE(image_without_size),
	CASE(size_without_image),
	CASE(bad_pointers),
	CASE(log_of_odd_sizes),
	CASE(too_large),
	CASE(bounds_themselves_hold),
	CASE(fd_count_differs),
	CASE(unknown_attribute),
	CASE(image_cut_off_attr),
	CASE(image_beside_unsigned_program),
	CASE(ifindex_without_device),
	CASE(btf_missing),
	CASE(btf_of_another_object),
	CASE(btf_that_the_image_lacks),
};

int main(int argc, char **argv)
{
	struct test_case all[ARRAY_SIZE(cases) + ARRAY_SIZE(strays)];
	size_t i;

	memcpy(all, cases, sizeof(cases));
	for (i = 0; i < ARRAY_SIZE(strays); i++) {
		char *name;

		if (asprintf(&name, "stray_attribute: %s 0x%llx", strays[i].field,
			     (unsigned long long)strays[i].value) < 0)
			return 1;
		all[ARRAY_SIZE(cases) + i] = (struct test_case){
			name, stray_attribute, &strays[i] };
	}
	return run_cases(argc, argv, all, ARRAY_SIZE(all));
}
