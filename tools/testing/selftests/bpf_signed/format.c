// SPDX-License-Identifier: GPL-2.0
/*
 * Images that a trusted key has signed, and that are no images: each rule of
 * the format broken once. The errno has to be that of the table, and the log
 * has to name the place and the rule.
 */
#define _GNU_SOURCE
#include "lib.h"

#define INSN(c, d, s, o, i) \
	((struct bpf_insn){ .code = (c), .dst_reg = (d), .src_reg = (s), .off = (o), .imm = (i) })
#define RET	INSN(BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 0), INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)
#define LD64(src, imm)	INSN(BPF_LD | BPF_IMM | BPF_DW, 1, src, 0, imm), INSN(0, 0, 0, 0, 0)

/* What the cases start from: an image that loads, with all sections but KSYMS */
static struct bpf_insn insns[] = {
	LD64(BPF_PSEUDO_MAP_IDX, 0),
	RET,
};

static struct bpf_image_map maps[2];
static struct bpf_image_tunable tunables[2];
static struct bpf_image_attach attach[1];
static struct bpf_image_lockdown lockdown[2];
static struct bpf_image_event event[1];

struct image {
	struct builder b;
	void *bytes;
	__u32 len;
};

static void start(struct builder *b)
{
	builder_init(b, "first", 0);
	builder_set(b, BPF_IMAGE_INSNS, insns, sizeof(insns));

	maps[0] = (struct bpf_image_map){
		.name = builder_str(b, "first"), .type = BPF_MAP_TYPE_HASH,
		.key_size = 4, .value_size = 8, .max_entries = 4,
	};
	maps[1] = (struct bpf_image_map){
		.name = builder_str(b, "second"), .type = BPF_MAP_TYPE_ARRAY,
		.key_size = 4, .value_size = 16, .max_entries = 1,
		.map_flags = BPF_F_RDONLY_PROG,
		.flags = BPF_IMAGE_MAP_FIXED_CONTENTS,
	};
	builder_set(b, BPF_IMAGE_MAPS, maps, sizeof(maps));
	tunables[0] = (struct bpf_image_tunable){
		.map = 1, .off = 0, .len = 4, .name = builder_str(b, "first") };
	tunables[1] = (struct bpf_image_tunable){
		.map = 1, .off = 8, .len = 8, .name = builder_str(b, "second") };
	builder_set(b, BPF_IMAGE_TUNABLES, tunables, sizeof(tunables));
}

static void refused(struct builder *b, void *bytes, __u32 len, int error, const char *words)
{
	int fds[2] = { -1, -1 };
	struct image_prog *prog;
	union bpf_attr attr;
	char *image = bytes;

	if (!image)
		image = builder_finish(b, &len);
	prog = sign_image(fast_signer(), image, len);
	image_attr(&attr, prog, fds, 2, -1);
	attr.prog_btf_fd = 0;
	expect_refused(&attr, error, words);
	check(!strncmp(log_text, "image: ", 7), "log is not about the image: %s", log_text);
	check(strstr(log_text, "sign the object again"), "log names no remedy: %s", log_text);
}

/* ---- the header -------------------------------------------------------- */

struct field {
	const char *name;
	size_t off;
	__u32 value;
	const char *words;
};

#define HDR(f, v, w)	{ "header." #f " = " #v, offsetof(struct bpf_image_hdr, f), v, \
			  "header." w }

static const struct field header_fields[] = {
	HDR(magic, 0, "magic: not an image"),
	HDR(magic, 0x464c457f, "magic: not an image"),
	HDR(magic, 0xff5042ff, "magic: image was made for the other byte order"),
	HDR(version, 0, "version:"),
	HDR(version, 2, "version:"),
	HDR(version, 0xffffffff, "version:"),
	HDR(size, 0, "size:"),
	HDR(size, 0xffffffff, "size:"),
	HDR(flags, 1, "flags: unknown flag"),
	HDR(flags, 0x80000000, "flags: unknown flag"),
	HDR(section_cnt, 0x10000000, "section_cnt:"),
	HDR(section_cnt, 0xffffffff, "section_cnt:"),
	HDR(section_cnt, BPF_IMAGE_EVENTS + 1, "section_cnt:"),
	HDR(prog_flags, BPF_F_TOKEN_FD, "prog_flags: a flag that names an fd"),
	HDR(license, 0x1000, "license: string offset is outside"),
	HDR(license, 0xffffffff, "license: string offset is outside"),
	HDR(reserved, 1, "reserved: must be zero"),
	HDR(name[12], 0x78000000, "name: is not padded"),
	HDR(name[8], 0x78, "name: is not padded"),
	HDR(name[12], 0x78, "name: is not padded"),
};

static void header_field(const void *arg)
{
	const struct field *f = arg;
	struct builder b;
	__u32 len;
	char *bytes;

	start(&b);
	bytes = builder_finish(&b, &len);
	memcpy(bytes + f->off, &f->value, 4);
	refused(&b, bytes, len, EINVAL, f->words);
}

