// SPDX-License-Identifier: GPL-2.0
/* A signature says what a program is; it gives its loader no right to load it. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include "lib.h"

static struct image_prog *prog;
static union bpf_attr attr;

static void prepare(void)
{
	struct builder b;

	builder_init(&b, "first", 1);
	prog = build_signed(&b);
	image_attr(&attr, prog, NULL, 0, -1);
	check(image_load(&attr) >= 0, "root cannot load it: %s", log_text);
}

/* Gives up all capabilities but these, as root with uid 0 */
static void keep_caps(__u64 caps)
{
	struct __user_cap_header_struct hdr = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2] = {
		{ (__u32)caps, (__u32)caps, 0 },
		{ caps >> 32, caps >> 32, 0 },
	};

	must(syscall(__NR_capset, &hdr, data));
}

#define CAP(n)	(1ULL << (n))

static void become_nobody(void)
{
	must(setgroups(0, NULL));
	must(setgid(65534));
	must(setuid(65534));
}

static void set_unprivileged(const char *value)
{
	int fd = must(open("/proc/sys/kernel/unprivileged_bpf_disabled", O_WRONLY));

	must(write(fd, value, strlen(value)));
	close(fd);
}

static void other_user(const void *arg)
{
	prepare();
	become_nobody();
	expect_refused(&attr, EPERM, NULL);
	check(!log_text[0], "the kernel has looked at it: %s", log_text);
}

/* Also where plain socket filters are everybody's */
static void other_user_where_bpf_is_free(const void *arg)
{
	prepare();
	set_unprivileged("0");
	become_nobody();
	expect_refused(&attr, EPERM, NULL);
	/* broken images, too, get no further */
	((char *)prog->image)[0] ^= 1;
	expect_refused(&attr, EPERM, NULL);
	check(!log_text[0], "the kernel has looked at it: %s", log_text);
}

static void root_without_capabilities(const void *arg)
{
	prepare();
	keep_caps(0);
	expect_refused(&attr, EPERM, NULL);
}

static void all_capabilities_but_two(const void *arg)
{
	prepare();
	keep_caps(~0ULL & ((1ULL << 41) - 1) & ~CAP(CAP_BPF) & ~CAP(CAP_SYS_ADMIN));
	expect_refused(&attr, EPERM, NULL);
}

static void bpf_alone(const void *arg)
{
	struct object *obj = object_open("attach.signed.o");
	union bpf_attr kprobe;
	int fds[BPF_IMAGE_MAX_MAPS];

	prepare();
	object_attr(&kprobe, obj, object_prog(obj, "on_kprobe"), fds);
	keep_caps(CAP(CAP_BPF));
	/* enough for a socket filter, and not for tracing */
	check(image_load(&attr) >= 0, "a socket filter needs more: %s", log_text);
	expect_refused(&kprobe, EPERM, NULL);
}

static void address_without_syslog(const void *arg)
{
	struct object *obj = object_open("resolve.signed.o");
	const struct image_prog *p = object_prog(obj, "ksym_untyped");
	int fds[BPF_IMAGE_MAX_MAPS], sysctl;
	union bpf_attr a;

	sysctl = must(open("/proc/sys/kernel/kptr_restrict", O_WRONLY));
	must(write(sysctl, "1", 1));
	object_attr(&a, obj, p, fds);
	keep_caps(CAP(CAP_BPF) | CAP(CAP_PERFMON) | CAP(CAP_SYS_ADMIN));
	expect_refused(&a, EPERM, "ksym 'init_task': its address is hidden from the caller");
}

static void user_namespace(const void *arg)
{
	prepare();
	must(unshare(CLONE_NEWUSER));
	/* there we have every capability, and none that counts */
	expect_refused(&attr, EPERM, NULL);
}

static void user_namespace_root(void)
{
	int fd;

	must(unshare(CLONE_NEWUSER | CLONE_NEWNS));
	fd = must(open("/proc/self/uid_map", O_WRONLY));
	must(write(fd, "0 0 1", 5));
	close(fd);
	must(setuid(0));
}

static void user_namespace_as_its_root(const void *arg)
{
	prepare();
	user_namespace_root();
	expect_refused(&attr, EPERM, NULL);
}

