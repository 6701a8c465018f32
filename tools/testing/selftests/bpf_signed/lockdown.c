// SPDX-License-Identifier: GPL-2.0
/*
 * What loads in each mode of lockdown, by who has signed it. Starts in the mode
 * that the machine was booted in, and raises it step by step.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/keyctl.h>
#include <stdarg.h>
#include "lib.h"

enum choice { NONE, AUDIT, RESTRICTED, SIGNED };	/* NONE: not locked down */

static const char * const choices[] = { "none", "audit", "restricted", "signed" };

struct mode {
	const char *name;
	enum choice choice;
};

#define CHOICE_FILE	"/sys/kernel/security/bpf_lockdown"
#define CEILING_FILE	"/sys/kernel/security/bpf_lockdown_ceiling"

/* Rule and remedy */
#define UNSIGNED_REFUSED						\
	"unsigned program is refused (bpf_lockdown=signed); "		\
	"sign its object with 'bpftool sign file'"
#define USER_REFUSED							\
	"program that a user's keyring vouches for is refused "		\
	"(bpf_lockdown=signed); sign it with a key of the system's keyrings"
#define TYPE_REFUSED							\
	"programs of this type can watch the kernel and have to be signed "	\
	"(bpf_lockdown=restricted); sign the object with 'bpftool sign file'"
#define FORBIDDEN							\
	"the program's own annotation forbids this mode; who signs it can "	\
	"allow it with 'bpftool sign file --lockdown'"

/* The choice that the kernel shows in brackets */
static enum choice choice_now(void)
{
	char *line = read_file(CHOICE_FILE, NULL), word[32];
	enum choice c;

	for (c = AUDIT; c <= SIGNED; c++) {
		snprintf(word, sizeof(word), "[%s]", choices[c]);
		if (strstr(line, word))
			return c;
	}
	check(false, "%s has %s", CHOICE_FILE, line);
	return NONE;
}

static void enter(const struct mode *m)
{
	check(!strcmp(lockdown_mode(), m->name), "the mode is %s", lockdown_mode());
	check(m->choice == NONE || choice_now() == m->choice, "the choice is %s",
	      choices[choice_now()]);
}

static void unsigned_of(__u32 type, bool watches, const struct mode *m)
{
	const char *words = m->choice == SIGNED ? UNSIGNED_REFUSED : TYPE_REFUSED;
	int fd = load_unsigned(type);

	if (m->choice != SIGNED && !(m->choice == RESTRICTED && watches)) {
		check(fd >= 0, "type %u: %s; log: %s", type, strerror(-fd), log_text);
		close(fd);
		return;
	}
	check(fd == -EPERM, "type %u: %s", type, fd < 0 ? strerror(-fd) : "it loaded");
	check(strstr(log_text, words), "log: %s", log_text);
	check(strstr(log_text, m->name), "the log does not tell the mode: %s", log_text);
}

static void unsigned_programs(const void *arg)
{
	static const struct {
		__u32 type;
		bool watches;
	} types[] = {
		{ BPF_PROG_TYPE_SOCKET_FILTER }, { BPF_PROG_TYPE_KPROBE, true },
		{ BPF_PROG_TYPE_SCHED_CLS }, { BPF_PROG_TYPE_SCHED_ACT },
		{ BPF_PROG_TYPE_TRACEPOINT, true }, { BPF_PROG_TYPE_XDP },
		{ BPF_PROG_TYPE_PERF_EVENT, true }, { BPF_PROG_TYPE_CGROUP_SKB },
		{ BPF_PROG_TYPE_LWT_IN }, { BPF_PROG_TYPE_LWT_OUT },
		{ BPF_PROG_TYPE_LWT_XMIT }, { BPF_PROG_TYPE_SOCK_OPS },
		{ BPF_PROG_TYPE_SK_SKB }, { BPF_PROG_TYPE_CGROUP_DEVICE },
		{ BPF_PROG_TYPE_SK_MSG }, { BPF_PROG_TYPE_RAW_TRACEPOINT, true },
		{ BPF_PROG_TYPE_RAW_TRACEPOINT_WRITABLE, true },
		{ BPF_PROG_TYPE_FLOW_DISSECTOR }, { BPF_PROG_TYPE_CGROUP_SYSCTL },
	};
	const struct mode *m = arg;
	size_t i;

	enter(m);
	for (i = 0; i < ARRAY_SIZE(types); i++)
		unsigned_of(types[i].type, types[i].watches, m);
}

