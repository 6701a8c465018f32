// SPDX-License-Identifier: GPL-2.0
/*
 * The same keys sign modules, loaders of light skeletons and images. What was
 * signed as one of them must not pass for another.
 */
#define _GNU_SOURCE
#include <linux/keyctl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include "lib.h"

/* The skeleton's own call, with the bytes that it would load */
#include <bpf/skel_internal.h>
static struct bpf_load_and_run_opts captured;
static bool capture;

static int load_or_capture(struct bpf_load_and_run_opts *opts)
{
	captured = *opts;
	return capture ? -1 : bpf_load_and_run(opts);
}

#define bpf_load_and_run load_or_capture
#include "small.lskel.h"
#undef bpf_load_and_run

static void refused_as_image(const void *data, __u32 len, const void *sig, __u32 sig_len,
			     int error, const char *words)
{
	struct image_prog prog = { "x", data, len, sig, sig_len };
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	image_attr(&attr, &prog, NULL, 0, -1);
	expect_refused(&attr, error, words);
}

#define TRAILER	"~Module signature appended~\n"

/* A module's bytes and its signature, apart */
static char *read_module(size_t *len, const char **sig, __u32 *sig_len, size_t *whole)
{
	size_t size, tail = sizeof(TRAILER) - 1;
	char *data = read_file("module.signed", &size);
	unsigned char *info;

	*whole = size;
	check(size > tail + 12 && !memcmp(data + size - tail, TRAILER, tail),
	      "no signed module");
	info = (unsigned char *)data + size - tail - 12;
	*sig_len = info[8] << 24 | info[9] << 16 | info[10] << 8 | info[11];
	*sig = (char *)info - *sig_len;
	*len = *sig - data;
	return data;
}

static void module_as_image(const void *arg)
{
	size_t len, whole;
	const char *sig;
	__u32 sig_len;
	char *data;

	data = read_module(&len, &sig, &sig_len, &whole);
	refused_as_image(data, len, sig, sig_len, EINVAL, "image: header.magic: not an image");
	/* the file as it is */
	refused_as_image(data, whole, sig, sig_len, EKEYREJECTED, "signature:");
}

static void module_signature_on_an_image(const void *arg)
{
	struct image_prog *prog;
	size_t len, whole;
	struct builder b;
	const char *sig;
	__u32 sig_len;

	read_module(&len, &sig, &sig_len, &whole);
	builder_init(&b, "first", 1);
	prog = build_signed(&b);
	refused_as_image(prog->image, prog->image_len, sig, sig_len, EKEYREJECTED, "signature:");
}

static void image_as_module(const void *arg)
{
	struct image_prog *prog;
	struct builder b;
	char *file;
	size_t len;

	/* with a signature that the kernel takes for a module's */
	builder_init(&b, "first", 1);
	prog = build_signed(&b);
	prog->sig = sign_bytes(kernel_signer(), prog->image, prog->image_len, &prog->sig_len);
	len = prog->image_len + prog->sig_len + 12 + sizeof(TRAILER) - 1;
	file = calloc(1, len);
	memcpy(file, prog->image, prog->image_len);
	memcpy(file + prog->image_len, prog->sig, prog->sig_len);
	file[prog->image_len + prog->sig_len + 2] = 2;		/* PKCS#7 */
	file[len - sizeof(TRAILER) + 1 - 2] = prog->sig_len >> 8;
	file[len - sizeof(TRAILER) + 1 - 1] = prog->sig_len;
	memcpy(file + len - sizeof(TRAILER) + 1, TRAILER, sizeof(TRAILER) - 1);
	check(syscall(__NR_init_module, file, len, "") < 0, "an image is a module");
	check(errno == ENOEXEC, "%s", strerror(errno));
}

static struct small *loader(int keyring)
{
	struct small *skel = small__open();

	check(skel, "no skeleton");
	skel->keyring_id = keyring;
	return skel;
}

static void light_skeleton_as_image(const void *arg)
{
	struct small *skel = loader(1);
	char *payload;

	capture = true;
	check(small__load(skel) < 0, "not captured");
	check(captured.insns_sz && captured.signature_sz, "no bytes");
	/* what is signed are the instructions, and behind them the map's contents */
	payload = malloc(captured.insns_sz + captured.data_sz);
	memcpy(payload, captured.insns, captured.insns_sz);
	memcpy(payload + captured.insns_sz, captured.data, captured.data_sz);
	refused_as_image(payload, captured.insns_sz + captured.data_sz, captured.signature,
			 captured.signature_sz, EINVAL, "image: header.magic: not an image");
	refused_as_image(captured.insns, captured.insns_sz, captured.signature,
			 captured.signature_sz, EKEYREJECTED, "signature:");
}

