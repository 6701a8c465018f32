// SPDX-License-Identifier: GPL-2.0
/*
 * A second thread that changes what was checked. What loads has to be what was
 * signed, whoever wins: no case passes or fails by timing. Some stop the kernel
 * in the middle of a load, with a page that userfaultfd holds back, and change
 * everything then.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include "lib.h"

#define ROUNDS	2000

static atomic_bool stop;
static struct object *obj;
static const struct image_prog *prog;
static int fds[BPF_IMAGE_MAX_MAPS], fd_cnt;

static struct {
	int loaded, refused;
} tally;

static void prepare(union bpf_attr *attr, const char *file, const char *name)
{
	obj = object_open(file);
	prog = object_prog(obj, name);
	fd_cnt = object_attr(attr, obj, prog, fds);
	attr->log_level = 0;
	attr->log_buf = 0;
	attr->log_size = 0;
}

static pthread_t start(void *(*fn)(void *), void *arg)
{
	pthread_t thread;

	check(!pthread_create(&thread, NULL, fn, arg), "no thread");
	return thread;
}

static void finish(pthread_t thread)
{
	stop = true;
	pthread_join(thread, NULL);
	printf("# %d loaded, %d refused\n", tally.loaded, tally.refused);
}

static int load(union bpf_attr *attr)
{
	int fd = image_load(attr);

	if (fd >= 0)
		tally.loaded++;
	else
		tally.refused++;
	return fd;
}

static bool uses_map(int prog_fd, __u32 id)
{
	struct bpf_prog_info info = {};
	union bpf_attr attr = {};
	__u32 ids[BPF_IMAGE_MAX_MAPS], i;

	info.nr_map_ids = BPF_IMAGE_MAX_MAPS;
	info.map_ids = (uintptr_t)ids;
	attr.info.bpf_fd = prog_fd;
	attr.info.info = (uintptr_t)&info;
	attr.info.info_len = sizeof(info);
	must(sys_bpf(BPF_OBJ_GET_INFO_BY_FD, &attr, sizeof(attr)));
	for (i = 0; i < info.nr_map_ids; i++)
		if (ids[i] == id)
			return true;
	return false;
}

/* ---- fds --------------------------------------------------------------- */

static int swap_number, swap_a, swap_b;

static void *swap_fds(void *arg)
{
	while (!stop) {
		dup2(swap_b, swap_number);
		dup2(swap_a, swap_number);
		sched_yield();
	}
	return NULL;
}

static int fd_number(void)
{
	return must(fcntl(0, F_DUPFD, 200));
}

static void swapped_contents(const void *arg)
{
	union bpf_attr attr;
	pthread_t thread;
	__u32 good, bad;
	char value[4096];
	int i, fd, slot;
	size_t len;

	prepare(&attr, "maps.signed.o", "use_rodata");
	slot = image_slot(prog->image, ".rodata");
	swap_a = fds[slot];
	memcpy(value, object_section(obj, ".rodata", &len), len > 4096 ? 4096 : len);
	value[len - 1] ^= 1;
	swap_b = make_map(obj, prog, slot, value);
	must(map_freeze(swap_b));
	good = map_id(swap_a);
	bad = map_id(swap_b);
	swap_number = fd_number();
	fds[slot] = swap_number;
	dup2(swap_a, swap_number);

	thread = start(swap_fds, NULL);
	for (i = 0; i < rounds(ROUNDS); i++) {
		fd = load(&attr);
		if (fd < 0) {
			check(fd == -EINVAL || fd == -EBADF, "%s", strerror(-fd));
			continue;
		}
		check(uses_map(fd, good) && !uses_map(fd, bad), "it has the wrong map");
		check(prog_run(fd) == 1236, "it has the wrong contents");
		close(fd);
	}
	finish(thread);
}

