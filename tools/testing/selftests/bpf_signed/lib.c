// SPDX-License-Identifier: GPL-2.0
/* See lib.h. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <time.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <elf.h>
#include <gelf.h>
#include <libelf.h>
#include <bpf/bpf_companion.h>
#include "lib.h"
#include "kselftest.h"

/* ---- cases ------------------------------------------------------------- */

/* Longest time for one case; a hang of the kernel is a failure. */
#define CASE_SECONDS 600

void case_fail(const char *file, int line, const char *fmt, ...)
{
	const char *base = strrchr(file, '/');
	va_list args;

	printf("# %s:%d: ", base ? base + 1 : file, line);
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	printf("\n");
	fflush(stdout);
	_exit(CASE_FAIL);
}

static int run_case(const struct test_case *c)
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		setpgid(0, 0);
		alarm(CASE_SECONDS);
		c->run(c->arg);
		fflush(stdout);
		_exit(CASE_PASS);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return CASE_FAIL;
	/* what the case has left running */
	kill(-pid, SIGKILL);
	if (WIFSIGNALED(status)) {
		printf("# ended by signal %d\n", WTERMSIG(status));
		return CASE_FAIL;
	}
	return WEXITSTATUS(status);
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

/* FEWER_ROUNDS=10, say, makes a tenth of all rounds. */
static int fewer_rounds(void)
{
	const char *value = getenv("FEWER_ROUNDS");
	int by = value ? atoi(value) : 0;

	return by > 1 ? by : 1;
}

int rounds(int full)
{
	int n = full / fewer_rounds();

	return n ?: 1;
}

int run_cases(int argc, char **argv, const struct test_case *cases, size_t cnt)
{
	size_t i, plan = 0;
	int status;

	setvbuf(stdout, NULL, _IOLBF, 0);
	ksft_print_header();
	for (i = 0; i < cnt; i++)
		plan += argc < 2 || strstr(cases[i].name, argv[1]);
	ksft_set_plan(plan);
	if (fewer_rounds() > 1)
		printf("# what is repeated, is so %d times less often: FEWER_ROUNDS\n",
		       fewer_rounds());

	for (i = 0; i < cnt; i++) {
		double start = seconds();

		if (argc >= 2 && !strstr(cases[i].name, argv[1]))
			continue;
		status = run_case(&cases[i]);
		if (seconds() - start > 2)
			printf("# took %.1f s\n", seconds() - start);
		ksft_test_result(status == CASE_PASS, "%s\n", cases[i].name);
	}
	ksft_finished();
}

/* ---- signed objects ---------------------------------------------------- */

char *read_file(const char *path, size_t *len)
{
	size_t size = 0, room = 1 << 16;
	char *data = malloc(room);
	ssize_t n;
	int fd;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	check(fd >= 0, "%s: %s", path, strerror(errno));
	while ((n = read(fd, data + size, room - size - 1)) > 0) {
		size += n;
		if (room - size < 2) {
			room *= 2;
			data = realloc(data, room);
			check(data, "out of memory");
		}
	}
	check(n == 0, "%s: %s", path, strerror(errno));
	close(fd);
	data[size] = 0;
	if (len)
		*len = size;
	return data;
}

const void *object_section(const struct object *obj, const char *name, size_t *len)
{
	const void *found = NULL;
	Elf_Scn *scn = NULL;
	GElf_Shdr shdr;
	size_t shstrndx;
	Elf *elf;

	elf_version(EV_CURRENT);
	elf = elf_memory(obj->file, obj->file_len);
	check(elf && !elf_getshdrstrndx(elf, &shstrndx), "not ELF");
	while (!found && (scn = elf_nextscn(elf, scn))) {
		const char *s;

		if (!gelf_getshdr(scn, &shdr))
			continue;
		s = elf_strptr(elf, shstrndx, shdr.sh_name);
		if (!s || strcmp(s, name) || shdr.sh_type == SHT_NOBITS)
			continue;
		found = obj->file + shdr.sh_offset;
		*len = shdr.sh_size;
	}
	elf_end(elf);
	return found;
}