static void shorter_than_its_header(const void *arg)
{
	struct bpf_image_hdr hdr = { .magic = BPF_IMAGE_MAGIC, .version = 1 };

	for (hdr.size = 0; hdr.size < sizeof(hdr); hdr.size++)
		refused(NULL, &hdr, hdr.size, EINVAL, "header.magic: image is shorter");
}

static void size_off_by_one(const void *arg)
{
	struct builder b;
	__u32 len;
	char *bytes;

	start(&b);
	bytes = builder_finish(&b, &len);
	((struct bpf_image_hdr *)bytes)->size = len - 1;
	refused(&b, bytes, len, EINVAL, "header.size:");
	((struct bpf_image_hdr *)bytes)->size = len + 1;
	refused(&b, bytes, len, EINVAL, "header.size:");
}

static void no_sections(const void *arg)
{
	struct builder b;

	start(&b);
	b.cnt = 0;
	refused(&b, NULL, 0, EINVAL, "section STRINGS: is missing");
}

static void no_insns(const void *arg)
{
	struct builder b;

	start(&b);
	b.cnt = 1;
	refused(&b, NULL, 0, EINVAL, "section INSNS: is missing");
}

static void no_strings(const void *arg)
{
	struct builder b;

	start(&b);
	memmove(&b.sec[0], &b.sec[1], sizeof(b.sec[0]) * --b.cnt);
	refused(&b, NULL, 0, EINVAL, "section STRINGS: is missing");
}

static void bytes_after_the_last_section(const void *arg)
{
	struct builder b;
	__u32 len, n;
	char *bytes;

	start(&b);
	for (n = 1; n <= 16; n++) {
		bytes = builder_finish(&b, &len);
		((struct bpf_image_hdr *)bytes)->size = len + n;
		refused(&b, bytes, len + n, EINVAL, "header.size: bytes follow the last section");
	}
}

/* ---- the section table ------------------------------------------------- */

struct entry {
	const char *name;
	int index;
	size_t off;
	__u32 value;		/* added to what is there, or set */
	bool set;
	int error;
	const char *words;
};

#define TAB(i, f, v, w)	{ "table[" #i "]." #f " = " #v, i, \
			  offsetof(struct bpf_image_section, f), v, true, EINVAL, w }
#define ADD(i, f, v, w)	{ "table[" #i "]." #f " += " #v, i, \
			  offsetof(struct bpf_image_section, f), v, false, EINVAL, w }

static const struct entry entries[] = {
	TAB(0, type, 0, "section table[0]: types are not in ascending order"),
	TAB(1, type, 1, "section table[1]: types are not in ascending order"),
	TAB(1, type, 8, "section table[1]:"),
	TAB(3, type, BPF_IMAGE_EVENTS + 1, "section table[3]: unknown section type"),
	TAB(3, type, 0xffffffff, "section table[3]: unknown section type"),
	TAB(0, rec_size, 0, "section table[0]: records of another size"),
	TAB(1, rec_size, 16, "section table[1]: records of another size"),
	TAB(2, rec_size, 0xffffffff, "section table[2]: records of another size"),
	TAB(1, len, 0, "section table[1]: length is not a multiple"),
	ADD(1, len, 4, "section table[1]: length is not a multiple"),
	ADD(2, len, 1, "section table[2]: length is not a multiple"),
	{ "table[2].len = 0xfffffff0", 2, offsetof(struct bpf_image_section, len),
	  0xfffffff0 - 0xfffffff0 % sizeof(struct bpf_image_map), true, E2BIG,
	  "section table[2]: too many records" },
	TAB(3, len, 0x1000, "section table[3]: exceeds the image"),
	ADD(1, off, 8, "section table[1]: does not follow its predecessor"),
	ADD(1, off, 0xfffffff8, "section table[1]: does not follow its predecessor"),
	ADD(1, off, 1, "section table[1]: does not follow its predecessor"),
	TAB(1, off, 0, "section table[1]: does not follow its predecessor"),
	TAB(2, off, 0xfffffff8, "section table[2]: does not follow its predecessor"),
	TAB(0, off, 0x1000, "section table[0]: does not follow its predecessor"),
	ADD(3, len, 16, "section table[3]: exceeds the image"),
	ADD(3, len, 0xfffffff0, "header.size: bytes follow the last section"),
};

static void table_entry(const void *arg)
{
	const struct entry *e = arg;
	struct builder b;
	__u32 len, *field;
	char *bytes;

	start(&b);
	bytes = builder_finish(&b, &len);
	field = (void *)(bytes + sizeof(struct bpf_image_hdr) +
			 e->index * sizeof(struct bpf_image_section) + e->off);
	*field = e->set ? e->value : *field + e->value;
	refused(&b, bytes, len, e->error, e->words);
}