static void swapped_types(const void *arg)
{
	union bpf_attr attr;
	pthread_t thread;
	__u32 good;
	int i, fd;

	prepare(&attr, "maps.signed.o", "use_hash");
	swap_a = fds[0];
	/* an array of maps, or a program's fd, where the program expects a hash */
	swap_b = must(map_create(BPF_MAP_TYPE_ARRAY, "x", 4, 8, 16, BPF_F_MMAPABLE));
	good = map_id(swap_a);
	swap_number = fd_number();
	fds[0] = swap_number;
	dup2(swap_a, swap_number);

	thread = start(swap_fds, NULL);
	for (i = 0; i < rounds(ROUNDS); i++) {
		fd = load(&attr);
		if (fd < 0) {
			check(fd == -EINVAL || fd == -EBADF, "%s", strerror(-fd));
			continue;
		}
		check(uses_map(fd, good), "it has the wrong map");
		close(fd);
	}
	finish(thread);
}

static void swapped_btf(const void *arg)
{
	struct bpf_prog_info info;
	union bpf_attr attr;
	struct object *other;
	pthread_t thread;
	__u32 good;
	int i, fd;

	prepare(&attr, "small.signed.o", "small");
	other = object_open("basic.signed.o");
	fd = load(&attr);
	check(fd >= 0, "%s", strerror(-fd));
	must(prog_info(fd, &info));
	good = info.btf_id;
	check(good, "it has no BTF");
	swap_a = obj->btf_fd;
	swap_b = other->btf_fd;
	swap_number = fd_number();
	attr.prog_btf_fd = swap_number;
	dup2(swap_a, swap_number);

	thread = start(swap_fds, NULL);
	for (i = 0; i < rounds(ROUNDS); i++) {
		fd = load(&attr);
		if (fd < 0) {
			check(fd == -EINVAL || fd == -EBADF, "%s", strerror(-fd));
			continue;
		}
		must(prog_info(fd, &info));
		check(info.btf_id == good, "it has the wrong BTF");
		close(fd);
	}
	finish(thread);
}

static void *close_fds(void *arg)
{
	while (!stop) {
		dup2(swap_a, swap_number);
		close(swap_number);
	}
	return NULL;
}

static void closed_maps(const void *arg)
{
	union bpf_attr attr;
	pthread_t thread;
	__u32 good;
	int i, fd;

	prepare(&attr, "maps.signed.o", "use_rodata");
	swap_a = fds[0];
	good = map_id(swap_a);
	swap_number = 300;
	fds[0] = swap_number;
	thread = start(close_fds, NULL);
	for (i = 0; i < rounds(ROUNDS); i++) {
		fd = load(&attr);
		if (fd < 0) {
			check(fd == -EBADF || fd == -EINVAL, "%s", strerror(-fd));
			continue;
		}
		check(uses_map(fd, good), "it has the wrong map");
		/* a number that both threads use would be closed by the other */
		if (fd != swap_number)
			close(fd);
	}
	finish(thread);
}

static void *flip_fd_array(void *arg)
{
	int *where = arg;

	while (!stop) {
		*(volatile int *)where = swap_b;
		*(volatile int *)where = swap_a;
	}
	return NULL;
}

static void rewritten_fd_array(const void *arg)
{
	union bpf_attr attr;
	pthread_t thread;
	__u32 good;
	int i, fd;

	prepare(&attr, "maps.signed.o", "use_hash");
	swap_a = fds[0];
	swap_b = must(map_create(BPF_MAP_TYPE_ARRAY, "x", 4, 8, 16, BPF_F_MMAPABLE));
	good = map_id(swap_a);
	thread = start(flip_fd_array, &fds[0]);
	for (i = 0; i < rounds(ROUNDS); i++) {
		fd = load(&attr);
		if (fd < 0) {
			check(fd == -EINVAL, "%s", strerror(-fd));
			continue;
		}
		check(uses_map(fd, good), "it has the wrong map");
		close(fd);
	}
	finish(thread);
}