struct object *object_open(const char *path)
{
	struct object *obj = calloc(1, sizeof(*obj));
	struct bpf_companion comp;
	const void *sec;
	size_t len;
	__u32 i;

	obj->file = read_file(path, &obj->file_len);
	sec = object_section(obj, BPF_COMPANION_SEC, &len);
	check(sec, "%s is not signed", path);
	obj->companion = aligned_alloc(8, (len + 7) & ~7UL);
	memcpy(obj->companion, sec, len);
	check(!bpf_companion_parse(&comp, obj->companion, len), "%s: bad companion", path);
	check(comp.hdr->prog_cnt <= MAX_PROGS, "%s: too many programs", path);

	obj->btf = bpf_companion_btf(&comp, &obj->btf_len);
	obj->prog_cnt = comp.hdr->prog_cnt;
	for (i = 0; i < obj->prog_cnt; i++) {
		struct image_prog *prog = &obj->progs[i];

		prog->name = bpf_companion_name(&comp, i);
		prog->image = bpf_companion_image(&comp, i, &prog->image_len);
		prog->sig = bpf_companion_sig(&comp, i, &prog->sig_len);
	}
	obj->btf_fd = must(btf_load(obj->btf, obj->btf_len));
	return obj;
}

const struct image_prog *object_prog(const struct object *obj, const char *name)
{
	__u32 i;

	for (i = 0; i < obj->prog_cnt; i++)
		if (!strcmp(obj->progs[i].name, name))
			return &obj->progs[i];
	check(false, "no program '%s'", name);
	return NULL;
}

const void *image_section(const void *image, __u32 type, __u32 *cnt)
{
	const struct bpf_image_hdr *hdr = image;
	const struct bpf_image_section *sec = (const void *)(hdr + 1);
	__u32 i;

	for (i = 0; i < hdr->section_cnt; i++) {
		if (sec[i].type == type) {
			*cnt = sec[i].len / sec[i].rec_size;
			return image + sec[i].off;
		}
	}
	*cnt = 0;
	return NULL;
}

const char *image_string(const void *image, __u32 off)
{
	__u32 cnt;
	const char *strs = image_section(image, BPF_IMAGE_STRINGS, &cnt);

	return off < cnt ? strs + off : "";
}

int image_slot(const void *image, const char *map)
{
	const struct bpf_image_map *slots;
	__u32 cnt, i;

	slots = image_section(image, BPF_IMAGE_MAPS, &cnt);
	for (i = 0; i < cnt; i++)
		if (!strcmp(image_string(image, slots[i].name), map))
			return i;
	check(false, "no map slot '%s'", map);
	return -1;
}

int make_map(const struct object *obj, const struct image_prog *prog, int index,
	     const void *contents)
{
	const struct bpf_image_map *slots, *slot;
	union bpf_attr attr = {};
	const char *name;
	char *value;
	__u32 cnt, zero = 0;
	size_t len;
	int fd;

	slots = image_section(prog->image, BPF_IMAGE_MAPS, &cnt);
	check(slots && (__u32)index < cnt, "no slot %d", index);
	slot = &slots[index];
	name = image_string(prog->image, slot->name);

	attr.map_type = slot->type;
	attr.key_size = slot->key_size;
	attr.value_size = slot->value_size;
	attr.max_entries = slot->max_entries;
	attr.map_flags = slot->map_flags;
	attr.map_extra = slot->map_extra;
	if (slot->btf_value_type_id && slot->type != BPF_MAP_TYPE_STRUCT_OPS) {
		attr.btf_fd = obj->btf_fd;
		attr.btf_key_type_id = slot->btf_key_type_id;
		attr.btf_value_type_id = slot->btf_value_type_id;
	}
	if (slot->inner_type)
		attr.inner_map_fd = must(map_create(slot->inner_type, "inner",
						    slot->inner_key_size,
						    slot->inner_value_size, 1,
						    slot->inner_map_flags));
	snprintf(attr.map_name, sizeof(attr.map_name), "%s", name);
	fd = sys_bpf(BPF_MAP_CREATE, &attr, sizeof(attr));
	check(fd >= 0, "map '%s': %s", name, strerror(errno));

	if (!contents)
		contents = object_section(obj, name, &len);
	if (contents && slot->type == BPF_MAP_TYPE_ARRAY) {
		value = calloc(1, slot->value_size);
		memcpy(value, contents, slot->value_size);
		must(map_update(fd, &zero, value));
		free(value);
	}
	return fd;
}

