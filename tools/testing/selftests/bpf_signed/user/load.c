// SPDX-License-Identifier: GPL-2.0
/*
 * libbpf and signed objects: what a tool may and may not do between open and
 * load, and in which words it is told. Needs a kernel that takes images.
 *
 *	load SIGNED UNSIGNED FOREIGN	objects made from load.bpf.c
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include "tap.h"

static const char *file;

/* Opens the object with only those programs to be loaded, and starts a log */
static struct bpf_object *open_with(const char *progs, const struct bpf_object_open_opts *opts)
{
	struct bpf_program *prog;
	struct bpf_object *obj;
	char *list, *p, *save;

	log_buf[0] = '\0';
	obj = bpf_object__open_file(file, opts);
	if (!obj) {
		printf("Bail out! can't open %s\n", file);
		exit(1);
	}
	bpf_object__for_each_program(prog, obj)
		bpf_program__set_autoload(prog, false);
	list = strdup(progs);
	for (p = strtok_r(list, " ", &save); p; p = strtok_r(NULL, " ", &save))
		bpf_program__set_autoload(bpf_object__find_program_by_name(obj, p), true);
	free(list);
	return obj;
}

static struct bpf_program *prog(struct bpf_object *obj, const char *name)
{
	return bpf_object__find_program_by_name(obj, name);
}

static struct bpf_map *map(struct bpf_object *obj, const char *name)
{
	return bpf_object__find_map_by_name(obj, name);
}

/* Address of a variable, by BTF */
static int *var(struct bpf_object *obj, const char *map_name, const char *name)
{
	const struct btf *btf = bpf_object__btf(obj);
	const struct btf_type *sec, *t;
	const struct btf_var_secinfo *vsi;
	size_t size;
	char *data;
	int i;

	data = bpf_map__initial_value(map(obj, map_name), &size);
	sec = btf__type_by_id(btf, btf__find_by_name_kind(btf, map_name, BTF_KIND_DATASEC));
	vsi = btf_var_secinfos(sec);
	for (i = 0; i < btf_vlen(sec); i++, vsi++) {
		t = btf__type_by_id(btf, vsi->type);
		if (strcmp(btf__name_by_offset(btf, t->name_off), name) == 0)
			return (int *)(data + vsi->offset);
	}
	abort();
}

static bool is_signed(struct bpf_object *obj, const char *name)
{
	struct bpf_prog_info info = {};
	__u32 len = sizeof(info);

	if (bpf_prog_get_info_by_fd(bpf_program__fd(prog(obj, name)), &info, &len))
		return false;
	return info.sig_verdict == BPF_SIG_VERIFIED;
}

static void loads(struct bpf_object *obj, const char *name)
{
	result(!bpf_object__load(obj), name);
}

/* Fails with that error, and says that */
static void refused(struct bpf_object *obj, int err, const char *words, const char *name)
{
	int ret = bpf_object__load(obj);

	result(ret == err && strstr(log_buf, words), name);
	if (ret != err)
		printf("# error %d, expected %d\n", ret, err);
	bpf_object__close(obj);
}

static void test_values(void)
{
	LIBBPF_OPTS(bpf_test_run_opts, run);
	struct bpf_object *obj;
	struct utsname uts;
	int major, minor, version;

	obj = open_with("values maybe", NULL);
	*var(obj, ".rodata", "tunable") = 9;
	bpf_map__set_max_entries(map(obj, "hash"), 1234);
	bpf_map__set_value_size(map(obj, "stacks"), 32 * sizeof(__u64));
	bpf_map__set_autocreate(map(obj, "optional"), false);
	loads(obj, "tunables, sizes and a map left out");
	result(is_signed(obj, "values"), "the kernel has verified it");
	result(!bpf_prog_test_run_opts(bpf_program__fd(prog(obj, "values")), &run) &&
	       *var(obj, ".bss", "result") == 923, "tunable variable has its value");
	uname(&uts);
	version = *var(obj, ".bss", "version");
	result(sscanf(uts.release, "%d.%d", &major, &minor) == 2 &&
	       version >> 16 == major && (version >> 8 & 255) == minor,
	       ".kconfig is that of this kernel");
	result(bpf_map__max_entries(map(obj, "hash")) == 1234, "max_entries is as chosen");
	bpf_object__close(obj);

	obj = open_with("values", NULL);
	*var(obj, ".rodata", "fixed") = 4;
	refused(obj, -EINVAL, "a variable in map '.rodata' was changed that isn't tunable",
		"a fixed variable was changed");
	obj = open_with("values", NULL);
	*var(obj, ".rodata", "fixed_by_policy") = 4;
	refused(obj, -EINVAL, "isn't tunable", "a variable fixed by policy was changed");
	obj = open_with("maybe", NULL);
	*var(obj, ".rodata", "fixed") = 4;
	refused(obj, -EINVAL, "isn't tunable", "... also for a program that doesn't read it");
}