static void kernel_line(const void *arg)
{
	const struct mode *m = arg;
	bool refuses = m->choice >= RESTRICTED;
	int kmsg;

	enter(m);
	/* the kernel limits the rate of such lines; wait until it has forgotten */
	if (refuses)
		sleep(6);
	kmsg = kmsg_open();
	load_unsigned(BPF_PROG_TYPE_KPROBE);
	check(kmsg_has(kmsg, "is restricted; see man kernel_lockdown.7") == refuses,
	      refuses ? "no line in the kernel's log" : "a line in the kernel's log");
}

/* Each decision is recorded: what was refused or would be, and here what was allowed, too. */
static void records(const void *arg)
{
	static const char * const of_kprobe[] = {
		[NONE] = NULL,
		[AUDIT] = "permissive=1 res=1",
		[RESTRICTED] = "permissive=0 res=0",
		[SIGNED] = "permissive=0 res=0",
	};
	const struct mode *m = arg;
	char words[64];
	int kmsg;

	enter(m);
	/* as with the kernel's own lines */
	sleep(6);
	kmsg = kmsg_open();
	load_unsigned(BPF_PROG_TYPE_KPROBE);
	if (m->choice == NONE) {
		check(!recorded(kmsg, "op=lockdown"), "a record without lockdown");
		return;
	}
	check(recorded(kmsg, of_kprobe[m->choice]), "no record of a kprobe program");
	if (m->choice == SIGNED)
		return;
	kmsg = kmsg_open();
	load_unsigned(BPF_PROG_TYPE_SOCKET_FILTER);
	snprintf(words, sizeof(words), "mode=%s what=\"load\" permissive=0 res=1", m->name);
	check(recorded(kmsg, words), "no record of a filter that was let in");
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

	/* it reads kernel memory */
	if (!strcmp(m->name, "confidentiality"))
		return;
	fd = object_load(obj, "small");
	check(fd >= 0, "%s; log: %s", strerror(-fd), log_text);
	check(prog_run(fd) == 34, "another result");
}

#define REFUSAL	"lockdown: helper bpf_get_current_task is refused in confidentiality mode: it takes class kernel-address, for which the program's annotation does not ask; sign it with 'bpftool sign file --lockdown MODE=CLASS'"

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
	check(fd == -EPERM, "%s", fd < 0 ? strerror(-fd) : "it loaded");
	check(strstr(log_text, REFUSAL), "log: %s", log_text);
}

#define LEAK	"leak of a pointer, or read of unwritten stack"
#define LEAK_FORETOLD							\
	"mode=integrity what=\"" LEAK "\" rule=\"which unsigned programs do not get; "	\
	"sign the object with 'bpftool sign file' and a key of the system's keyrings\" "	\
	"permissive=1 res=1"

static void leak_refused(int fd, int kmsg, const struct mode *m, const char *rule)
{
	char words[256];

	check(fd == -EACCES, "%s", fd < 0 ? strerror(-fd) : "it loaded");
	check(strstr(log_text, "leaks addr"), "the verifier's words are not in the log: %s",
	      log_text);
	snprintf(words, sizeof(words), "lockdown: in %s mode no pointer may leak", m->name);
	check(strstr(log_text, words) && strstr(log_text, rule), "log: %s", log_text);
	snprintf(words, sizeof(words), LEAK " (%s mode; %s", m->name, rule);
	check(kmsg_has(kmsg, words), "not in the kernel's log: %s", words);
}