int make_maps(const struct object *obj, const struct image_prog *prog, int *fds)
{
	const struct bpf_image_map *slots;
	__u32 cnt, i;

	slots = image_section(prog->image, BPF_IMAGE_MAPS, &cnt);
	for (i = 0; i < cnt; i++) {
		fds[i] = make_map(obj, prog, i, NULL);
		if (slots[i].flags & BPF_IMAGE_MAP_FIXED_CONTENTS)
			must(map_freeze(fds[i]));
	}
	return cnt;
}

/* ---- loading ----------------------------------------------------------- */

char log_text[1 << 18];

int sys_bpf(int cmd, union bpf_attr *attr, unsigned int size)
{
	return syscall(__NR_bpf, cmd, attr, size);
}

void image_attr(union bpf_attr *attr, const struct image_prog *prog,
		const int *fds, __u32 fd_cnt, int btf_fd)
{
	__u32 has_btf;

	memset(attr, 0, sizeof(*attr));
	attr->image = (uintptr_t)prog->image;
	attr->image_size = prog->image_len;
	attr->signature = (uintptr_t)prog->sig;
	attr->signature_size = prog->sig_len;
	attr->keyring_id = 1;
	attr->fd_array = (uintptr_t)fds;
	attr->fd_array_cnt = fd_cnt;
	if (btf_fd >= 0 && image_section(prog->image, BPF_IMAGE_BTF, &has_btf))
		attr->prog_btf_fd = btf_fd;
	attr->log_buf = (uintptr_t)log_text;
	attr->log_size = sizeof(log_text);
	attr->log_level = 1;
}

int object_attr(union bpf_attr *attr, const struct object *obj,
		const struct image_prog *prog, int *fds)
{
	int cnt = make_maps(obj, prog, fds);

	image_attr(attr, prog, fds, cnt, obj->btf_fd);
	return cnt;
}

int image_load(union bpf_attr *attr)
{
	int fd;

	log_text[0] = 0;
	fd = sys_bpf(BPF_PROG_LOAD, attr, sizeof(*attr));
	return fd < 0 ? -errno : fd;
}

int object_load(const struct object *obj, const char *name)
{
	const struct image_prog *prog = object_prog(obj, name);
	union bpf_attr attr;
	int fds[BPF_IMAGE_MAX_MAPS], cnt, i, fd;

	cnt = object_attr(&attr, obj, prog, fds);
	fd = image_load(&attr);
	for (i = 0; i < cnt; i++)
		close(fds[i]);
	return fd;
}

void expect_refused(union bpf_attr *attr, int error, const char *words)
{
	int fd = image_load(attr);

	check(fd < 0, "it loaded; expected %s", strerror(error));
	check(fd == -error, "%s, expected %s; log: %s", strerror(-fd),
	      strerror(error), log_text);
	check(!words || strstr(log_text, words), "log lacks '%s': %s", words, log_text);
}

int prog_info(int fd, struct bpf_prog_info *info)
{
	union bpf_attr attr = {};

	memset(info, 0, sizeof(*info));
	attr.info.bpf_fd = fd;
	attr.info.info_len = sizeof(*info);
	attr.info.info = (uintptr_t)info;
	return sys_bpf(BPF_OBJ_GET_INFO_BY_FD, &attr, sizeof(attr)) ? -errno : 0;
}

