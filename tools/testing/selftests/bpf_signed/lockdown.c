// SPDX-License-Identifier: GPL-2.0
/*
 * What loads in each mode of lockdown, by who has signed it. Starts in the mode
 * that the machine was booted in, and raises it step by step.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/keyctl.h>
#include "lib.h"

struct mode {
	const char *name;
	bool strict;		/* bpf_lockdown=signed is in force */
};

/* Rule and remedy */
#define UNSIGNED_REFUSED						\
	"lockdown: unsigned program is refused (bpf_lockdown=signed); "	\
	"sign its object with 'bpftool sign file'"
#define USER_REFUSED							\
	"lockdown: program that a user's keyring vouches for is refused "	\
	"(bpf_lockdown=signed); sign it with a key of the system's keyrings"

static void enter(const struct mode *m)
{
	check(!strcmp(lockdown_mode(), m->name), "the mode is %s", lockdown_mode());
}

static void unsigned_of(__u32 type, const struct mode *m)
{
	int fd = load_unsigned(type);

	if (!m->strict) {
		check(fd >= 0, "type %u: %s; log: %s", type, strerror(-fd), log_text);
		return;
	}
	check(fd == -EPERM, "type %u: %s", type, fd < 0 ? strerror(-fd) : "it loaded");
	check(strstr(log_text, UNSIGNED_REFUSED), "log: %s", log_text);
}

static void unsigned_programs(const void *arg)
{
	static const __u32 types[] = {
		BPF_PROG_TYPE_SOCKET_FILTER, BPF_PROG_TYPE_KPROBE, BPF_PROG_TYPE_SCHED_CLS,
		BPF_PROG_TYPE_TRACEPOINT, BPF_PROG_TYPE_XDP, BPF_PROG_TYPE_PERF_EVENT,
		BPF_PROG_TYPE_CGROUP_SKB, BPF_PROG_TYPE_CGROUP_DEVICE,
		BPF_PROG_TYPE_RAW_TRACEPOINT, BPF_PROG_TYPE_SYSCALL,
	};
	const struct mode *m = arg;
	size_t i;

	enter(m);
	for (i = 0; i < ARRAY_SIZE(types); i++) {
		if (types[i] == BPF_PROG_TYPE_SYSCALL)
			continue;	/* needs BPF_F_SLEEPABLE */
		unsigned_of(types[i], m);
	}
}

static void kernel_line(const void *arg)
{
	const struct mode *m = arg;
	int kmsg;

	enter(m);
	/* the kernel limits the rate of such lines; wait until it has forgotten */
	if (m->strict)
		sleep(6);
	kmsg = kmsg_open();
	load_unsigned(BPF_PROG_TYPE_SOCKET_FILTER);
	check(kmsg_has(kmsg, "is restricted; see man kernel_lockdown.7") == m->strict,
	      m->strict ? "no line in the kernel's log" : "a line in the kernel's log");
}

static void system_key(const void *arg)
{
	const struct mode *m = arg;
	struct object *obj = object_open("small.signed.o");
	struct image_prog *prog;
	union bpf_attr attr;
	struct builder b;
	int fd;

	enter(m);
	builder_init(&b, "first", 1);
	prog = build_signed(&b);
	image_attr(&attr, prog, NULL, 0, -1);
	fd = image_load(&attr);
	check(fd >= 0, "%s; log: %s", strerror(-fd), log_text);
	check(prog_run(fd) == 1, "another result");

	/* reads kernel memory, which is a later policy's affair */
	if (!strcmp(m->name, "confidentiality"))
		return;
	fd = object_load(obj, "small");
	check(fd >= 0, "%s; log: %s", strerror(-fd), log_text);
	check(prog_run(fd) == 34, "another result");
}

static void kernel_memory_in_confidentiality(const void *arg)
{
	const struct mode *m = arg;
	struct object *obj = object_open("small.signed.o");
	int fd;

	enter(m);
	fd = object_load(obj, "small");
	if (strcmp(m->name, "confidentiality")) {
		check(fd >= 0, "%s; log: %s", strerror(-fd), log_text);
		return;
	}
	/* lockdown's own rule for bpf_probe_read_kernel(), whoever has signed */
	check(fd < 0, "it loaded");
	check(log_text[0], "without a word");
}