/* The verifier has words of its own for a pointer that leaks. Lockdown says why, and what helps. */
static void leaking_programs(const void *arg)
{
	static const struct bpf_insn insns[] = {
		{ BPF_ALU64 | BPF_MOV | BPF_X, 0, 10 },
		{ BPF_JMP | BPF_EXIT },
	};
	const struct mode *m = arg;
	bool confidential = !strcmp(m->name, "confidentiality");
	struct image_prog *prog;
	union bpf_attr attr;
	struct builder b;
	char words[128];
	int kmsg, again, fd;

	enter(m);
	/* as with the kernel's other lines */
	sleep(6);
	kmsg = kmsg_open();
	fd = load_insns(BPF_PROG_TYPE_SOCKET_FILTER, insns, ARRAY_SIZE(insns));
	if (m->choice == SIGNED)
		check(fd == -EPERM, "%s", fd < 0 ? strerror(-fd) : "it loaded");
	else if (m->choice == RESTRICTED || confidential)
		leak_refused(fd, kmsg, m, "which unsigned programs do not get");
	else
		check(fd >= 0, "%s; log: %s", strerror(-fd), log_text);
	if (m->choice == AUDIT && !confidential && cmdline_has("audit=1")) {
		check(recorded(kmsg, LEAK_FORETOLD), "no record of what would be refused");
		kmsg = kmsg_open();
		load_unsigned(BPF_PROG_TYPE_SOCKET_FILTER);
		check(!recorded(kmsg, LEAK), "a record of a program without leaks");
	}

	builder_init(&b, "leaking", 1);
	builder_set(&b, BPF_IMAGE_INSNS, insns, sizeof(insns));
	prog = build_signed(&b);
	image_attr(&attr, prog, NULL, 0, -1);
	kmsg = kmsg_open();
	again = kmsg_open();
	fd = image_load(&attr);
	if (!confidential) {
		check(fd >= 0, "%s; log: %s", strerror(-fd), log_text);
		return;
	}
	leak_refused(fd, kmsg, m, "for which the program's annotation does not ask");
	snprintf(words, sizeof(words), "mode=%s what=\"" LEAK "\"", m->name);
	check(!cmdline_has("audit=1") || recorded(again, words), "no record has: %s", words);
}

/* What the signer says about a mode holds in that mode alone. */
static void annotation(const void *arg)
{
	static const struct bpf_image_lockdown forbid[] = {
		{ .mode = BPF_LOCKDOWN_INTEGRITY, .flags = BPF_IMAGE_LOCKDOWN_FORBID },
		{ .mode = BPF_LOCKDOWN_CONFIDENTIALITY, .flags = BPF_IMAGE_LOCKDOWN_FORBID },
	};
	const struct mode *m = arg;
	struct image_prog *prog;
	union bpf_attr attr;
	struct builder b;
	size_t i;
	int fd;

	enter(m);
	for (i = 0; i < ARRAY_SIZE(forbid); i++) {
		bool forbidden = !strcmp(m->name, i ? "confidentiality" : "integrity");

		builder_init(&b, "shy", 1);
		builder_set(&b, BPF_IMAGE_LOCKDOWN, &forbid[i], sizeof(forbid[i]));
		prog = build_signed(&b);
		image_attr(&attr, prog, NULL, 0, -1);
		if (forbidden) {
			expect_refused(&attr, EPERM, FORBIDDEN);
			continue;
		}
		fd = image_load(&attr);
		check(fd >= 0, "%s; log: %s", strerror(-fd), log_text);
	}
}

/* Loaded by the process that starts the tests, before anything is locked down */
static int before[2];