int prog_run(int fd)
{
	struct bpf_prog_info info;
	union bpf_attr attr = {};
	char data[64] = {};

	must(prog_info(fd, &info));
	attr.test.prog_fd = fd;
	if (info.type != BPF_PROG_TYPE_SYSCALL && info.type != BPF_PROG_TYPE_TRACING &&
	    info.type != BPF_PROG_TYPE_RAW_TRACEPOINT) {
		attr.test.data_in = (uintptr_t)data;
		attr.test.data_size_in = sizeof(data);
		attr.test.repeat = 1;
	}
	must(sys_bpf(BPF_PROG_TEST_RUN, &attr, sizeof(attr)));
	return attr.test.retval;
}

int map_create(__u32 type, const char *name, __u32 key, __u32 value, __u32 max,
	       __u32 flags)
{
	union bpf_attr attr = {};

	attr.map_type = type;
	attr.key_size = key;
	attr.value_size = value;
	attr.max_entries = max;
	attr.map_flags = flags;
	snprintf(attr.map_name, sizeof(attr.map_name), "%s", name);
	return sys_bpf(BPF_MAP_CREATE, &attr, sizeof(attr));
}

int map_update(int fd, const void *key, const void *value)
{
	union bpf_attr attr = {};

	attr.map_fd = fd;
	attr.key = (uintptr_t)key;
	attr.value = (uintptr_t)value;
	return sys_bpf(BPF_MAP_UPDATE_ELEM, &attr, sizeof(attr));
}

int map_lookup(int fd, const void *key, void *value)
{
	union bpf_attr attr = {};

	attr.map_fd = fd;
	attr.key = (uintptr_t)key;
	attr.value = (uintptr_t)value;
	return sys_bpf(BPF_MAP_LOOKUP_ELEM, &attr, sizeof(attr));
}

int map_freeze(int fd)
{
	union bpf_attr attr = {};

	attr.map_fd = fd;
	return sys_bpf(BPF_MAP_FREEZE, &attr, sizeof(attr));
}

__u32 map_id(int fd)
{
	struct bpf_map_info info = {};
	union bpf_attr attr = {};

	attr.info.bpf_fd = fd;
	attr.info.info_len = sizeof(info);
	attr.info.info = (uintptr_t)&info;
	must(sys_bpf(BPF_OBJ_GET_INFO_BY_FD, &attr, sizeof(attr)));
	return info.id;
}

int btf_load(const void *data, __u32 len)
{
	union bpf_attr attr = {};
	int fd;

	attr.btf = (uintptr_t)data;
	attr.btf_size = len;
	fd = sys_bpf(BPF_BTF_LOAD, &attr, sizeof(attr));
	return fd < 0 ? -errno : fd;
}

int count_ids(int cmd)
{
	union bpf_attr attr = {};
	int n = 0;

	while (!sys_bpf(cmd, &attr, sizeof(attr))) {
		attr.start_id = attr.next_id;
		n++;
	}
	return n;
}

int load_insns(__u32 type, const struct bpf_insn *insns, __u32 cnt)
{
	union bpf_attr attr = {};
	int fd;

	log_text[0] = 0;
	attr.prog_type = type;
	attr.insns = (uintptr_t)insns;
	attr.insn_cnt = cnt;
	attr.license = (uintptr_t)"GPL";
	attr.log_buf = (uintptr_t)log_text;
	attr.log_size = sizeof(log_text);
	attr.log_level = 1;
	fd = sys_bpf(BPF_PROG_LOAD, &attr, sizeof(attr));
	return fd < 0 ? -errno : fd;
}

int load_unsigned(__u32 type)
{
	static const struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K },
		{ .code = BPF_JMP | BPF_EXIT },
	};

	return load_insns(type, insns, ARRAY_SIZE(insns));
}

/* ---- building ---------------------------------------------------------- */

