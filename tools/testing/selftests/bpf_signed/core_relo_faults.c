// SPDX-License-Identifier: GPL-2.0
/*
 * Faults of the CO-RE engine in C, and that ours lacks them. Nothing here is
 * signed: records go to the engine with any program, and CAP_BPF is enough.
 *
 * On a kernel whose engine is relo_core.c as of 7.3 most cases fail, and say
 * in which way. Some oops with cand_cache_mutex held, and what searches for
 * candidates later hangs. So these come last, and what may hang is left alone
 * in a process of its own.
 */
#define _GNU_SOURCE
#include <linux/btf.h>
#include <linux/capability.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include "lib.h"

/* How long a load may take, seconds; under emulation, too */
#define LOAD_SECONDS	20

/* ---- BTF --------------------------------------------------------------- */

static __u32 types[1 << 17];
static char strings[1 << 17];
static unsigned int nr_words, nr_types, strings_len = 1;

static __u32 str(const char *s)
{
	__u32 at = strings_len;

	check(strings_len + strlen(s) + 1 <= sizeof(strings), "too many strings");
	strcpy(strings + at, s);
	strings_len += strlen(s) + 1;
	return at;
}

static void word(__u32 w)
{
	check(nr_words < ARRAY_SIZE(types), "too many types");
	types[nr_words++] = w;
}

static __u32 type(const char *name, __u32 kind, __u32 vlen, __u32 size_or_type)
{
	word(*name ? str(name) : 0);
	word(kind << 24 | vlen);
	word(size_or_type);
	return ++nr_types;
}

static __u32 type_int(void)
{
	__u32 id = type("int", BTF_KIND_INT, 0, 4);

	word(BTF_INT_SIGNED << 24 | 32);
	return id;
}

/* A struct or union with one member */
static __u32 type_composite(__u32 kind, const char *name, const char *member,
			    __u32 member_type, __u32 size)
{
	__u32 id = type(name, kind, 1, size);

	word(str(member));
	word(member_type);
	word(0);
	return id;
}

/* A negative errno, or an fd */
static int try_btf(void)
{
	struct btf_header hdr = {
		.magic = BTF_MAGIC,
		.version = BTF_VERSION,
		.hdr_len = sizeof(hdr),
		.type_len = nr_words * 4,
		.str_off = nr_words * 4,
		.str_len = strings_len,
	};
	static char blob[sizeof(hdr) + sizeof(types) + sizeof(strings)];

	memcpy(blob, &hdr, sizeof(hdr));
	memcpy(blob + sizeof(hdr), types, hdr.type_len);
	memcpy(blob + sizeof(hdr) + hdr.type_len, strings, strings_len);
	return btf_load(blob, sizeof(hdr) + hdr.type_len + strings_len);
}

static int btf(void)
{
	return must(try_btf());
}

/* ---- loading ----------------------------------------------------------- */

/* "r0 = value; exit", its first instruction relocated */
struct job {
	int btf;
	const struct bpf_core_relo *relos;
	__u32 relo_cnt;
	__u64 value;
	bool no_log;
};

/* What became of it, in memory that the child shares. */
struct outcome {
	bool done;
	int ret;	/* negative errno, or what the program returns */
	char log[1 << 16];
};

static struct outcome *outcome;

/* Gives up all capabilities but CAP_BPF, as root with uid 0 */
static void only_cap_bpf(void)
{
	struct __user_cap_header_struct hdr = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2] = {};

	data[CAP_BPF / 32].effective = 1U << (CAP_BPF % 32);
	data[CAP_BPF / 32].permitted = data[CAP_BPF / 32].effective;
	must(syscall(__NR_capset, &hdr, data));
}