static void test_maps(void)
{
	struct bpf_object *obj;

	obj = open_with("values", NULL);
	bpf_map__set_value_size(map(obj, "hash"), 16);
	refused(obj, -EINVAL, "map 'hash' has value_size 16, signed is 8", "another value size");
	obj = open_with("values", NULL);
	bpf_map__set_key_size(map(obj, "hash"), 8);
	refused(obj, -EINVAL, "map 'hash' has key_size 8, signed is 4", "another key size");
	obj = open_with("values", NULL);
	bpf_map__set_type(map(obj, "hash"), BPF_MAP_TYPE_LRU_HASH);
	refused(obj, -EINVAL, "map 'hash' has type lru_hash, signed is hash", "another type");
	obj = open_with("values", NULL);
	bpf_map__set_map_flags(map(obj, "hash"), BPF_F_NO_PREALLOC);
	refused(obj, -EINVAL, "map 'hash' has flags 0x1, signed is 0x0", "other flags");
	obj = open_with("values", NULL);
	bpf_map__set_max_entries(map(obj, "fixed_entries"), 5);
	refused(obj, -EINVAL, "map 'fixed_entries' has max_entries 5, signed is 4",
		"max_entries that policy has fixed");
	obj = open_with("needs_optional", NULL);
	bpf_map__set_autocreate(map(obj, "optional"), false);
	refused(obj, -EINVAL, "BPF map 'optional' is referenced but wasn't created",
		"a map left out that is needed");
	obj = open_with("maybe", NULL);
	*var(obj, ".rodata", "tunable") = 77;
	bpf_map__set_autocreate(map(obj, "optional"), false);
	refused(obj, -EINVAL, "BPF map 'optional' is referenced but wasn't created",
		"... or by what a tunable says");

	obj = open_with("grown", NULL);
	bpf_map__set_value_size(map(obj, ".data.grows"), 64);
	result(!bpf_object__load(obj) && !log_buf[0], "global data may grow, without a warning");
	result(bpf_map__value_size(map(obj, ".data.grows")) == 64, "has grown");
	bpf_object__close(obj);

	obj = open_with("values", NULL);
	bpf_map__set_exclusive_program(map(obj, "hash"), prog(obj, "values"));
	refused(obj, -EOPNOTSUPP, "can't be exclusive to signed program 'values'",
		"an exclusive map");
}

static void test_prog(void)
{
	struct bpf_insn zero[] = {
		{ BPF_ALU64 | BPF_MOV | BPF_K },
		{ BPF_JMP | BPF_EXIT },
	};
	struct bpf_object *obj;

	obj = open_with("values", NULL);
	bpf_program__set_type(prog(obj, "values"), BPF_PROG_TYPE_TRACEPOINT);
	refused(obj, -EINVAL, "program type is tracepoint, signed is raw_tracepoint",
		"another program type");
	obj = open_with("values", NULL);
	bpf_program__set_flags(prog(obj, "values"), BPF_F_TEST_RND_HI32);
	refused(obj, -EINVAL, "program flags are 0x4, signed is 0x0", "other program flags");
	obj = open_with("fentry", NULL);
	bpf_program__set_expected_attach_type(prog(obj, "fentry"), BPF_TRACE_FEXIT);
	refused(obj, -EINVAL, "expected attach type is trace_fexit, signed is trace_fentry",
		"another attach type");
	obj = open_with("values", NULL);
	bpf_program__set_insns(prog(obj, "values"), zero, 2);
	refused(obj, -EINVAL, "bpf_program__set_insns() has replaced its instructions",
		"other instructions");
}