static const __u32 rec_sizes[] = {
	[BPF_IMAGE_STRINGS]	= 1,
	[BPF_IMAGE_INSNS]	= sizeof(struct bpf_insn),
	[BPF_IMAGE_BTF]		= sizeof(struct bpf_image_btf),
	[BPF_IMAGE_FUNC_INFO]	= sizeof(struct bpf_func_info),
	[BPF_IMAGE_LINE_INFO]	= sizeof(struct bpf_line_info),
	[BPF_IMAGE_CORE_RELO]	= sizeof(struct bpf_core_relo),
	[BPF_IMAGE_MAPS]	= sizeof(struct bpf_image_map),
	[BPF_IMAGE_TUNABLES]	= sizeof(struct bpf_image_tunable),
	[BPF_IMAGE_KSYMS]	= sizeof(struct bpf_image_ksym),
	[BPF_IMAGE_ATTACH]	= sizeof(struct bpf_image_attach),
	[BPF_IMAGE_LOCKDOWN]	= sizeof(struct bpf_image_lockdown),
	[BPF_IMAGE_EVENTS]	= sizeof(struct bpf_image_event),
};

/* Names that hand-made images need */
static const char strings[] =
	"\0GPL\0first\0second\0member\0no_such_name\0tcp_congestion_ops";

__u32 builder_str(const struct builder *b, const char *s)
{
	const char *strs = b->sec[0].data;
	__u32 off;

	for (off = 0; off < b->sec[0].len; off += strlen(strs + off) + 1)
		if (!strcmp(strs + off, s))
			return off;
	check(false, "no string '%s'", s);
	return 0;
}

void builder_set(struct builder *b, __u32 type, const void *data, __u32 len)
{
	__u32 i, j;

	for (i = 0; i < b->cnt && b->sec[i].type < type; i++)
		;
	if (i == b->cnt || b->sec[i].type != type) {
		check(b->cnt < MAX_SECTIONS, "too many sections");
		for (j = b->cnt++; j > i; j--)
			b->sec[j] = b->sec[j - 1];
	}
	b->sec[i].type = type;
	b->sec[i].rec_size = type < ARRAY_SIZE(rec_sizes) && rec_sizes[type] ?
			     rec_sizes[type] : 1;
	b->sec[i].len = len;
	b->sec[i].data = data;
}

void builder_init(struct builder *b, const char *name, int value)
{
	struct bpf_insn *insns = calloc(2, sizeof(*insns));

	memset(b, 0, sizeof(*b));
	insns[0].code = BPF_ALU64 | BPF_MOV | BPF_K;
	insns[0].imm = value;
	insns[1].code = BPF_JMP | BPF_EXIT;
	builder_set(b, BPF_IMAGE_STRINGS, strings, sizeof(strings));
	builder_set(b, BPF_IMAGE_INSNS, insns, 2 * sizeof(*insns));
	b->hdr.magic = BPF_IMAGE_MAGIC;
	b->hdr.version = BPF_IMAGE_VERSION;
	b->hdr.prog_type = BPF_PROG_TYPE_SOCKET_FILTER;
	b->hdr.license = builder_str(b, "GPL");
	snprintf(b->hdr.name, sizeof(b->hdr.name), "%s", name);
}

void *builder_finish(const struct builder *b, __u32 *len)
{
	struct bpf_image_section *table;
	struct bpf_image_hdr *hdr;
	__u32 i, end;
	char *image;

	end = sizeof(*hdr) + b->cnt * sizeof(*table);
	for (i = 0; i < b->cnt; i++)
		end = ((end + 7) & ~7U) + b->sec[i].len;
	/* room for what a case appends */
	image = calloc(1, end + 64);
	check(image, "out of memory");
	*len = end;

	hdr = (void *)image;
	*hdr = b->hdr;
	hdr->size = end;
	hdr->section_cnt = b->cnt;
	table = (void *)(hdr + 1);
	end = sizeof(*hdr) + b->cnt * sizeof(*table);
	for (i = 0; i < b->cnt; i++) {
		table[i].type = b->sec[i].type;
		table[i].rec_size = b->sec[i].rec_size;
		table[i].off = (end + 7) & ~7U;
		table[i].len = b->sec[i].len;
		memcpy(image + table[i].off, b->sec[i].data, b->sec[i].len);
		end = table[i].off + table[i].len;
	}
	return image;
}