static void swapped_freplace_target(const void *arg)
{
	struct bpf_prog_info info, got;
	int other, i, fd, target;
	union bpf_attr attr;
	pthread_t thread;

	/* one has the function, the other has not */
	prepare(&attr, "attach.signed.o", "ext_target");
	target = load(&attr);
	check(target >= 0, "%s", strerror(-target));
	prepare(&attr, "small.signed.o", "small");
	other = load(&attr);
	check(other >= 0, "%s", strerror(-other));
	must(prog_info(target, &info));
	prepare(&attr, "attach.signed.o", "on_freplace");
	swap_a = target;
	swap_b = other;
	swap_number = fd_number();
	attr.attach_prog_fd = swap_number;
	dup2(swap_a, swap_number);
	thread = start(swap_fds, NULL);
	for (i = 0; i < rounds(ROUNDS); i++) {
		fd = load(&attr);
		if (fd < 0) {
			check(fd == -ENOENT || fd == -EINVAL || fd == -EBADF, "%s", strerror(-fd));
			continue;
		}
		must(prog_info(fd, &got));
		check(got.attach_btf_obj_id == info.btf_id, "bound to another program");
		close(fd);
	}
	finish(thread);
}

/* ---- memory ------------------------------------------------------------ */

struct rewrite {
	void *where;
	const void *a, *b;
	size_t len;
};

/* Lets the right state last, so that some loads find it. */
static void linger(void)
{
	int i;

	for (i = 0; i < 2000 && !stop; i++)
		__asm__ volatile ("" ::: "memory");
}

static void *rewrite(void *arg)
{
	struct rewrite *r = arg;

	while (!stop) {
		memcpy(r->where, r->b, r->len);
		memcpy(r->where, r->a, r->len);
		linger();
	}
	return NULL;
}

static struct image_prog *built(const char *name, int value)
{
	struct builder b;

	builder_init(&b, name, value);
	return build_signed(&b);
}

/* Which program is it: both by its name and by what it does */
static int which(int fd)
{
	struct bpf_prog_info info;
	int ret;

	must(prog_info(fd, &info));
	ret = prog_run(fd);
	check(ret == (strcmp(info.name, "first") ? 2 : 1), "'%s' returns %d", info.name, ret);
	return ret;
}

static void rewritten_image(const void *arg)
{
	struct image_prog *first = built("first", 1), *second = built("second", 2);
	struct rewrite r;
	union bpf_attr attr;
	pthread_t thread;
	int i, fd;

	check(first->image_len == second->image_len, "images of different lengths");
	r = (struct rewrite){ malloc(first->image_len), first->image, second->image,
			      first->image_len };
	memcpy(r.where, r.a, r.len);
	image_attr(&attr, first, NULL, 0, -1);
	attr.image = (uintptr_t)r.where;
	thread = start(rewrite, &r);
	for (i = 0; i < rounds(ROUNDS); i++) {
		fd = load(&attr);
		if (fd < 0) {
			check(fd == -EKEYREJECTED, "%s", strerror(-fd));
			continue;
		}
		check(which(fd) == 1, "what was not signed was loaded");
		close(fd);
	}
	finish(thread);
}

static void rewritten_signature(const void *arg)
{
	struct image_prog *first = built("first", 1), *second = built("second", 2);
	char *a = calloc(1, 8192), *b = calloc(1, 8192);
	struct rewrite r;
	union bpf_attr attr;
	pthread_t thread;
	int i, fd;

	memcpy(a, first->sig, first->sig_len);
	memcpy(b, second->sig, second->sig_len);
	r = (struct rewrite){ malloc(8192), a, b, first->sig_len };
	memcpy(r.where, r.a, r.len);
	image_attr(&attr, first, NULL, 0, -1);
	attr.signature = (uintptr_t)r.where;
	thread = start(rewrite, &r);
	for (i = 0; i < rounds(ROUNDS); i++) {
		fd = load(&attr);
		if (fd < 0) {
			check(fd == -EKEYREJECTED || fd == -EBADMSG || fd == -ENOKEY, "%s",
			      strerror(-fd));
			continue;
		}
		check(which(fd) == 1, "another program than the image's");
		close(fd);
	}
	finish(thread);
}

static void *rewrite_both(void *arg)
{
	struct rewrite *r = arg;

	while (!stop) {
		memcpy(r[0].where, r[0].b, r[0].len);
		memcpy(r[1].where, r[1].b, r[1].len);
		memcpy(r[0].where, r[0].a, r[0].len);
		memcpy(r[1].where, r[1].a, r[1].len);
	}
	return NULL;
}