/* What was loaded before the kernel was locked down stays, and works. */
static void loaded_before_stays(const void *arg)
{
	size_t i;

	enter(arg);
	for (i = 0; i < ARRAY_SIZE(before); i++)
		check(prog_run(before[i]) == 0, "program %zu does not run", i);
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
	if (m->choice == SIGNED) {
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

static int write_choice(const char *word)
{
	int fd = must(open(CHOICE_FILE, O_WRONLY)), err = 0;

	if (write(fd, word, strlen(word)) < 0)
		err = -errno;
	close(fd);
	return err;
}

/* A looser choice is refused with a line in the kernel's log, an unknown one without. */
static void cannot_be_loosened(const void *arg)
{
	enum choice now = choice_now(), c;
	int kmsg, err;

	(void)arg;
	sleep(6);
	kmsg = kmsg_open();
	for (c = AUDIT; c < now; c++) {
		err = write_choice(choices[c]);
		check(err == -EPERM, "%s: %s", choices[c], strerror(-err));
	}
	if (now > AUDIT)
		check(kmsg_has(kmsg, "is restricted; see man kernel_lockdown.7"),
		      "no line in the kernel's log");
	check(write_choice("none") == -EINVAL, "'none' is known");
	check(write_choice("") == -EINVAL, "an empty word is known");
	check(write_choice(choices[now]) == 0, "the present choice is refused");
	check(choice_now() == now, "the choice is %s", choices[choice_now()]);
}

static void tighten_to(const void *arg)
{
	const struct mode *m = arg;
	int err = write_choice(choices[m->choice]);

	check(!err, "%s", strerror(-err));
	enter(m);
	cannot_be_loosened(NULL);
}

static void ceiling(const void *arg)
{
	static const char want[] =
		"[user-read] user-write control kernel-read kernel-address [fields] loader\n";
	char *line = read_file(CEILING_FILE, NULL);
	int fd;

	(void)arg;
	check(!strcmp(line, want), "%s", line);
	fd = open(CEILING_FILE, O_WRONLY);
	check(fd < 0 || write(fd, "loader", 6) < 0, "it can be written");
}

/* Of a list with words that are not known, the others are granted, and the kernel says so. */
static void unknown_class(const void *arg)
{
	static const char want[] =
		"[user-read] user-write control kernel-read kernel-address fields loader\n";
	char *line = read_file(CEILING_FILE, NULL);
	int kmsg = must(open("/dev/kmsg", O_RDONLY | O_NONBLOCK));

	must(lseek(kmsg, 0, SEEK_SET));
	check(kmsg_has(kmsg, "has a word that is not known and grants nothing"),
	      "no word about it in the kernel's log");
	check(!strcmp(line, want), "%s", line);
}

/* More is recorded then, not less. */
static void unknown_audit(const void *arg)
{
	int kmsg = must(open("/dev/kmsg", O_RDONLY | O_NONBLOCK));

	must(lseek(kmsg, 0, SEEK_SET));
	check(kmsg_has(kmsg, "bpf_lockdown_audit=nonsense is not known, taken as 'all'"),
	      "no word about it in the kernel's log");
}

/* A word that is not known counts as the strictest, and the kernel says so. */
static void unknown_word(const void *arg)
{
	bool unknown = cmdline_has("bpf_lockdown=nonsense");
	int kmsg = must(open("/dev/kmsg", O_RDONLY | O_NONBLOCK));

	must(lseek(kmsg, 0, SEEK_SET));
	check(kmsg_has(kmsg, "is not known, taken as 'signed'") == unknown,
	      unknown ? "no word about it in the kernel's log" : "'signed' is not known");
}

/*
 * An instruction that adds to a map value on one path and to a packet on another:
 * what is masked for the one must not be for the other.
 */
static void mixed_pointers(const void *arg)
{
	const struct mode *m = arg;
	struct bpf_insn insns[] = {
		{ BPF_ALU64 | BPF_MOV | BPF_X, 6, 1 },
		{ BPF_LDX | BPF_MEM | BPF_W, 7, 6, offsetof(struct __sk_buff, data) },
		{ BPF_LDX | BPF_MEM | BPF_W, 8, 6, offsetof(struct __sk_buff, data_end) },
		{ BPF_LDX | BPF_MEM | BPF_W, 9, 6, offsetof(struct __sk_buff, mark) },
		{ BPF_LDX | BPF_MEM | BPF_W, 3, 6, offsetof(struct __sk_buff, len) },
		{ BPF_ALU64 | BPF_AND | BPF_K, 3, 0, 0, 7 },
		{ BPF_JMP | BPF_JNE | BPF_K, 9, 0, 3, 0 },
		/* a map value of eight bytes, plus 0 to 7 */
		{ BPF_LD | BPF_IMM | BPF_DW, 2, BPF_PSEUDO_MAP_VALUE, 0, 0 },
		{},
		{ BPF_JMP | BPF_JA, 0, 0, 2 },
		/* the packet, plus 8 to 15 */
		{ BPF_ALU64 | BPF_MOV | BPF_X, 2, 7 },
		{ BPF_ALU64 | BPF_ADD | BPF_K, 3, 0, 0, 8 },
		{ BPF_ALU64 | BPF_ADD | BPF_X, 2, 3 },
		{ BPF_JMP | BPF_JEQ | BPF_K, 9, 0, 4, 0 },
		{ BPF_ALU64 | BPF_MOV | BPF_X, 4, 2 },
		{ BPF_ALU64 | BPF_ADD | BPF_K, 4, 0, 0, 8 },
		{ BPF_JMP | BPF_JGT | BPF_X, 4, 8, 1 },
		{ BPF_ST | BPF_MEM | BPF_B, 2, 0, 0, 0x5a },
		{ BPF_ALU64 | BPF_MOV | BPF_K },
		{ BPF_JMP | BPF_EXIT },
	};
	struct __sk_buff skb = { .mark = 1 };
	union bpf_attr attr = {};
	__u8 in[64] = {}, out[64];
	int fd;

	if (m->choice == SIGNED)
		return;
	insns[7].imm = map_create(BPF_MAP_TYPE_ARRAY, "mixed", 4, 8, 1, 0);
	check(insns[7].imm >= 0, "no map");
	fd = load_insns(BPF_PROG_TYPE_SCHED_CLS, insns, ARRAY_SIZE(insns));
	check(fd >= 0, "%s; log: %s", strerror(-fd), log_text);

	attr.test.prog_fd = fd;
	attr.test.data_in = (uintptr_t)in;
	attr.test.data_size_in = sizeof(in);
	attr.test.data_out = (uintptr_t)out;
	attr.test.data_size_out = sizeof(out);
	attr.test.ctx_in = (uintptr_t)&skb;
	attr.test.ctx_size_in = sizeof(skb);
	must(sys_bpf(BPF_PROG_TEST_RUN, &attr, sizeof(attr)));
	check(out[8] == 0x5a && !out[0], "the byte is not where it was verified to be");
}

static const struct {
	const char *name;
	void (*run)(const void *arg);
} checks[] = {
	{ "unsigned programs", unsigned_programs },
	{ "mixed pointers", mixed_pointers },
	{ "line in the kernel's log", kernel_line },
	{ "system key", system_key },
	{ "records", records },
	{ "kernel memory", kernel_memory_in_confidentiality },
	{ "leaking programs", leaking_programs },
	{ "user's key", user_key },
	{ "bad signatures", bad_signatures_stay_bad },
	{ "annotation", annotation },
	{ "cannot be lowered", cannot_be_lowered },
};

static struct test_case all[64];
static size_t case_cnt;

static void add(void (*run)(const void *arg), const void *arg, const char *fmt, ...)
{
	va_list args;
	char *name;

	va_start(args, fmt);
	if (vasprintf(&name, fmt, args) < 0)
		exit(1);
	va_end(args);
	all[case_cnt++] = (struct test_case){ name, run, arg };
}

static void add_checks(const char *name, enum choice choice)
{
	struct mode *m = calloc(1, sizeof(*m));
	size_t i;

	*m = (struct mode){ name, choice };
	for (i = 0; i < ARRAY_SIZE(checks); i++) {
		if (checks[i].run == records &&
		    !(cmdline_has("audit=1") && cmdline_has("bpf_lockdown_audit=all")))
			continue;
		add(checks[i].run, m, "%s%s%s: %s", name, choice ? ", " : "",
		    choice ? choices[choice] : "", checks[i].name);
	}
}

int main(int argc, char **argv)
{
	static const char * const names[] = { "none", "integrity", "confidentiality" };
	static const struct mode strict = { "confidentiality", SIGNED };
	enum choice now = choice_now();
	struct mode last = { "confidentiality", now };
	size_t i, first;

	if (strstr(read_file("/proc/cmdline", NULL), " bpf_lockdown="))
		add(unknown_word, NULL, "word on the command line");
	if (!strstr(read_file("/proc/cmdline", NULL), " bpf_lockdown_ceiling="))
		add(ceiling, NULL, "ceiling");
	if (cmdline_has("bpf_lockdown_ceiling=kernel,user-read,nonsense"))
		add(unknown_class, NULL, "class on the command line");
	if (cmdline_has("bpf_lockdown_audit=nonsense"))
		add(unknown_audit, NULL, "records on the command line");
	add(cannot_be_loosened, NULL, "cannot be loosened");
	for (first = 0; first < ARRAY_SIZE(names); first++)
		if (!strcmp(lockdown_mode(), names[first]))
			break;
	before[0] = load_unsigned(BPF_PROG_TYPE_SOCKET_FILTER);
	before[1] = load_unsigned(BPF_PROG_TYPE_SCHED_CLS);
	for (i = first; i < ARRAY_SIZE(names); i++) {
		if (i > first)
			add(raise_to, names[i], "raise to %s", names[i]);
		add_checks(names[i], i ? now : NONE);
	}
	if (!first)
		add(loaded_before_stays, &last, "loaded before");
	if (now < SIGNED) {
		add(tighten_to, &strict, "tighten to signed");
		add_checks("confidentiality", SIGNED);
	}
	return run_cases(1, argv, all, case_cnt);
}