struct image_prog *sign_image(struct signer *s, void *image, __u32 len)
{
	struct image_prog *prog = calloc(1, sizeof(*prog));

	prog->name = "built";
	prog->image = image;
	prog->image_len = len;
	prog->sig = sign_bytes(s, image, len, &prog->sig_len);
	return prog;
}

struct image_prog *build_signed(const struct builder *b)
{
	__u32 len;
	void *image = builder_finish(b, &len);

	return sign_image(fast_signer(), image, len);
}

struct signer *fast_signer(void)
{
	static struct signer *s;
	long ring, key;
	size_t len;
	void *cert;

	if (s)
		return s;
	s = signer_new("Tests of signed BPF", kernel_signer());
	cert = signer_cert(s, &len);
	ring = find_system_keyring(".secondary_trusted_keys");
	check(ring > 0, "no secondary keyring in /proc/keys");
	key = sys_add_key("asymmetric", "", cert, len, ring);
	check(key > 0, "the secondary keyring refuses our key: %s", strerror(-key));
	return s;
}

/* ---- the machine ------------------------------------------------------- */

const char *lockdown_mode(void)
{
	static char mode[32];
	char *text, *open, *close;

	text = read_file("/sys/kernel/security/lockdown", NULL);
	open = strchr(text, '[');
	close = open ? strchr(open, ']') : NULL;
	check(close, "no lockdown: %s", text);
	*close = 0;
	snprintf(mode, sizeof(mode), "%s", open + 1);
	free(text);
	return mode;
}

bool cmdline_has(const char *word)
{
	char *line = read_file("/proc/cmdline", NULL);
	char *tok, *save;
	bool found = false;

	for (tok = strtok_r(line, "\n ", &save); tok && !found;
	     tok = strtok_r(NULL, "\n ", &save))
		found = !strcmp(tok, word);
	free(line);
	return found;
}

int kmsg_open(void)
{
	int fd = must(open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC));

	must(lseek(fd, 0, SEEK_END));
	return fd;
}

bool kmsg_has(int fd, const char *words)
{
	char line[8192];
	ssize_t n;

	while ((n = read(fd, line, sizeof(line) - 1)) > 0 || (n < 0 && errno == EPIPE)) {
		if (n < 0)
			continue;
		line[n] = 0;
		if (strstr(line, words))
			return true;
	}
	return false;
}

bool recorded(int kmsg, const char *words)
{
	int i;

	for (i = 0; i < 20; i++) {
		if (kmsg_has(kmsg, words))
			return true;
		usleep(100000);
	}
	return false;
}

int find_system_keyring(const char *name)
{
	char *text = read_file("/proc/keys", NULL), *line, *save;
	unsigned int serial = 0;
	size_t len = strlen(name);

	for (line = strtok_r(text, "\n", &save); line && !serial;
	     line = strtok_r(NULL, "\n", &save)) {
		char *type = strstr(line, " keyring ");

		if (!type)
			continue;
		type += strlen(" keyring ");
		type += strspn(type, " ");
		if (!strncmp(type, name, len) && type[len] == ':')
			sscanf(line, "%x", &serial);
	}
	free(text);
	return serial;
}

long sys_add_key(const char *type, const char *desc, const void *data,
		 size_t len, int ring)
{
	long ret = syscall(__NR_add_key, type, desc, data, len, ring);

	return ret < 0 ? -errno : ret;
}

long sys_keyctl(int op, unsigned long a, unsigned long b, unsigned long c,
		unsigned long d)
{
	long ret = syscall(__NR_keyctl, op, a, b, c, d);

	return ret < 0 ? -errno : ret;
}