static void rewritten_image_and_signature(const void *arg)
{
	struct image_prog *first = built("first", 1), *second = built("second", 2);
	struct rewrite r[2];
	union bpf_attr attr;
	pthread_t thread;
	int i, fd;

	/* lengths of ECDSA signatures differ by a byte or two */
	for (i = 0; i < 100 && first->sig_len != second->sig_len; i++)
		second = built("second", 2);
	check(first->sig_len == second->sig_len, "signatures of different lengths");
	r[0] = (struct rewrite){ malloc(first->image_len), first->image, second->image,
				 first->image_len };
	r[1] = (struct rewrite){ malloc(first->sig_len), first->sig, second->sig,
				 first->sig_len };
	image_attr(&attr, first, NULL, 0, -1);
	attr.image = (uintptr_t)r[0].where;
	attr.signature = (uintptr_t)r[1].where;
	thread = start(rewrite_both, r);
	for (i = 0; i < rounds(ROUNDS); i++) {
		fd = load(&attr);
		if (fd < 0)
			continue;
		/* either is right; a mixture is not */
		which(fd);
		close(fd);
	}
	finish(thread);
}

static void *rewrite_attr(void *arg)
{
	union bpf_attr *attr = arg;
	union bpf_attr right = *attr;
	unsigned int n = 0;

	while (!stop) {
		n++;
		*(volatile __u32 *)&attr->image_size = right.image_size - n % 16;
		*(volatile __u32 *)&attr->signature_size = right.signature_size + n % 64;
		*(volatile __u32 *)&attr->fd_array_cnt = n % 3;
		*(volatile __u32 *)&attr->prog_type = n % 33;
		*(volatile __u32 *)&attr->insn_cnt = n % 5;
		*(volatile __u64 *)&attr->insns = n % 2 ? right.image : 0;
		*(volatile __u32 *)&attr->keyring_id = n % 4;
		*attr = right;
		linger();
	}
	return NULL;
}

static void rewritten_attributes(const void *arg)
{
	struct image_prog *first = built("first", 1);
	union bpf_attr attr;
	pthread_t thread;
	int i, fd;

	image_attr(&attr, first, fds, 0, -1);
	attr.log_level = 0;
	attr.log_buf = 0;
	attr.log_size = 0;
	thread = start(rewrite_attr, &attr);
	for (i = 0; i < rounds(ROUNDS); i++) {
		fd = load(&attr);
		if (fd < 0)
			continue;
		check(which(fd) == 1, "another program");
		close(fd);
	}
	finish(thread);
}

static void rewritten_attach_name(const void *arg)
{
	static const char a[32] = "bpf_fentry_test1", b[32] = "bpf_fentry_test5";
	struct rewrite r = { calloc(1, 32), a, b, 32 };
	struct bpf_prog_info info;
	union bpf_attr attr;
	pthread_t thread;
	__u32 good;
	int i, fd;

	prepare(&attr, "attach.signed.o", "chooser");
	memcpy(r.where, a, 32);
	attr.attach_name = (uintptr_t)r.where;
	fd = load(&attr);
	check(fd >= 0, "%s", strerror(-fd));
	must(prog_info(fd, &info));
	good = info.attach_btf_id;
	thread = start(rewrite, &r);
	for (i = 0; i < rounds(ROUNDS); i++) {
		fd = load(&attr);
		if (fd < 0) {
			check(fd == -EINVAL, "%s", strerror(-fd));
			continue;
		}
		must(prog_info(fd, &info));
		check(info.attach_btf_id == good, "attached where it was not signed for");
		close(fd);
	}
	finish(thread);
}

struct contents {
	const char *right, *wrong;
	int fd;
};

static void *write_contents(void *arg)
{
	struct contents *c = arg;
	int zero = 0;

	while (!stop) {
		map_update(c->fd, &zero, c->wrong);
		map_update(c->fd, &zero, c->right);
	}
	return NULL;
}