static void light_skeleton_by_itself(const void *arg)
{
	struct bpf_prog_info info;
	struct small *skel = loader(1);
	int err;

	/* the other form of the payload still loads, and what it loads, too */
	err = small__load(skel);
	check(!err, "%d (%s)", err, strerror(errno));
	must(prog_info(skel->progs.small.prog_fd, &info));
	check(prog_run(skel->progs.small.prog_fd) == 34, "another result");
}

static int wait_for_end(void *fds)
{
	char c;

	/* the other end is closed when the case ends */
	return read(((int *)fds)[0], &c, 1) > 0;
}

/*
 * The loader's BTF and maps are files of the task. Somebody who shares them could
 * put others in their place, so that nobody vouches for what comes out.
 */
static void light_skeleton_of_shared_files(const void *arg)
{
	bool refused = strcmp(lockdown_mode(), "none");
	const size_t size = 64 << 10;
	char *stack = malloc(size);
	struct small *skel = loader(1);
	int fds[2], err;

	check(stack, "no memory");
	must(pipe(fds));
	must(clone(wait_for_end, stack + size, CLONE_FILES | CLONE_VM | SIGCHLD, fds));
	err = small__load(skel);
	check(refused ? err == -EPERM : !err, "%d, and the mode is %s", err, lockdown_mode());
	close(fds[1]);
}

/* What another process has come to, which finds maps by their ids */
struct meddler {
	int refused;
	int wrote;
};

/* Writes to each map of constants that comes up, as long as it can. */
static void meddle(struct meddler *m)
{
	static char value[4096];
	struct bpf_map_info info;
	union bpf_attr attr;
	__u32 last = 0;
	int key = 0, fd;

	for (;;) {
		memset(&attr, 0, sizeof(attr));
		attr.start_id = last;
		if (sys_bpf(BPF_MAP_GET_NEXT_ID, &attr, sizeof(attr)))
			continue;
		last = attr.next_id;
		memset(&attr, 0, sizeof(attr));
		attr.map_id = last;
		fd = sys_bpf(BPF_MAP_GET_FD_BY_ID, &attr, sizeof(attr));
		memset(&attr, 0, sizeof(attr));
		memset(&info, 0, sizeof(info));
		attr.info.bpf_fd = fd;
		attr.info.info_len = sizeof(info);
		attr.info.info = (uintptr_t)&info;
		if (fd < 0 || sys_bpf(BPF_OBJ_GET_INFO_BY_FD, &attr, sizeof(attr)) ||
		    !(info.map_flags & BPF_F_RDONLY_PROG) || info.value_size > sizeof(value)) {
			close(fd);
			continue;
		}
		if (!map_update(fd, &key, value))
			m->wrote++;
		else if (errno == EPERM)
			m->refused++;
		close(fd);
	}
}

static void light_skeleton_meddled_with(const void *arg)
{
	struct meddler *m = mmap(NULL, sizeof(*m), PROT_READ | PROT_WRITE,
				 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct small *skel;
	int i, loaded = 0;
	pid_t child;

	check(m != MAP_FAILED, "no memory");
	child = must(fork());
	if (!child) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		meddle(m);
	}
	for (i = 0; i < 1000 && (i < rounds(100) || !m->refused); i++) {
		skel = loader(1);
		/* a write that is being refused keeps a map from being frozen */
		if (!small__load(skel)) {
			check(prog_run(skel->progs.small.prog_fd) == 34, "another result");
			loaded++;
		}
		small__destroy(skel);
	}
	kill(child, SIGKILL);
	check(!m->wrote, "%d writes to what the loader fills", m->wrote);
	check(loaded && m->refused, "%d loaded, %d refused", loaded, m->refused);
}

static void light_skeleton_altered(const void *arg)
{
	struct small *skel = loader(1);
	union bpf_attr attr = {};
	char *insns;
	int fd;

	capture = true;
	small__load(skel);
	insns = malloc(captured.insns_sz);
	memcpy(insns, captured.insns, captured.insns_sz);
	insns[captured.insns_sz / 2] ^= 1;
	attr.prog_type = BPF_PROG_TYPE_SYSCALL;
	attr.insns = (uintptr_t)insns;
	attr.insn_cnt = captured.insns_sz / 8;
	attr.license = (uintptr_t)"GPL";
	attr.signature = (uintptr_t)captured.signature;
	attr.signature_size = captured.signature_sz;
	attr.keyring_id = 1;
	attr.prog_flags = BPF_F_SLEEPABLE;
	fd = sys_bpf(BPF_PROG_LOAD, &attr, sizeof(attr));
	check(fd < 0 && errno == EKEYREJECTED, "%s", fd < 0 ? strerror(errno) : "it loaded");
}