static void padding_is_not_zero(const void *arg)
{
	struct bpf_image_section *table;
	struct builder b;
	__u32 len;
	char *bytes;

	start(&b);
	bytes = builder_finish(&b, &len);
	table = (void *)(bytes + sizeof(struct bpf_image_hdr));
	check((table[0].off + table[0].len) % 8, "the strings need no padding");
	bytes[table[0].off + table[0].len] = 1;
	refused(&b, bytes, len, EINVAL, "section table[1]: padding is missing or not zero");
}

struct bound {
	const char *name;
	__u32 type;
	__u32 rec_size;
	__u32 max;
};

static const struct bound bounds[] = {
	{ "too many MAPS", BPF_IMAGE_MAPS, sizeof(struct bpf_image_map), BPF_IMAGE_MAX_MAPS },
	{ "too many TUNABLES", BPF_IMAGE_TUNABLES, sizeof(struct bpf_image_tunable),
	  BPF_IMAGE_MAX_TUNABLES },
	{ "too many KSYMS", BPF_IMAGE_KSYMS, sizeof(struct bpf_image_ksym),
	  BPF_IMAGE_MAX_KSYMS },
	{ "too many ATTACH", BPF_IMAGE_ATTACH, sizeof(struct bpf_image_attach),
	  BPF_IMAGE_MAX_ATTACH },
	{ "too many LOCKDOWN", BPF_IMAGE_LOCKDOWN, sizeof(struct bpf_image_lockdown), 2 },
	{ "too many EVENTS", BPF_IMAGE_EVENTS, sizeof(struct bpf_image_event),
	  BPF_IMAGE_MAX_EVENTS },
	{ "too many CORE_RELO", BPF_IMAGE_CORE_RELO, sizeof(struct bpf_core_relo),
	  BPF_IMAGE_MAX_CORE_RELOS },
	{ "too many INSNS", BPF_IMAGE_INSNS, sizeof(struct bpf_insn), 1000000 },
	{ "too many FUNC_INFO", BPF_IMAGE_FUNC_INFO, sizeof(struct bpf_func_info), 1000000 },
	{ "more than one BTF", BPF_IMAGE_BTF, sizeof(struct bpf_image_btf), 1 },
};

static void too_many_records(const void *arg)
{
	const struct bound *bound = arg;
	void *many = calloc(bound->max + 1, bound->rec_size);
	struct builder b;

	start(&b);
	builder_set(&b, bound->type, many, (bound->max + 1) * bound->rec_size);
	refused(&b, NULL, 0, E2BIG, "too many records");
}

/* ---- records ----------------------------------------------------------- */

static void strings_without_nul(const void *arg)
{
	static const char no_first[] = "GPL\0", no_last[] = { 0, 'G', 'P', 'L' };
	struct builder b;

	start(&b);
	b.hdr.license = 0;
	builder_set(&b, BPF_IMAGE_STRINGS, no_first, sizeof(no_first));
	refused(&b, NULL, 0, EINVAL, "section STRINGS: does not begin and end with a NUL");
	builder_set(&b, BPF_IMAGE_STRINGS, no_last, sizeof(no_last));
	refused(&b, NULL, 0, EINVAL, "section STRINGS: does not begin and end with a NUL");
}

struct need {
	const char *name;
	__u32 type;
	__u32 len;
	const char *words;
};

static const struct need needs[] = {
	{ "FUNC_INFO without BTF", BPF_IMAGE_FUNC_INFO, 8,
	  "section FUNC_INFO: needs a BTF section" },
	{ "LINE_INFO without BTF", BPF_IMAGE_LINE_INFO, 16,
	  "section LINE_INFO: needs a BTF section" },
	{ "CORE_RELO without BTF", BPF_IMAGE_CORE_RELO, 16,
	  "section CORE_RELO: needs a BTF section" },
};

static void needs_btf(const void *arg)
{
	static const char zeroes[64];
	const struct need *need = arg;
	struct builder b;

	start(&b);
	builder_set(&b, need->type, zeroes, need->len);
	refused(&b, NULL, 0, EINVAL, need->words);
}

static void tunables_without_maps(const void *arg)
{
	static const struct bpf_insn ret[] = { RET };
	struct builder b;

	builder_init(&b, "first", 0);
	builder_set(&b, BPF_IMAGE_INSNS, ret, sizeof(ret));
	tunables[0].name = builder_str(&b, "first");
	builder_set(&b, BPF_IMAGE_TUNABLES, tunables, sizeof(tunables));
	refused(&b, NULL, 0, EINVAL, "section TUNABLES: needs a MAPS section");
}

struct record {
	const char *name;
	void (*change)(void);
	const char *words;
};