static void test_targets(void)
{
	struct bpf_object *obj;
	struct bpf_link *link;
	int err, i;

	obj = open_with("tp iter", NULL);
	loads(obj, "tp_btf with kfuncs, weak ones too, and an iterator");
	link = bpf_program__attach(prog(obj, "tp"));
	result(!!link, "attach tp_btf");
	bpf_link__destroy(link);
	link = bpf_program__attach(prog(obj, "iter"));
	result(!!link, "attach the iterator");
	if (link) {
		char buf[64] = {};
		int fd = bpf_iter_create(bpf_link__fd(link));

		for (i = 0; i < 100 && !buf[0]; i++)
			if (read(fd, buf, sizeof(buf) - 1) <= 0)
				break;
		result(strcmp(buf, "pid 1\n") == 0, "read the iterator");
		close(fd);
	}
	bpf_link__destroy(link);
	bpf_object__close(obj);

	obj = open_with("fentry", NULL);
	refused(obj, -ENOENT, "attach target 'no_such_function'",
		"a default target that isn't there");

	obj = open_with("fentry", NULL);
	err = bpf_program__set_attach_target(prog(obj, "fentry"), 0, "vfs_open");
	result(!err, "choose a target");
	loads(obj, "load with it");
	link = bpf_program__attach(prog(obj, "fentry"));
	result(!!link, "attach to it");
	close(open("/proc/self/stat", O_RDONLY));
	result(*var(obj, ".bss", "result") == 1, "it runs there");
	bpf_link__destroy(link);
	bpf_object__close(obj);

	obj = open_with("fentry", NULL);
	err = bpf_program__set_attach_target(prog(obj, "fentry"), 0, "vfs_getattr");
	result(!err, "choose a target by a pattern");
	loads(obj, "load with that");
	bpf_object__close(obj);

	obj = open_with("fentry", NULL);
	err = bpf_program__set_attach_target(prog(obj, "fentry"), 0, "vfs_read");
	result(err && strstr(log_buf, "may not be attached to 'vfs_read'") &&
	       strstr(log_buf, "'attach fentry vfs_read'"), "choose a target that isn't allowed");
	refused(obj, -EINVAL, "may not be attached to 'vfs_read'", "... and load nevertheless");

	obj = open_with("fentry", NULL);
	err = bpf_program__set_attach_target(prog(obj, "fentry"), 0, "vfs_get_no_such_function");
	result(err == -ESRCH, "choose a target that this kernel doesn't have");
	err = bpf_program__set_attach_target(prog(obj, "fentry"), 0, "vfs_getattr");
	result(!err, "... and then another");
	loads(obj, "which is loaded");
	bpf_object__close(obj);

	obj = open_with("no_target", NULL);
	refused(obj, -EINVAL, "its signer has named no attach target", "no target at all");
}

static void test_freplace(void)
{
	struct bpf_object *obj, *repl;
	struct bpf_link *link;

	obj = open_with("target", NULL);
	loads(obj, "load what is to be replaced");
	repl = open_with("replacement", NULL);
	result(!bpf_program__set_attach_target(prog(repl, "replacement"),
					       bpf_program__fd(prog(obj, "target")),
					       "replaceable"), "choose the function");
	loads(repl, "load the replacement");
	link = bpf_program__attach_trace(prog(repl, "replacement"));
	result(!!link, "replace it");
	bpf_link__destroy(link);
	bpf_object__close(repl);
	repl = open_with("replacement", NULL);
	result(bpf_program__set_attach_target(prog(repl, "replacement"),
					      bpf_program__fd(prog(obj, "target")),
					      "target") == -EINVAL, "choose another function");
	bpf_object__close(repl);
	repl = open_with("replacement", NULL);
	refused(repl, -EINVAL, "attach program FD is not set", "choose no program");
	bpf_object__close(obj);
}

static void test_struct_ops(void)
{
	struct bpf_object *obj;
	struct bpf_link *link;

	obj = open_with("ssthresh cong_avoid undo_cwnd", NULL);
	bpf_map__set_autocreate(map(obj, "cc"), true);
	loads(obj, "struct_ops");
	link = bpf_map__attach_struct_ops(map(obj, "cc"));
	result(!!link, "register it");
	bpf_link__destroy(link);
	bpf_object__close(obj);
}