/* An image whose length is that of whole instructions, with its signature */
static struct image_prog *even_image(void)
{
	struct image_prog *prog;
	struct builder b;

	builder_init(&b, "first", 1);
	prog = build_signed(&b);
	check(prog->image_len % 8 == 0, "%u bytes are no instructions", prog->image_len);
	return prog;
}

static void image_as_instructions(const void *arg)
{
	static const __u32 types[] = { BPF_PROG_TYPE_SYSCALL, BPF_PROG_TYPE_SOCKET_FILTER,
				       BPF_PROG_TYPE_KPROBE };
	struct image_prog *prog = even_image();
	union bpf_attr attr;
	size_t i;
	int fd;

	for (i = 0; i < ARRAY_SIZE(types); i++) {
		memset(&attr, 0, sizeof(attr));
		attr.prog_type = types[i];
		attr.insns = (uintptr_t)prog->image;
		attr.insn_cnt = prog->image_len / 8;
		attr.license = (uintptr_t)"GPL";
		attr.signature = (uintptr_t)prog->sig;
		attr.signature_size = prog->sig_len;
		attr.keyring_id = 1;
		attr.log_buf = (uintptr_t)log_text;
		attr.log_size = sizeof(log_text);
		attr.log_level = 1;
		fd = sys_bpf(BPF_PROG_LOAD, &attr, sizeof(attr));
		/* Of bare instructions lockdown lets in loaders only; those
		 * get as far as to the first byte of the magic.
		 */
		check(fd < 0 && errno == (i ? EPERM : EINVAL), "type %u: %s", types[i],
		      fd < 0 ? strerror(errno) : "it loaded");
	}
}

/* From any offset: what follows the header are instructions, once. */
static void image_as_instructions_from_any_offset(const void *arg)
{
	struct image_prog *prog = even_image();
	union bpf_attr attr = {};
	__u32 off;
	int fd;

	for (off = 8; off < prog->image_len; off += 8) {
		memset(&attr, 0, sizeof(attr));
		attr.prog_type = BPF_PROG_TYPE_SOCKET_FILTER;
		attr.insns = (uintptr_t)prog->image + off;
		attr.insn_cnt = (prog->image_len - off) / 8;
		attr.license = (uintptr_t)"GPL";
		attr.signature = (uintptr_t)prog->sig;
		attr.signature_size = prog->sig_len;
		attr.keyring_id = 1;
		fd = sys_bpf(BPF_PROG_LOAD, &attr, sizeof(attr));
		check(fd < 0, "offset %u: it loaded", off);
	}
}

static void image_as_btf(const void *arg)
{
	struct image_prog *prog = even_image();

	check(btf_load(prog->image, prog->image_len) == -EINVAL, "an image is BTF");
}

static void btf_as_image(const void *arg)
{
	struct object *obj = object_open("small.signed.o");
	__u32 len;
	void *sig = sign_bytes(fast_signer(), obj->btf, obj->btf_len, &len);

	refused_as_image(obj->btf, obj->btf_len, sig, len, EINVAL,
			 "image: header.magic: not an image");
}

static void text_as_image(const void *arg)
{
	static const char text[4096] = "#!/bin/sh\n";
	__u32 len, size;
	void *sig;

	for (size = 0; size <= sizeof(text); size = size * 2 + 1) {
		sig = sign_bytes(fast_signer(), text, size, &len);
		refused_as_image(text, size, sig, len, EINVAL, "image: header.magic:");
	}
}

static void attached_signature(const void *arg)
{
	struct image_prog *prog = even_image();

	/* a signature's blob, and the blob signed once more */
	refused_as_image(prog->sig, prog->sig_len, prog->sig, prog->sig_len, EKEYREJECTED,
			 "signature:");
	prog = sign_image(fast_signer(), (void *)prog->sig, prog->sig_len);
	refused_as_image(prog->image, prog->image_len, prog->sig, prog->sig_len, EINVAL,
			 "image: header.magic: not an image");
}

static const struct test_case cases[] = {
	CASE(module_as_image),
	CASE(module_signature_on_an_image),
	CASE(image_as_module),
	CASE(light_skeleton_as_image),
	CASE(light_skeleton_by_itself),
	CASE(light_skeleton_of_shared_files),
	CASE(light_skeleton_meddled_with),
	CASE(light_skeleton_altered),
	CASE(image_as_instructions),
	CASE(image_as_instructions_from_any_offset),
	CASE(image_as_btf),
	CASE(btf_as_image),
	CASE(text_as_image),
	CASE(attached_signature),
};

int main(int argc, char **argv)
{
	return run_cases(argc, argv, cases, ARRAY_SIZE(cases));
}