#define MAP_CASE(id, stmt)	static void map_##id(void) { stmt; }
MAP_CASE(no_name, maps[0].name = 0)
MAP_CASE(far_name, maps[0].name = 0x10000)
MAP_CASE(flag, maps[0].flags = 8)
MAP_CASE(high_flag, maps[1].flags |= 0x80000000)
MAP_CASE(reserved, maps[0].reserved = 1)
MAP_CASE(digest, maps[0].digest[31] = 1)
MAP_CASE(fixed_hash, maps[0].flags = BPF_IMAGE_MAP_FIXED_CONTENTS)
MAP_CASE(fixed_long, maps[1].max_entries = 2)
MAP_CASE(fixed_none, maps[1].max_entries = 0)
MAP_CASE(fixed_writable, maps[1].map_flags = 0)
MAP_CASE(fixed_free, maps[1].flags |= BPF_IMAGE_MAP_FREE_VALUE_SIZE)
MAP_CASE(tun_slot, tunables[1].map = 2)
MAP_CASE(tun_far_slot, tunables[1].map = 0xffffffff)
MAP_CASE(tun_unfixed, tunables[0].map = 0)
MAP_CASE(tun_empty, tunables[0].len = 0)
MAP_CASE(tun_long, tunables[1].len = 9)
MAP_CASE(tun_far, tunables[1].off = 16)
MAP_CASE(tun_wrap, tunables[1].len = 0xfffffffc)
MAP_CASE(tun_wrap_off, tunables[1].off = 0xfffffff8)
MAP_CASE(tun_order, tunables[0].off = 12)
MAP_CASE(tun_overlap, tunables[0].len = 9)
MAP_CASE(tun_twice, tunables[1] = tunables[0])
MAP_CASE(tun_name, tunables[1].name = 0)
MAP_CASE(tun_far_name, tunables[1].name = 0xffffffff)
MAP_CASE(att_name, attach[0].name = 0)
MAP_CASE(att_far_name, attach[0].name = 0x12345)
MAP_CASE(att_member, attach[0].member = 0x12345)
MAP_CASE(att_flag, attach[0].flags = 4)
MAP_CASE(att_reserved, attach[0].reserved = 1)
MAP_CASE(lock_mode, lockdown[1].mode = 3)
MAP_CASE(lock_order, lockdown[1].mode = 1)
MAP_CASE(lock_flag, lockdown[1].flags = 2)
MAP_CASE(lock_class, lockdown[1].classes = 0x80)
MAP_CASE(lock_forbid, (lockdown[1].flags = 1, lockdown[1].classes = 1))
MAP_CASE(lock_reserved, lockdown[0].reserved = 1)
MAP_CASE(event_kind, event[0].kind = BPF_IMAGE_EVENT_RAW_TP)
MAP_CASE(event_no_kind, event[0].kind = 0)
MAP_CASE(event_name, event[0].name = 0)
MAP_CASE(event_far_name, event[0].name = 0x12345)
MAP_CASE(event_symbol, event[0].symbol = event[0].name)
MAP_CASE(event_far_symbol, (event[0].kind = BPF_IMAGE_EVENT_UPROBE, event[0].symbol = 0x12345))
MAP_CASE(event_flag, event[0].flags = 2)

static const struct record records[] = {
	{ "map without a name", map_no_name, "MAPS[0]: name is empty" },
	{ "map name outside", map_far_name, "MAPS[0]: string offset is outside" },
	{ "map flag 8", map_flag, "MAPS[0]: unknown flag" },
	{ "map flag 0x80000000", map_high_flag, "MAPS[1]: unknown flag" },
	{ "map reserved", map_reserved, "MAPS[0]: reserved field is not zero" },
	{ "digest without fixed contents", map_digest, "MAPS[0]: digest without fixed contents" },
	{ "fixed contents of a hash", map_fixed_hash, "MAPS[0]: fixed contents of something else" },
	{ "fixed contents, two entries", map_fixed_long,
	  "MAPS[1]: fixed contents of something else" },
	{ "fixed contents, no entry", map_fixed_none, "MAPS[1]: fixed contents of something else" },
	{ "fixed contents, writable", map_fixed_writable,
	  "MAPS[1]: fixed contents that the program could write" },
	{ "fixed contents, free size", map_fixed_free, "MAPS[1]: fixed contents of free size" },
	{ "tunable of no slot", map_tun_slot, "TUNABLES[1]: no such map slot" },
	{ "tunable of slot -1", map_tun_far_slot, "TUNABLES[1]: no such map slot" },
	{ "tunable where nothing is fixed", map_tun_unfixed,
	  "TUNABLES[0]: the contents of that slot are not fixed" },
	{ "tunable of no length", map_tun_empty, "TUNABLES[0]: range is empty" },
	{ "tunable one byte too long", map_tun_long, "TUNABLES[1]: range is empty or exceeds" },
	{ "tunable behind the value", map_tun_far, "TUNABLES[1]: range is empty or exceeds" },
	{ "tunable with a length that wraps", map_tun_wrap,
	  "TUNABLES[1]: range is empty or exceeds" },
	{ "tunable with an offset that wraps", map_tun_wrap_off,
	  "TUNABLES[1]: range is empty or exceeds" },
	{ "tunables out of order", map_tun_order, "TUNABLES[1]: range is out of order" },
	{ "tunables overlap", map_tun_overlap, "TUNABLES[1]: range is out of order" },
	{ "tunable twice", map_tun_twice, "TUNABLES[1]: range is out of order" },
	{ "tunable without a name", map_tun_name, "TUNABLES[1]: name is empty" },
	{ "tunable name outside", map_tun_far_name, "TUNABLES[1]: string offset is outside" },
	{ "attach without a name", map_att_name, "ATTACH[0]: name is empty" },
	{ "attach name outside", map_att_far_name, "ATTACH[0]: string offset is outside" },
	{ "attach member outside", map_att_member,
	  "ATTACH[0]: a member of something else than struct_ops" },
	{ "attach flag 4", map_att_flag, "ATTACH[0]: unknown flag" },
	{ "attach reserved", map_att_reserved, "ATTACH[0]: reserved field is not zero" },
	{ "lockdown mode 3", map_lock_mode, "LOCKDOWN[1]: unknown mode" },
	{ "lockdown mode twice", map_lock_order, "LOCKDOWN[1]: modes are out of order" },
	{ "lockdown flag 2", map_lock_flag, "LOCKDOWN[1]: unknown flag" },
	{ "lockdown class 0x80", map_lock_class, "LOCKDOWN[1]: unknown class" },
	{ "lockdown forbids and asks", map_lock_forbid,
	  "LOCKDOWN[1]: classes in a mode that is forbidden" },
	{ "lockdown reserved", map_lock_reserved, "LOCKDOWN[0]: reserved field is not zero" },
	{ "event of another type", map_event_kind, "EVENTS[0]: not a kind of event that" },
	{ "event of no kind", map_event_no_kind, "EVENTS[0]: not a kind of event that" },
	{ "event without a name", map_event_name, "EVENTS[0]: name is empty" },
	{ "event name outside", map_event_far_name, "EVENTS[0]: string offset is outside" },
	{ "event with a symbol", map_event_symbol, "EVENTS[0]: a symbol of something else" },
	{ "event symbol outside", map_event_far_symbol, "EVENTS[0]: string offset is outside" },
	{ "event flag 2", map_event_flag, "EVENTS[0]: unknown flag" },
};