static void test_signature(char **argv)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts);
	struct bpf_object *obj;

	opts.signature_keyring_id = 2;
	obj = open_with("values", &opts);
	refused(obj, -ENOKEY, "the kernel doesn't know the key",
		"the platform keyring doesn't have it");

	setenv("LIBBPF_SIGNATURE_KEYRING", "2", 1);
	obj = open_with("values", NULL);
	refused(obj, -ENOKEY, "the kernel doesn't know the key", "nor has it by the environment");
	setenv("LIBBPF_SIGNATURE_KEYRING", "4294967298", 1);
	obj = bpf_object__open_file(file, NULL);
	result(!obj && strstr(log_buf, "is not the number of a keyring"),
	       "a number that no keyring has");
	unsetenv("LIBBPF_SIGNATURE_KEYRING");

	opts.signature_keyring_id = 0;
	opts.ignore_signature = true;
	obj = open_with("values", &opts);
	loads(obj, "the same object without its signature");
	result(!is_signed(obj, "values"), "is not signed");
	bpf_object__close(obj);

	file = argv[2];
	obj = open_with("values", NULL);
	loads(obj, "an unsigned object");
	result(!is_signed(obj, "values"), "is not signed, either");
	bpf_object__close(obj);

	file = argv[3];
	obj = open_with("values", NULL);
	refused(obj, -ENOKEY, "enrol the signer's certificate", "signed with an unknown key");
	file = argv[1];
}

static void not_cloned(struct bpf_program *prog, const struct bpf_prog_load_opts *opts,
		       const char *words)
{
	int fd = bpf_program__clone(prog, opts);

	result(fd == -EINVAL && strstr(log_buf, words), words);
	if (fd >= 0)
		close(fd);
}

static void test_clone(void)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts);
	struct bpf_object *obj, *target;
	struct bpf_prog_info info = {};
	__u32 len = sizeof(info);
	int fd;

	obj = open_with("values", NULL);
	result(!bpf_object__prepare(obj), "prepare");
	fd = bpf_program__clone(prog(obj, "values"), NULL);
	result(fd >= 0 && !bpf_prog_get_info_by_fd(fd, &info, &len) &&
	       info.sig_verdict == BPF_SIG_VERIFIED, "clone a signed program");
	close(fd);
	loads(obj, "load after that");
	bpf_object__close(obj);

	obj = open_with("values", NULL);
	result(!bpf_object__prepare(obj), "prepare for other ones");
	opts.expected_attach_type = BPF_TRACE_FEXIT;
	not_cloned(prog(obj, "values"), &opts, "options give it another expected_attach_type");
	opts.expected_attach_type = 0;
	opts.attach_btf_id = 1;
	not_cloned(prog(obj, "fentry"), &opts, "another attach_btf_id; name the target");
	opts.attach_btf_id = 0;
	opts.attach_name = "vfs_open";
	fd = bpf_program__clone(prog(obj, "fentry"), &opts);
	result(fd >= 0, "clone for a target by name");
	close(fd);
	opts.attach_name = "vfs_read";
	not_cloned(prog(obj, "fentry"), &opts, "may not be attached to 'vfs_read'");
	opts.attach_name = NULL;
	target = open_with("target", NULL);
	loads(target, "load what a clone is to replace");
	opts.attach_prog_fd = bpf_program__fd(prog(target, "target"));
	fd = bpf_program__clone(prog(obj, "replacement"), &opts);
	result(fd >= 0, "clone for a function of that");
	close(fd);
	bpf_object__close(target);
	bpf_object__close(obj);
}

int main(int argc, char **argv)
{
	if (argc != 4)
		return 1;
	setvbuf(stdout, NULL, _IOLBF, 0);
	libbpf_set_print(keep_log);
	file = argv[1];
	printf("TAP version 13\n");
	test_values();
	test_maps();
	test_prog();
	test_targets();
	test_freplace();
	test_struct_ops();
	test_signature(argv);
	test_clone();
	printf("1..%d\n", nr);
	return failures ? 1 : 0;
}