static void contents_written_while_frozen(const void *arg)
{
	struct contents c;
	union bpf_attr attr;
	pthread_t thread;
	char *wrong;
	int i, fd, slot;
	size_t len;

	prepare(&attr, "maps.signed.o", "use_rodata");
	slot = image_slot(prog->image, ".rodata");
	c.right = object_section(obj, ".rodata", &len);
	wrong = malloc(len);
	memcpy(wrong, c.right, len);
	wrong[len - 1] ^= 1;
	c.wrong = wrong;
	for (i = 0; i < rounds(ROUNDS / 10); i++) {
		stop = false;
		fds[slot] = make_map(obj, prog, slot, NULL);
		c.fd = fds[slot];
		thread = start(write_contents, &c);
		while (map_freeze(c.fd) && errno == EBUSY)
			;
		fd = load(&attr);
		stop = true;
		pthread_join(thread, NULL);
		if (fd >= 0) {
			check(prog_run(fd) == 1236, "contents that were not signed");
			close(fd);
		} else {
			check(fd == -EINVAL, "%s", strerror(-fd));
		}
		close(c.fd);
	}
	printf("# %d loaded, %d refused\n", tally.loaded, tally.refused);
}

/* ---- the kernel stopped in the middle ---------------------------------- */

#define PAGE 4096

struct stall {
	int uffd;
	char *page;		/* held back */
	const char *contents;	/* what it is to have */
	void (*meanwhile)(void *arg);
	void *arg;
	atomic_int stalled;
};

/* Waits for the kernel to touch the page, lets the case do its worst, resolves. */
static void *hold_back(void *arg)
{
	struct stall *s = arg;
	struct uffdio_copy copy = {};
	struct uffd_msg msg;
	struct pollfd poll_fd = { .fd = s->uffd, .events = POLLIN };

	while (!stop) {
		if (poll(&poll_fd, 1, 50) <= 0)
			continue;
		if (read(s->uffd, &msg, sizeof(msg)) != sizeof(msg) ||
		    msg.event != UFFD_EVENT_PAGEFAULT)
			continue;
		if (!s->stalled++)
			s->meanwhile(s->arg);
		copy.dst = (uintptr_t)s->page;
		copy.src = (uintptr_t)s->contents;
		copy.len = PAGE;
		ioctl(s->uffd, UFFDIO_COPY, &copy);
	}
	return NULL;
}

static pthread_t stall(struct stall *s)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = {};

	s->uffd = syscall(__NR_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	check(s->uffd >= 0, "userfaultfd: %s", strerror(errno));
	must(ioctl(s->uffd, UFFDIO_API, &api));
	s->page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	check(s->page != MAP_FAILED, "mmap: %s", strerror(errno));
	reg.range.start = (uintptr_t)s->page;
	reg.range.len = PAGE;
	reg.mode = UFFDIO_REGISTER_MODE_MISSING;
	must(ioctl(s->uffd, UFFDIO_REGISTER, &reg));
	return start(hold_back, s);
}

struct worst {
	void *image;		/* overwritten with what was not signed */
	const void *other;
	size_t len;
	int number, fd;		/* dup2(fd, number), if fd >= 0 */
};

static void do_worst(void *arg)
{
	struct worst *w = arg;

	if (w->image)
		memcpy(w->image, w->other, w->len);
	if (w->fd >= 0)
		dup2(w->fd, w->number);
}

/* The image has been copied when the signature is read: too late to change it. */
static void image_changed_after_copy(const void *arg)
{
	struct image_prog *first = built("first", 1), *second = built("second", 2);
	char *image = malloc(first->image_len), sig[PAGE] = {};
	struct worst w = { image, second->image, second->image_len, -1, -1 };
	struct stall s = { .contents = sig, .meanwhile = do_worst, .arg = &w };
	union bpf_attr attr;
	pthread_t thread;
	int fd;

	memcpy(image, first->image, first->image_len);
	memcpy(sig, first->sig, first->sig_len);
	thread = stall(&s);
	image_attr(&attr, first, NULL, 0, -1);
	attr.image = (uintptr_t)image;
	attr.signature = (uintptr_t)s.page;
	fd = load(&attr);
	check(s.stalled == 1, "the kernel was not stopped");
	check(!memcmp(image, second->image, first->image_len), "the image was not changed");
	check(fd >= 0, "what was copied in is right, and: %s", strerror(-fd));
	check(which(fd) == 1, "the image was read twice");
	finish(thread);
}