static void user_key(const void *arg)
{
	const struct mode *m = arg;
	struct signer *s = signer_new("User", NULL);
	struct image_prog *prog;
	union bpf_attr attr;
	struct builder b;
	size_t cert_len;
	void *cert, *image;
	__u32 len;
	int fd;

	enter(m);
	must(sys_keyctl(KEYCTL_JOIN_SESSION_KEYRING, 0, 0, 0, 0));
	cert = signer_cert(s, &cert_len);
	must(sys_add_key("asymmetric", "", cert, cert_len, KEY_SPEC_SESSION_KEYRING));
	builder_init(&b, "first", 1);
	image = builder_finish(&b, &len);
	prog = sign_image(s, image, len);
	image_attr(&attr, prog, NULL, 0, -1);
	attr.keyring_id = KEY_SPEC_SESSION_KEYRING;
	if (m->strict) {
		expect_refused(&attr, EPERM, USER_REFUSED);
		return;
	}
	fd = image_load(&attr);
	check(fd >= 0, "%s; log: %s", strerror(-fd), log_text);
	check(prog_run(fd) == 1, "another result");
}

static void bad_signatures_stay_bad(const void *arg)
{
	const struct mode *m = arg;
	struct image_prog *prog;
	union bpf_attr attr;
	struct builder b;

	enter(m);
	builder_init(&b, "first", 1);
	prog = build_signed(&b);
	((char *)prog->image)[prog->image_len - 1] ^= 1;
	image_attr(&attr, prog, NULL, 0, -1);
	expect_refused(&attr, EKEYREJECTED, "signature: it does not match");
	prog = sign_image(signer_new("Nobody", NULL), (void *)prog->image, prog->image_len);
	image_attr(&attr, prog, NULL, 0, -1);
	expect_refused(&attr, ENOKEY, "signature: no key");
}

static void raise_to(const void *arg)
{
	const char *mode = arg;
	int fd = must(open("/sys/kernel/security/lockdown", O_WRONLY));

	must(write(fd, mode, strlen(mode)));
	close(fd);
	check(!strcmp(lockdown_mode(), mode), "the mode is %s", lockdown_mode());
}

static void cannot_be_lowered(const void *arg)
{
	static const char * const modes[] = { "none", "integrity" };
	const struct mode *m = arg;
	size_t i;
	int fd;

	enter(m);
	for (i = 0; i < ARRAY_SIZE(modes); i++) {
		if (!strcmp(m->name, "none") || (i == 1 && !strcmp(m->name, "integrity")))
			continue;
		fd = must(open("/sys/kernel/security/lockdown", O_WRONLY));
		check(write(fd, modes[i], strlen(modes[i])) < 0, "lowered to %s", modes[i]);
		close(fd);
	}
	enter(m);
}

/* A word that is not known counts as the strictest, and the kernel says so. */
static void unknown_word(const void *arg)
{
	bool unknown = !cmdline_has("bpf_lockdown=signed");
	int kmsg = must(open("/dev/kmsg", O_RDONLY | O_NONBLOCK));

	must(lseek(kmsg, 0, SEEK_SET));
	check(kmsg_has(kmsg, "is not known, taken as 'signed'") == unknown,
	      unknown ? "no word about it in the kernel's log" : "'signed' is not known");
}

static const struct {
	const char *name;
	void (*run)(const void *arg);
} checks[] = {
	{ "unsigned programs", unsigned_programs },
	{ "line in the kernel's log", kernel_line },
	{ "system key", system_key },
	{ "kernel memory", kernel_memory_in_confidentiality },
	{ "user's key", user_key },
	{ "bad signatures", bad_signatures_stay_bad },
	{ "cannot be lowered", cannot_be_lowered },
};

int main(int argc, char **argv)
{
	static const char * const names[] = { "none", "integrity", "confidentiality" };
	struct test_case all[ARRAY_SIZE(names) * (ARRAY_SIZE(checks) + 1) + 1];
	struct mode modes[ARRAY_SIZE(names)];
	size_t i, j, cnt = 0, first;
	bool signed_only;
	char *line;

	line = read_file("/proc/cmdline", NULL);
	/* an unknown word counts as "signed" */
	signed_only = !!strstr(line, " bpf_lockdown=");
	if (signed_only)
		all[cnt++] = (struct test_case)CASE(unknown_word);
	for (first = 0; first < ARRAY_SIZE(names); first++)
		if (!strcmp(lockdown_mode(), names[first]))
			break;
	for (i = first; i < ARRAY_SIZE(names); i++) {
		modes[i] = (struct mode){ names[i], signed_only && i > 0 };
		if (i > first) {
			char *name;

			if (asprintf(&name, "raise to %s", names[i]) < 0)
				return 1;
			all[cnt++] = (struct test_case){ name, raise_to, names[i] };
		}
		for (j = 0; j < ARRAY_SIZE(checks); j++) {
			char *name;

			if (asprintf(&name, "%s%s: %s", names[i], signed_only ? ", signed" : "",
				     checks[j].name) < 0)
				return 1;
			all[cnt++] = (struct test_case){ name, checks[j].run, &modes[i] };
		}
	}
	return run_cases(1, argv, all, cnt);
}