static void bad_record(const void *arg)
{
	const struct record *r = arg;
	struct builder b;

	start(&b);
	attach[0] = (struct bpf_image_attach){ .name = builder_str(&b, "first") };
	if (!strncmp(r->name, "attach", 6))
		builder_set(&b, BPF_IMAGE_ATTACH, attach, sizeof(attach));
	lockdown[0].mode = BPF_LOCKDOWN_INTEGRITY;
	lockdown[1].mode = BPF_LOCKDOWN_CONFIDENTIALITY;
	if (!strncmp(r->name, "lockdown", 8))
		builder_set(&b, BPF_IMAGE_LOCKDOWN, lockdown, sizeof(lockdown));
	event[0].kind = BPF_IMAGE_EVENT_KPROBE;
	event[0].name = builder_str(&b, "first");
	if (!strncmp(r->name, "event", 5)) {
		b.hdr.prog_type = BPF_PROG_TYPE_KPROBE;
		builder_set(&b, BPF_IMAGE_EVENTS, event, sizeof(event));
	}
	r->change();
	refused(&b, NULL, 0, EINVAL, r->words);
}

/* ---- instructions and what they refer to ------------------------------- */

#define MAX_INSNS 8

struct code {
	const char *name;
	struct bpf_insn insns[MAX_INSNS];
	__u32 cnt;
	struct bpf_image_ksym ksyms[2];
	__u32 ksym_cnt;
	const char *words;
};

#define FIRST 5			/* "first" among the strings */
#define KFUNC_CALL(o, i)	INSN(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_KFUNC_CALL, o, i)
#define BTF_ID			LD64(BPF_PSEUDO_BTF_ID, 0)