/* The other way round: what is signed arrives only after the copy. */
static void image_repaired_after_copy(const void *arg)
{
	struct image_prog *first = built("first", 1), *second = built("second", 2);
	char *image = malloc(first->image_len), sig[PAGE] = {};
	struct worst w = { image, first->image, first->image_len, -1, -1 };
	struct stall s = { .contents = sig, .meanwhile = do_worst, .arg = &w };
	union bpf_attr attr;
	pthread_t thread;

	memcpy(image, second->image, second->image_len);
	memcpy(sig, first->sig, first->sig_len);
	thread = stall(&s);
	image_attr(&attr, first, NULL, 0, -1);
	attr.image = (uintptr_t)image;
	attr.signature = (uintptr_t)s.page;
	expect_refused(&attr, EKEYREJECTED, "signature:");
	check(s.stalled == 1, "the kernel was not stopped");
	finish(thread);
}

/* Two halves of an image: the first is read when the second is held back. */
static void image_changed_within_copy(const void *arg)
{
	struct image_prog *first = built("first", 1), *second = built("second", 2);
	size_t half = 96;
	char tail[PAGE] = {}, *two;
	struct worst w = { NULL, second->image, half, -1, -1 };
	struct stall s = { .contents = tail, .meanwhile = do_worst, .arg = &w };
	union bpf_attr attr;
	pthread_t thread;
	int fd;

	/* the page before the one held back has to be ours, and right there */
	two = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	check(two != MAP_FAILED, "mmap");
	memcpy(tail, first->image + half, first->image_len - half);
	thread = stall(&s);
	check(mremap(s.page, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, two + PAGE) != MAP_FAILED,
	      "mremap: %s", strerror(errno));
	s.page = two + PAGE;
	{
		struct uffdio_register reg = {
			.range = { (uintptr_t)s.page, PAGE },
			.mode = UFFDIO_REGISTER_MODE_MISSING,
		};

		must(ioctl(s.uffd, UFFDIO_REGISTER, &reg));
	}
	w.image = two + PAGE - half;
	memcpy(two + PAGE - half, first->image, half);
	image_attr(&attr, first, NULL, 0, -1);
	attr.image = (uintptr_t)(two + PAGE - half);
	fd = load(&attr);
	check(s.stalled == 1, "the kernel was not stopped");
	/* whether the first half was read before or after, nothing else loads */
	if (fd >= 0)
		check(which(fd) == 1, "what was not signed was loaded");
	else
		check(fd == -EKEYREJECTED, "%s", strerror(-fd));
	finish(thread);
}

/* Maps are bound after fd_array was read: a swap in between has to be seen. */
static void map_swapped_after_fd_array(const void *arg)
{
	int page[PAGE / sizeof(int)] = {}, slot;
	struct worst w = { .fd = -1 };
	struct stall s = { .contents = (char *)page, .meanwhile = do_worst, .arg = &w };
	union bpf_attr attr;
	pthread_t thread;
	char value[4096];
	size_t len;

	prepare(&attr, "maps.signed.o", "use_rodata");
	slot = image_slot(prog->image, ".rodata");
	memcpy(value, object_section(obj, ".rodata", &len), len > 4096 ? 4096 : len);
	value[len - 1] ^= 1;
	w.fd = make_map(obj, prog, slot, value);
	must(map_freeze(w.fd));
	w.number = fds[slot];
	memcpy(page, fds, fd_cnt * sizeof(int));
	attr.log_buf = (uintptr_t)log_text;
	attr.log_size = sizeof(log_text);
	attr.log_level = 1;
	thread = stall(&s);
	attr.fd_array = (uintptr_t)s.page;
	expect_refused(&attr, EINVAL, "its contents are not those that were signed");
	check(s.stalled == 1, "the kernel was not stopped");
	finish(thread);
}

/*
 * The verifier writes its log while it verifies: by then maps and BTF are bound
 * and checked, and whatever happens to the fds is too late.
 */