static void run_job(const struct job *job)
{
	struct bpf_insn insns[] = {
		{ .code = BPF_LD | BPF_IMM | BPF_DW, .imm = job->value },
		{ .imm = job->value >> 32 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	union bpf_attr attr = {};
	int fd;

	attr.prog_type = BPF_PROG_TYPE_SOCKET_FILTER;
	attr.insns = (uintptr_t)insns;
	attr.insn_cnt = ARRAY_SIZE(insns);
	attr.license = (uintptr_t)"GPL";
	attr.prog_btf_fd = job->btf;
	attr.core_relos = (uintptr_t)job->relos;
	attr.core_relo_cnt = job->relo_cnt;
	attr.core_relo_rec_size = sizeof(*job->relos);
	if (!job->no_log) {
		attr.log_level = 2;
		attr.log_buf = (uintptr_t)outcome->log;
		attr.log_size = sizeof(outcome->log);
	}
	only_cap_bpf();
	fd = sys_bpf(BPF_PROG_LOAD, &attr, sizeof(attr));
	outcome->ret = fd < 0 ? -errno : prog_run(fd);
	outcome->done = true;
	_exit(0);
}

/* Starts a load that may oops or hang. */
static pid_t start(const struct job *job)
{
	pid_t pid;

	if (!outcome) {
		outcome = mmap(NULL, sizeof(*outcome), PROT_READ | PROT_WRITE,
			       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
		check(outcome != MAP_FAILED, "mmap: %s", strerror(errno));
	}
	outcome->done = false;
	outcome->log[0] = 0;
	pid = must(fork());
	if (!pid)
		run_job(job);
	return pid;
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

/* Whether it has ended in time; @status as waitpid() has it. */
static bool ends(pid_t pid, double seconds, int *status)
{
	double until = now() + seconds;

	for (;;) {
		if (waitpid(pid, status, WNOHANG) == pid)
			return true;
		if (now() > until)
			return false;
		usleep(1000);
	}
}

/* A negative errno, or what the program returns. */
static int attempt(const struct job *job)
{
	pid_t pid = start(job);
	int status;

	check(ends(pid, LOAD_SECONDS, &status),
	      "the load hangs: an earlier one died with the mutex held?");
	check(WIFEXITED(status), "signal %d ended the load: the kernel oopsed", WTERMSIG(status));
	check(outcome->done, "no program, for another reason");
	return outcome->ret;
}

static int relocate(int btf_fd, __u32 type_id, __u32 access, __u32 kind, __u64 value)
{
	struct bpf_core_relo relo = {
		.type_id = type_id, .access_str_off = access, .kind = kind,
	};
	struct job job = { .btf = btf_fd, .relos = &relo, .relo_cnt = 1, .value = value };

	return attempt(&job);
}

/* ---- what has to work -------------------------------------------------- */

static void sane_records(const void *arg)
{
	__u32 zero = str("0"), first = str("0:0");
	__u32 i32 = type_int();
	__u32 task = type_composite(BTF_KIND_STRUCT, "task_struct", "pid", i32, 4);
	__u32 none = type_composite(BTF_KIND_STRUCT, "no_such_struct", "pid", i32, 4);
	int fd = btf(), ret;

	ret = relocate(fd, task, zero, BPF_CORE_TYPE_EXISTS, 1);
	check(ret == 1, "task_struct exists: %d; log: %s", ret, outcome->log);
	ret = relocate(fd, none, zero, BPF_CORE_TYPE_EXISTS, 1);
	check(ret == 0, "no_such_struct exists: %d", ret);
	ret = relocate(fd, task, first, BPF_CORE_FIELD_BYTE_OFFSET, 0);
	check(ret > 0, "offset of task_struct.pid: %d; log: %s", ret, outcome->log);
}

/* No fault either, but a limit of ours */
static void too_many_records(const void *arg)
{
	static struct bpf_core_relo relos[65537];
	struct job job = { .relos = relos, .relo_cnt = ARRAY_SIZE(relos), .no_log = true };
	__u32 zero = str("0"), i32 = type_int(), i;
	int ret;

	for (i = 0; i < ARRAY_SIZE(relos); i++)
		relos[i] = (struct bpf_core_relo){
			.type_id = i32, .access_str_off = zero, .kind = BPF_CORE_TYPE_ID_LOCAL,
		};
	job.btf = btf();
	job.value = i32;
	ret = attempt(&job);
	check(ret == -E2BIG, "65,537 records: %d", ret);
	job.relo_cnt--;
	ret = attempt(&job);
	check(ret == (int)i32, "65,536 records: %d", ret);
}

/* No fault, but a limit that both engines have: members of members are too deep */
static void nested_types(const void *arg)
{
	__u32 zero = str("0"), i32 = type_int();
	__u32 flat = type_composite(BTF_KIND_STRUCT, "task_struct", "pid", i32, 4);
	__u32 chr = type("unsigned char", BTF_KIND_INT, 0, 1), se, nested;
	int fd, ret;

	word(8);
	se = type_composite(BTF_KIND_STRUCT, "sched_entity", "on_rq", chr, 4);
	nested = type_composite(BTF_KIND_STRUCT, "task_struct", "se", se, 4);
	fd = btf();
	ret = relocate(fd, flat, zero, BPF_CORE_TYPE_MATCHES, 1);
	check(ret == 1, "a struct with a member matches: %d; log: %s", ret, outcome->log);
	ret = relocate(fd, nested, zero, BPF_CORE_TYPE_MATCHES, 1);
	check(ret == -EINVAL, "one within another matches: %d; log: %s", ret, outcome->log);
}

/*
 * Of a bitfield whose type has no size, relo_core.c computes the place by a
 * division by zero. The check of BTF keeps it from that.
 */
static void bitfield_of_no_size(const void *arg)
{
	static const struct {
		__u32 kind, size;
		int err;
	} members[] = {
		{ BTF_KIND_ENUM, 4, 0 },
		{ BTF_KIND_ENUM, 0, -EINVAL },
		{ BTF_KIND_ENUM64, 0, -EINVAL },
		{ BTF_KIND_INT, 0, -EINVAL },
		{ BTF_KIND_FLOAT, 0, -EINVAL },
		{ BTF_KIND_STRUCT, 0, -EINVAL },
		{ BTF_KIND_UNION, 0, -EINVAL },
		{ BTF_KIND_ARRAY, 0, -EINVAL },
		{ BTF_KIND_FWD, 0, -EINVAL },
		/* of these it is the type that they refer to, void */
		{ BTF_KIND_PTR, 0, -EINVAL },
		{ BTF_KIND_TYPEDEF, 0, -EINVAL },
		{ BTF_KIND_FUNC_PROTO, 0, -EINVAL },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(members); i++) {
		__u32 kind = members[i].kind, i32, id;
		bool named = kind != BTF_KIND_PTR && kind != BTF_KIND_ARRAY &&
			     kind != BTF_KIND_FUNC_PROTO;
		int ret;

		nr_words = 0;
		nr_types = 0;
		strings_len = 1;
		i32 = type_int();
		id = type(named ? "none" : "", kind, 0, members[i].size);
		if (kind == BTF_KIND_INT)
			word(0);
		if (kind == BTF_KIND_ARRAY) {
			word(i32);
			word(i32);
			word(0);
		}
		type("s", 1U << 7 | BTF_KIND_STRUCT, 1, 4);
		word(str("m"));
		word(id);
		word(3 << 24);
		ret = try_btf();
		check(ret < 0 ? ret == members[i].err : !members[i].err,
		      "BTF with a bitfield of kind %u and size %u: %d", kind,
		      members[i].size, ret);
		if (ret >= 0)
			close(ret);
	}
}

/* ---- (c): candidates of another kind ----------------------------------- */

static void kinds_of_one_name(const void *arg)
{
	static const char *const names[] = { "fs_struct", "pid_namespace", "file", "cred" };
	__u32 zero = str("0"), i32 = type_int();
	__u32 unions[ARRAY_SIZE(names)], structs[ARRAY_SIZE(names)];
	size_t i;
	int fd, ret;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		unions[i] = type_composite(BTF_KIND_UNION, names[i], "x", i32, 4);
		structs[i] = type_composite(BTF_KIND_STRUCT, names[i], "x", i32, 4);
	}
	fd = btf();
	for (i = 0; i < ARRAY_SIZE(names); i++) {
		ret = relocate(fd, unions[i], zero, BPF_CORE_TYPE_EXISTS, 1);
		check(ret == 0, "union %s exists: %d", names[i], ret);
		ret = relocate(fd, structs[i], zero, BPF_CORE_TYPE_EXISTS, 1);
		check(ret == 1, "struct %s exists: %d, since a program looked for a union",
		      names[i], ret);
	}
}

/* ---- (e): access strings ----------------------------------------------- */

static void access_string(const void *arg)
{
	__u32 access = str(arg), i32 = type_int();
	__u32 fs = type_composite(BTF_KIND_STRUCT, "fs_struct", "users", i32, 4);
	int ret = relocate(btf(), fs, access, BPF_CORE_FIELD_EXISTS, 1);

	check(ret == -EINVAL, "\"%s\" was taken: %d", (const char *)arg, ret);
}

static void offset_that_wraps(const void *arg)
{
	/* 2^27 times 4 bytes, in bits */
	__u32 access = str("134217728:0"), i32 = type_int();
	__u32 fs = type_composite(BTF_KIND_STRUCT, "fs_struct", "users", i32, 4);
	int ret = relocate(btf(), fs, access, BPF_CORE_FIELD_BYTE_OFFSET, 0);

	check(ret == -EINVAL, "the offset of element 134217728 is %d", ret);
}

/* ---- (b): enumerators of what is no enum ------------------------------- */

/* What the kernel has by this name is no enum */
struct alias {
	const char *name;
	__u32 kind;
};

static const struct alias alias_typedef = { "pid_t", BTF_KIND_TYPEDEF };
static const struct alias alias_tag = { "user", BTF_KIND_TYPE_TAG };

static void enumerator_of_no_enum(const void *arg)
{
	const struct alias *alias = arg;
	__u32 zero = str("0");
	__u32 e = type("colour", BTF_KIND_ENUM, 1, 4), id;
	char *line, *end;
	int ret;

	word(str("RED"));
	word(1);
	id = type(alias->name, alias->kind, 0, e);
	ret = relocate(btf(), id, zero, BPF_CORE_ENUMVAL_EXISTS, 1);
	check(ret == 0, "%s::RED exists: %d; log: %s", alias->name, ret, outcome->log);
	line = strstr(outcome->log, "candidate #0");
	check(line, "no word on the candidate: %s", outcome->log);
	end = strchrnul(line, '\n');
	check(!memmem(line, end - line, "::", 2), "the log has what follows the type: %.*s",
	      (int)(end - line), line);
}

/* ---- (d): records without end ------------------------------------------ */

#define UNKNOWN		1000
#define RECORDS		60000

static void killed_while_searching(const void *arg)
{
	static struct bpf_core_relo relos[RECORDS];
	struct job job = { .relos = relos, .relo_cnt = RECORDS, .no_log = true };
	__u32 zero = str("0"), first = nr_types + 1, i;
	char name[32];
	double begin;
	int status;
	pid_t pid;

	for (i = 0; i < UNKNOWN; i++) {
		snprintf(name, sizeof(name), "no_such_%u", i);
		type(name, BTF_KIND_STRUCT, 0, 0);
	}
	for (i = 0; i < RECORDS; i++)
		relos[i] = (struct bpf_core_relo){
			.type_id = first + i % UNKNOWN,
			.access_str_off = zero,
			.kind = BPF_CORE_TYPE_ID_TARGET,
		};
	job.btf = btf();
	begin = now();
	pid = start(&job);
	if (ends(pid, 0.3, &status)) {
		printf("# all %u records in %.3f s\n", RECORDS, now() - begin);
		return;
	}
	kill(pid, SIGKILL);
	check(ends(pid, 3, &status), "3 s after SIGKILL the load still runs");
	printf("# killed; it took %.3f s more\n", now() - begin - 0.3);
}

/* ---- (a): kinds that nobody expects ------------------------------------ */

static void function(const void *arg)
{
	__u32 zero = str("0"), proto = type("", BTF_KIND_FUNC_PROTO, 0, 0);
	__u32 func = type("vfs_read", BTF_KIND_FUNC, 0, proto);
	int ret = relocate(btf(), func, zero, BPF_CORE_TYPE_EXISTS, 1);

	check(ret == 0, "%d; log: %s", ret, outcome->log);
}

static void variable(const void *arg)
{
	__u32 zero = str("0"), i32 = type_int();
	__u32 var = type("runqueues", BTF_KIND_VAR, 0, i32);
	int ret;

	word(BTF_VAR_GLOBAL_ALLOCATED);
	ret = relocate(btf(), var, zero, BPF_CORE_TYPE_EXISTS, 1);
	check(ret == 0, "%d; log: %s", ret, outcome->log);
}

static void section(const void *arg)
{
	__u32 zero = str("0"), i32 = type_int();
	__u32 var = type("x", BTF_KIND_VAR, 0, i32), sec;
	int ret;

	word(BTF_VAR_GLOBAL_ALLOCATED);
	sec = type(".data..percpu", BTF_KIND_DATASEC, 1, 4);
	word(var);
	word(0);
	word(4);
	ret = relocate(btf(), sec, zero, BPF_CORE_TYPE_EXISTS, 1);
	check(ret == 0, "%d; log: %s", ret, outcome->log);
}

static void decl_tag(const void *arg)
{
	__u32 zero = str("0"), i32 = type_int();
	__u32 def = type("def", BTF_KIND_TYPEDEF, 0, i32);
	__u32 tag = type("bpf_kfunc", BTF_KIND_DECL_TAG, 0, def);
	int ret;

	word(-1);
	ret = relocate(btf(), tag, zero, BPF_CORE_TYPE_EXISTS, 1);
	check(ret == 0, "%d; log: %s", ret, outcome->log);
}

static void pointee(const void *arg)
{
	__u32 zero = str("0");
	__u32 f = type("mm_struct", BTF_KIND_FLOAT, 0, 4);
	__u32 ptr = type("", BTF_KIND_PTR, 0, f);
	__u32 task = type_composite(BTF_KIND_STRUCT, "task_struct", "mm", ptr, 8);
	int ret = relocate(btf(), task, zero, BPF_CORE_TYPE_MATCHES, 1);

	check(ret == 0, "%d; log: %s", ret, outcome->log);
}

static void member_float(const void *arg)
{
	__u32 zero = str("0");
	/* the type of task_struct.pid has this name, too */
	__u32 f = type("int", BTF_KIND_FLOAT, 0, 4);
	__u32 task = type_composite(BTF_KIND_STRUCT, "task_struct", "pid", f, 4);
	int ret = relocate(btf(), task, zero, BPF_CORE_TYPE_MATCHES, 1);

	check(ret == 0, "%d; log: %s", ret, outcome->log);
}

/* And whoever comes then is served. */
static void search_afterwards(const void *arg)
{
	__u32 zero = str("0");
	__u32 none = type("no_such_struct_either", BTF_KIND_STRUCT, 0, 0);
	int ret = relocate(btf(), none, zero, BPF_CORE_TYPE_EXISTS, 1);

	check(ret == 0, "%d", ret);
}

static const struct test_case cases[] = {
	CASE(sane_records),
	CASE(nested_types),
	CASE(too_many_records),
	CASE(bitfield_of_no_size),
	{ "(e) access_string: a blank", access_string, "0: 0" },
	{ "(e) access_string: a blank in front", access_string, " 0:0" },
	{ "(e) access_string: a blank for the colon", access_string, "0 0" },
	{ "(e) access_string: a sign", access_string, "0:-0" },
	{ "(e) access_string: beyond 32 bits", access_string, "0:4294967296" },
	{ "(e) offset_that_wraps", offset_that_wraps, NULL },
	{ "(c) kinds_of_one_name", kinds_of_one_name, NULL },
	{ "(b) enumerator_of_no_enum: a typedef", enumerator_of_no_enum, &alias_typedef },
	{ "(b) enumerator_of_no_enum: a type tag", enumerator_of_no_enum, &alias_tag },
	{ "(d) killed_while_searching", killed_while_searching, NULL },
	{ "(a) member_float", member_float, NULL },
	{ "(a) function", function, NULL },
	{ "(a) variable", variable, NULL },
	{ "(a) section", section, NULL },
	{ "(a) decl_tag", decl_tag, NULL },
	{ "(a) pointee", pointee, NULL },
	CASE(search_afterwards),
};

int main(int argc, char **argv)
{
	return run_cases(argc, argv, cases, ARRAY_SIZE(cases));
}