static const struct code codes[] = {
	{ "ld_imm64 cut in half", { RET, INSN(BPF_LD | BPF_IMM | BPF_DW, 1, 0, 0, 0) }, 3,
	  {}, 0, "INSNS[2]: ld_imm64 without its second half" },
	{ "map by fd", { LD64(BPF_PSEUDO_MAP_FD, 3), RET }, 4,
	  {}, 0, "INSNS[0]: names a map by fd" },
	{ "map value by fd", { LD64(BPF_PSEUDO_MAP_VALUE, 3), RET }, 4,
	  {}, 0, "INSNS[0]: names a map by fd" },
	{ "ksym by id", { LD64(BPF_PSEUDO_BTF_ID, 100), RET }, 4,
	  {}, 0, "INSNS[0]: names a kernel symbol by id" },
	{ "no such slot", { LD64(BPF_PSEUDO_MAP_IDX, 2), RET }, 4,
	  {}, 0, "INSNS[0]: no such map slot" },
	{ "slot -1", { LD64(BPF_PSEUDO_MAP_IDX, -1), RET }, 4,
	  {}, 0, "INSNS[0]: no such map slot" },
	{ "no such slot, value", { RET, LD64(BPF_PSEUDO_MAP_IDX_VALUE, 0x7fffffff) }, 4,
	  {}, 0, "INSNS[2]: no such map slot" },
	{ "kfunc by id", { KFUNC_CALL(0, 100), RET }, 3,
	  {}, 0, "INSNS[0]: names a kfunc by id" },
	{ "kfunc by id, offset", { KFUNC_CALL(1, 0), RET }, 3,
	  {}, 0, "INSNS[0]: names a kfunc by id" },
	{ "ksym record behind the program", { RET }, 2,
	  { { .insn = 2, .kind = BPF_IMAGE_KSYM_KFUNC, .name = FIRST } }, 1,
	  "KSYMS[0]: no such instruction" },
	{ "ksym record far behind", { RET }, 2,
	  { { .insn = 0xffffffff, .kind = BPF_IMAGE_KSYM_KFUNC, .name = FIRST } }, 1,
	  "KSYMS[0]: no such instruction" },
	{ "ksym record in an instruction's middle", { BTF_ID, RET }, 4,
	  { { .insn = 1, .kind = BPF_IMAGE_KSYM_TYPED, .name = FIRST } }, 1,
	  "INSNS[0]: names a kernel symbol by id" },
	{ "ksym record in a number's middle", { LD64(0, 0), RET }, 4,
	  { { .insn = 1, .kind = BPF_IMAGE_KSYM_UNTYPED, .name = FIRST } }, 1,
	  "KSYMS[0]: records are out of order, or point into the middle" },
	{ "ksym records out of order", { KFUNC_CALL(0, 0), KFUNC_CALL(0, 0), RET }, 4,
	  { { .insn = 1, .kind = BPF_IMAGE_KSYM_KFUNC, .name = FIRST },
	    { .insn = 0, .kind = BPF_IMAGE_KSYM_KFUNC, .name = FIRST } }, 2,
	  "INSNS[0]: names a kfunc by id" },
	{ "two ksym records for one instruction", { KFUNC_CALL(0, 0), RET }, 3,
	  { { .insn = 0, .kind = BPF_IMAGE_KSYM_KFUNC, .name = FIRST },
	    { .insn = 0, .kind = BPF_IMAGE_KSYM_KFUNC, .name = FIRST } }, 2,
	  "KSYMS[1]: records are out of order" },
	{ "ksym without a name", { KFUNC_CALL(0, 0), RET }, 3,
	  { { .insn = 0, .kind = BPF_IMAGE_KSYM_KFUNC } }, 1, "KSYMS[0]: name is empty" },
	{ "ksym name outside", { KFUNC_CALL(0, 0), RET }, 3,
	  { { .insn = 0, .kind = BPF_IMAGE_KSYM_KFUNC, .name = 0x1000 } }, 1,
	  "KSYMS[0]: string offset is outside" },
	{ "ksym flag", { KFUNC_CALL(0, 0), RET }, 3,
	  { { .insn = 0, .kind = BPF_IMAGE_KSYM_KFUNC, .name = FIRST, .flags = 2 } }, 1,
	  "KSYMS[0]: unknown flag" },
	{ "ksym reserved", { KFUNC_CALL(0, 0), RET }, 3,
	  { { .insn = 0, .kind = BPF_IMAGE_KSYM_KFUNC, .name = FIRST, .reserved = 1 } }, 1,
	  "KSYMS[0]: reserved field is not zero" },
	{ "ksym type without BTF", { KFUNC_CALL(0, 0), RET }, 3,
	  { { .insn = 0, .kind = BPF_IMAGE_KSYM_KFUNC, .name = FIRST, .type_id = 1 } }, 1,
	  "KSYMS[0]: type_id needs a FUNC_INFO section" },
	{ "ksym kind 0", { KFUNC_CALL(0, 0), RET }, 3,
	  { { .insn = 0, .kind = 0, .name = FIRST } }, 1, "KSYMS[0]: unknown kind" },
	{ "ksym kind 4", { KFUNC_CALL(0, 0), RET }, 3,
	  { { .insn = 0, .kind = 4, .name = FIRST } }, 1, "KSYMS[0]: unknown kind" },
	{ "kfunc record for a helper call", { INSN(BPF_JMP | BPF_CALL, 0, 0, 0, 0), RET }, 3,
	  { { .insn = 0, .kind = BPF_IMAGE_KSYM_KFUNC, .name = FIRST } }, 1,
	  "KSYMS[0]: does not fit its instruction" },
	{ "kfunc record for a ld_imm64", { BTF_ID, RET }, 4,
	  { { .insn = 0, .kind = BPF_IMAGE_KSYM_KFUNC, .name = FIRST } }, 1,
	  "KSYMS[0]: does not fit its instruction" },
	{ "typed record for a call", { KFUNC_CALL(0, 0), RET }, 3,
	  { { .insn = 0, .kind = BPF_IMAGE_KSYM_TYPED, .name = FIRST } }, 1,
	  "KSYMS[0]: does not fit its instruction" },
	{ "typed record for a map", { LD64(BPF_PSEUDO_MAP_IDX, 0), RET }, 4,
	  { { .insn = 0, .kind = BPF_IMAGE_KSYM_TYPED, .name = FIRST } }, 1,
	  "KSYMS[0]: does not fit its instruction" },
	{ "untyped record for a map", { LD64(BPF_PSEUDO_MAP_IDX, 0), RET }, 4,
	  { { .insn = 0, .kind = BPF_IMAGE_KSYM_UNTYPED, .name = FIRST } }, 1,
	  "KSYMS[0]: does not fit its instruction" },
	{ "kfunc with an id already", { KFUNC_CALL(0, 5), RET }, 3,
	  { { .insn = 0, .kind = BPF_IMAGE_KSYM_KFUNC, .name = FIRST } }, 1,
	  "KSYMS[0]: its instruction has a value already" },
	{ "kfunc with an offset already", { KFUNC_CALL(7, 0), RET }, 3,
	  { { .insn = 0, .kind = BPF_IMAGE_KSYM_KFUNC, .name = FIRST } }, 1,
	  "KSYMS[0]: its instruction has a value already" },
	{ "typed ksym with an id already", { LD64(BPF_PSEUDO_BTF_ID, 5), RET }, 4,
	  { { .insn = 0, .kind = BPF_IMAGE_KSYM_TYPED, .name = FIRST } }, 1,
	  "KSYMS[0]: its instruction has a value already" },
	{ "typed ksym with a BTF fd already",
	  { INSN(BPF_LD | BPF_IMM | BPF_DW, 1, BPF_PSEUDO_BTF_ID, 0, 0), INSN(0, 0, 0, 0, 3), RET },
	  4, { { .insn = 0, .kind = BPF_IMAGE_KSYM_TYPED, .name = FIRST } }, 1,
	  "KSYMS[0]: its instruction has a value already" },
	{ "instruction hidden in a ksym's second half",
	  { INSN(BPF_LD | BPF_IMM | BPF_DW, 1, 0, 0, 0),
	    INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0), RET },
	  4, { { .insn = 0, .kind = BPF_IMAGE_KSYM_UNTYPED, .name = FIRST } }, 1,
	  "KSYMS[0]: its instruction has a value already" },
};