static void token_of_nobody(const void *arg)
{
	prepare();
	attr.prog_flags = BPF_F_TOKEN_FD;
	attr.prog_token_fd = 4000;
	expect_refused(&attr, EBADF, NULL);
	attr.prog_token_fd = must(open("/dev/null", O_RDONLY));
	expect_refused(&attr, EINVAL, NULL);
	check(!log_text[0], "the kernel has looked at the image: %s", log_text);
}

/* What the owner of the machine lets a container do */
static const struct delegation {
	const char *cmds, *progs;
	int error;
} delegations[] = {
	{ "prog_load", "any", 0 },
	{ "map_create", "any", EPERM },
	{ "prog_load", "xdp", EPERM },
};

static int sys_fsconfig(int fs, unsigned int cmd, const char *key, const char *value)
{
	return syscall(__NR_fsconfig, fs, cmd, key, value, 0);
}

static void load_with_token(int fs, int delegated, const struct delegation *d)
{
	union bpf_attr create = {};
	char byte;
	int mnt;

	expect_refused(&attr, EPERM, NULL);
	must(read(delegated, &byte, 1));
	mnt = must(syscall(__NR_fsmount, fs, 0, 0));
	create.token_create.bpffs_fd = must(openat(mnt, ".", O_RDONLY));
	attr.prog_token_fd = must(sys_bpf(BPF_TOKEN_CREATE, &create, sizeof(create)));
	attr.prog_flags = BPF_F_TOKEN_FD;
	if (d->error) {
		expect_refused(&attr, d->error, NULL);
		return;
	}
	check(image_load(&attr) >= 0, "it is refused: %s", log_text);
	/* a token stands for its owner's rights, not for a key */
	attr.keyring_id = 2;
	expect_refused(&attr, ENOKEY, "signature: no key");
}

static void token(const void *arg)
{
	const struct delegation *d = arg;
	int opened[2], delegated[2], child, fs, pidfd, status;

	prepare();
	/* a filter is for everybody otherwise */
	set_unprivileged("2");
	must(pipe(opened));
	must(pipe(delegated));
	child = must(fork());
	if (!child) {
		user_namespace_root();
		fs = must(syscall(__NR_fsopen, "bpf", 0));
		must(write(opened[1], &fs, sizeof(fs)));
		load_with_token(fs, delegated[0], d);
		exit(0);
	}
	/* Only who is privileged on the machine can delegate. */
	close(opened[1]);
	check(read(opened[0], &fs, sizeof(fs)) == sizeof(fs), "no context of a file system");
	pidfd = must(syscall(__NR_pidfd_open, child, 0));
	fs = must(syscall(__NR_pidfd_getfd, pidfd, fs, 0));
	must(sys_fsconfig(fs, FSCONFIG_SET_STRING, "delegate_cmds", d->cmds));
	must(sys_fsconfig(fs, FSCONFIG_SET_STRING, "delegate_progs", d->progs));
	must(sys_fsconfig(fs, FSCONFIG_SET_STRING, "delegate_attachs", "any"));
	must(sys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL));
	must(write(delegated[1], "", 1));
	must(waitpid(child, &status, 0));
	set_unprivileged("0");
	check(WIFEXITED(status) && !WEXITSTATUS(status), "the container failed");
}

static void no_new_rights_by_fork(const void *arg)
{
	prepare();
	must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	become_nobody();
	expect_refused(&attr, EPERM, NULL);
}

/* Last: it changes a setting that cannot be taken back in all kernels. */
static const struct test_case cases[] = {
	CASE(other_user),
	CASE(root_without_capabilities),
	CASE(all_capabilities_but_two),
	CASE(bpf_alone),
	CASE(address_without_syslog),
	CASE(user_namespace),
	CASE(user_namespace_as_its_root),
	CASE(token_of_nobody),
	{ "token", token, &delegations[0] },
	{ "token for other commands", token, &delegations[1] },
	{ "token for other types", token, &delegations[2] },
	CASE(no_new_rights_by_fork),
	CASE(other_user_where_bpf_is_free),
};

int main(int argc, char **argv)
{
	return run_cases(argc, argv, cases, ARRAY_SIZE(cases));
}