static void everything_swapped_during_verification(const void *arg)
{
	static char zeroes[PAGE];
	struct worst w = { .fd = -1 };
	struct stall s = { .contents = zeroes, .meanwhile = do_worst, .arg = &w };
	union bpf_attr attr;
	pthread_t thread;
	__u32 good, bad;
	char value[4096], *image;
	int fd, slot;
	size_t len;

	prepare(&attr, "maps.signed.o", "use_rodata");
	slot = image_slot(prog->image, ".rodata");
	good = map_id(fds[slot]);
	memcpy(value, object_section(obj, ".rodata", &len), len > 4096 ? 4096 : len);
	value[len - 1] ^= 1;
	w.fd = make_map(obj, prog, slot, value);
	must(map_freeze(w.fd));
	bad = map_id(w.fd);
	w.number = fds[slot];
	image = malloc(prog->image_len);
	memcpy(image, prog->image, prog->image_len);
	w.image = image;
	w.other = calloc(1, prog->image_len);
	w.len = prog->image_len;

	thread = stall(&s);
	attr.image = (uintptr_t)image;
	attr.log_buf = (uintptr_t)s.page;
	attr.log_size = PAGE;
	attr.log_level = 2;
	fd = load(&attr);
	check(s.stalled >= 1, "the kernel was not stopped");
	check(fd >= 0 || fd == -ENOSPC, "%s; log: %.200s", strerror(-fd), s.page);
	if (fd >= 0) {
		check(uses_map(fd, good) && !uses_map(fd, bad), "the wrong map");
		check(prog_run(fd) == 1236, "the wrong contents");
	}
	check(map_id(fds[slot]) == bad, "the fd was not swapped");
	finish(thread);
}

/* A write that the kernel has begun, and that waits for its data */
static void *stalled_write(void *arg)
{
	struct contents *c = arg;
	int zero = 0;

	return (void *)(long)(map_update(c->fd, &zero, c->wrong) ? errno : 0);
}

static struct {
	atomic_bool go;
} gate;

static void wait_for_gate(void *arg)
{
	while (!gate.go && !stop)
		usleep(1000);
}

static void write_in_progress(const void *arg)
{
	static char page[PAGE];
	struct stall s = { .contents = page, .meanwhile = wait_for_gate };
	struct contents c;
	union bpf_attr attr;
	pthread_t thread, writer;
	int slot, fd;
	size_t len;
	void *ret;

	prepare(&attr, "maps.signed.o", "use_rodata");
	slot = image_slot(prog->image, ".rodata");
	memcpy(page, object_section(obj, ".rodata", &len), len > PAGE ? PAGE : len);
	page[len - 1] ^= 1;
	c.fd = make_map(obj, prog, slot, NULL);
	fds[slot] = c.fd;
	thread = stall(&s);
	c.wrong = s.page;
	writer = start(stalled_write, &c);
	while (!s.stalled)
		usleep(1000);

	/* it may end at any time: so neither a freeze nor a load */
	check(map_freeze(c.fd) && errno == EBUSY, "frozen with a write in progress");
	check(image_load(&attr) == -EINVAL, "loaded with a write in progress");
	gate.go = true;
	pthread_join(writer, &ret);
	check(!ret, "the write: %s", strerror((long)ret));
	must(map_freeze(c.fd));
	fd = image_load(&attr);
	check(fd == -EINVAL, "what was written is not what was signed: %s",
	      fd < 0 ? strerror(-fd) : "it loaded");
	finish(thread);
}

static const struct test_case cases[] = {
	CASE(swapped_contents),
	CASE(swapped_types),
	CASE(swapped_btf),
	CASE(closed_maps),
	CASE(rewritten_fd_array),
	CASE(swapped_freplace_target),
	CASE(rewritten_image),
	CASE(rewritten_signature),
	CASE(rewritten_image_and_signature),
	CASE(rewritten_attributes),
	CASE(rewritten_attach_name),
	CASE(contents_written_while_frozen),
	CASE(image_changed_after_copy),
	CASE(image_repaired_after_copy),
	CASE(image_changed_within_copy),
	CASE(map_swapped_after_fd_array),
	CASE(everything_swapped_during_verification),
	CASE(write_in_progress),
};

int main(int argc, char **argv)
{
	return run_cases(argc, argv, cases, ARRAY_SIZE(cases));
}