static void bad_code(const void *arg)
{
	const struct code *c = arg;
	struct builder b;

	start(&b);
	check(builder_str(&b, "first") == FIRST, "the strings have changed");
	builder_set(&b, BPF_IMAGE_INSNS, c->insns, c->cnt * sizeof(struct bpf_insn));
	if (c->ksym_cnt)
		builder_set(&b, BPF_IMAGE_KSYMS, c->ksyms,
			    c->ksym_cnt * sizeof(struct bpf_image_ksym));
	refused(&b, NULL, 0, EINVAL, c->words);
}

static void relocation_of_no_instruction(const void *arg)
{
	static const __u32 offs[] = { 4, 1, 32, 0xfffffff8 };
	struct bpf_core_relo relo = {};
	struct bpf_image_btf btf = {};
	struct builder b;
	size_t i;

	start(&b);
	builder_set(&b, BPF_IMAGE_BTF, &btf, sizeof(btf));
	builder_set(&b, BPF_IMAGE_CORE_RELO, &relo, sizeof(relo));
	for (i = 0; i < ARRAY_SIZE(offs); i++) {
		relo.insn_off = offs[i];
		refused(&b, NULL, 0, EINVAL, "CORE_RELO[0]: no such instruction");
	}
}

/* ---- right by the format, and still no program ------------------------- */

static int load_built(struct builder *b, const int *fds, __u32 cnt)
{
	struct image_prog *prog = build_signed(b);
	union bpf_attr attr;

	image_attr(&attr, prog, fds, cnt, -1);
	return image_load(&attr);
}

static void base_of_the_cases_is_right(const void *arg)
{
	int fds[2];
	struct builder b;
	int fd;

	/* but for this image each case could be refused for another reason */
	start(&b);
	maps[1].flags = 0;
	b.cnt--;
	fds[0] = must(map_create(BPF_MAP_TYPE_HASH, "x", 4, 8, 4, 0));
	fds[1] = must(map_create(BPF_MAP_TYPE_ARRAY, "y", 4, 16, 1, BPF_F_RDONLY_PROG));
	fd = load_built(&b, fds, 2);
	check(fd >= 0, "%s; log: %s", strerror(-fd), log_text);
}

static void left_to_the_verifier(const void *arg)
{
	static const struct bpf_insn none[] = { INSN(BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 0) };
	static const struct bpf_insn uninit[] = { INSN(BPF_ALU64 | BPF_MOV | BPF_X, 0, 3, 0, 0),
						  INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0) };
	static const struct bpf_insn into_ld[] = { INSN(BPF_JMP | BPF_JA, 0, 0, 1, 0),
						   LD64(0, 0), RET };
	static const struct bpf_insn jump_out[] = { INSN(BPF_JMP | BPF_JA, 0, 0, 100, 0), RET };
	static const struct bpf_insn opcode[] = { INSN(0xff, 0, 0, 0, 0), RET };
	static const struct bpf_insn helper[] = { INSN(BPF_JMP | BPF_CALL, 0, 0, 0, 2001000000),
						  RET };
	static const struct { const struct bpf_insn *p; __u32 cnt; } all[] = {
		{ none, ARRAY_SIZE(none) }, { uninit, ARRAY_SIZE(uninit) },
		{ into_ld, ARRAY_SIZE(into_ld) }, { jump_out, ARRAY_SIZE(jump_out) },
		{ opcode, ARRAY_SIZE(opcode) }, { helper, ARRAY_SIZE(helper) },
	};
	struct builder b;
	size_t i;
	int fd;

	for (i = 0; i < ARRAY_SIZE(all); i++) {
		builder_init(&b, "first", 0);
		builder_set(&b, BPF_IMAGE_INSNS, all[i].p, all[i].cnt * sizeof(struct bpf_insn));
		fd = load_built(&b, NULL, 0);
		check(fd == -EINVAL || fd == -EACCES, "program %zu: %s", i,
		      fd < 0 ? strerror(-fd) : "it loaded");
		check(log_text[0], "program %zu: no word in the log", i);
	}
}

static void unknown_program_type(const void *arg)
{
	static const __u32 types[] = { 0, 33, 1000, 0xffffffff };
	struct builder b;
	size_t i;
	int fd;

	for (i = 0; i < ARRAY_SIZE(types); i++) {
		builder_init(&b, "first", 0);
		b.hdr.prog_type = types[i];
		fd = load_built(&b, NULL, 0);
		check(fd == -EINVAL, "type %u: %s", types[i],
		      fd < 0 ? strerror(-fd) : "it loaded");
	}
}

static void unknown_program_flags(const void *arg)
{
	struct builder b;
	int bit, fd;

	for (bit = 8; bit < 32; bit++) {
		builder_init(&b, "first", 0);
		b.hdr.prog_flags = 1U << bit;
		fd = load_built(&b, NULL, 0);
		check(fd == -EINVAL, "flag %#x: %s", 1U << bit,
		      fd < 0 ? strerror(-fd) : "it loaded");
	}
}

static void attach_type_of_another_program(const void *arg)
{
	struct builder b;
	int fd;

	builder_init(&b, "first", 0);
	b.hdr.prog_type = BPF_PROG_TYPE_CGROUP_SOCK;
	b.hdr.expected_attach_type = BPF_TRACE_FENTRY;
	fd = load_built(&b, NULL, 0);
	check(fd == -EINVAL, "%s", fd < 0 ? strerror(-fd) : "it loaded");
}

static void bad_name(const void *arg)
{
	struct builder b;
	int fd;

	/* names of programs have few characters to choose from */
	builder_init(&b, "fi\nrst", 0);
	fd = load_built(&b, NULL, 0);
	check(fd == -EINVAL, "%s", fd < 0 ? strerror(-fd) : "it loaded");
}

static void long_license(const void *arg)
{
	static char strs[4096];
	struct builder b;
	int fd;

	/* whether it fits or not, nothing is written behind the buffer for it */
	builder_init(&b, "first", 0);
	memset(strs + 1, 'G', sizeof(strs) - 2);
	builder_set(&b, BPF_IMAGE_STRINGS, strs, sizeof(strs));
	b.hdr.license = 1;
	fd = load_built(&b, NULL, 0);
	if (fd >= 0) {
		struct bpf_prog_info info;

		must(prog_info(fd, &info));
		check(!info.gpl_compatible, "a long word counts as GPL");
	}
}

static const struct test_case cases[] = {
	CASE(base_of_the_cases_is_right),
	CASE(shorter_than_its_header),
	CASE(size_off_by_one),
	CASE(no_sections),
	CASE(no_insns),
	CASE(no_strings),
	CASE(bytes_after_the_last_section),
	CASE(padding_is_not_zero),
	CASE(strings_without_nul),
	CASE(tunables_without_maps),
	CASE(relocation_of_no_instruction),
	CASE(left_to_the_verifier),
	CASE(unknown_program_type),
	CASE(unknown_program_flags),
	CASE(attach_type_of_another_program),
	CASE(bad_name),
	CASE(long_license),
};

#define TABLE(fn, t)							\
	do {								\
		for (i = 0; i < ARRAY_SIZE(t); i++)			\
			all[cnt++] = (struct test_case){ (t)[i].name, fn, &(t)[i] }; \
	} while (0)

int main(int argc, char **argv)
{
	struct test_case all[256];
	size_t i, cnt = 0;

	for (i = 0; i < ARRAY_SIZE(cases); i++)
		all[cnt++] = cases[i];
	TABLE(header_field, header_fields);
	TABLE(table_entry, entries);
	TABLE(too_many_records, bounds);
	TABLE(needs_btf, needs);
	TABLE(bad_record, records);
	TABLE(bad_code, codes);
	return run_cases(argc, argv, all, cnt);
}
