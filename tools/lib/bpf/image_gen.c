// SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause)
/*
 * Turns each program of an object into an image that can be signed, see
 * linux/bpf_image.h. The same object gives the same bytes on any machine.
 */
#include <stdlib.h>
#include <string.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/kernel.h>
#include <linux/bpf_image.h>
#include "btf.h"
#include "bpf.h"
#include "libbpf.h"
#include "libbpf_internal.h"
#include "bpf_gen_internal.h"
#include "image.h"
#include "strset.h"

struct gen_var {
	const char *name;
	__u32 off;
	__u32 len;
};

struct gen_map {
	const char *name;
	struct bpf_image_map rec;
	/* tunable variables, by offset */
	struct gen_var *vars;
	__u32 var_cnt;
	/* what the map is populated with, as long as it isn't known to be fixed */
	const void *value;
};

struct gen_ksym {
	const char *name;
	struct bpf_image_ksym rec;
};

struct gen_target {
	char *name;
	char *member;
	__u32 flags;
};

struct gen_event {
	char *name;
	char *symbol;
	__u32 kind;
	__u32 flags;
};

struct gen_section {
	const void *data;
	__u32 rec_size;
	__u32 cnt;
};

struct gen_images {
	struct bpf_gen gen;
	struct bpf_object *obj;
	struct bpf_gen_images_opts *opts;
	bool *rule_used;

	struct bpf_prog_image *images;
	size_t image_cnt;
	void *btf;
	__u32 btf_size;
	struct bpf_image_btf btf_rec;

	struct gen_map *maps;
	size_t map_cnt;
	/* definition of the inner maps of the map that is created next */
	struct bpf_image_map inner;

	/* records of the program that is loaded next */
	struct bpf_core_relo *core_relos;
	size_t core_relo_cnt;
	struct gen_ksym *ksyms;
	size_t ksym_cnt;
	struct gen_target *targets;
	size_t target_cnt;
	struct gen_event *events;
	size_t event_cnt;
	/* by mode, which begins at 1 */
	struct bpf_image_lockdown lockdown[BPF_LOCKDOWN_CONFIDENTIALITY + 1];
};

static struct gen_images *to_images(struct bpf_gen *gen)
{
	return container_of(gen, struct gen_images, gen);
}

static int fail(struct gen_images *g, int err)
{
	if (!g->gen.error)
		g->gen.error = err;
	return err;
}

/* Append an element, zeroed; NULL where there is no memory */
static void *append(struct gen_images *g, void **array, size_t *cnt, size_t size)
{
	void *tmp;

	if (g->gen.error)
		return NULL;
	tmp = libbpf_reallocarray(*array, *cnt + 1, size);
	if (!tmp) {
		fail(g, -ENOMEM);
		return NULL;
	}
	*array = tmp;
	tmp += (*cnt)++ * size;
	memset(tmp, 0, size);
	return tmp;
}

static const struct bpf_image_rule *rule_at(struct gen_images *g, size_t i)
{
	const void *rules = OPTS_GET(g->opts, rules, NULL);

	return rules + i * OPTS_GET(g->opts, rule_sz, 0);
}

static size_t rule_cnt(struct gen_images *g)
{
	return OPTS_GET(g->opts, rule_cnt, 0);
}

/* Does a rule of that kind name @name? */
static bool has_rule(struct gen_images *g, enum bpf_image_rule_kind kind, const char *name)
{
	bool found = false;
	size_t i;

	for (i = 0; i < rule_cnt(g); i++) {
		if (rule_at(g, i)->kind != kind || strcmp(rule_at(g, i)->name, name))
			continue;
		g->rule_used[i] = true;
		found = true;
	}
	return found;
}

static void images__init(struct bpf_gen *gen, int log_level, int nr_progs, int nr_maps)
{
	struct gen_images *g = to_images(gen);
	struct bpf_map *map;
	size_t i = 0;

	g->rule_used = calloc(rule_cnt(g) ?: 1, sizeof(*g->rule_used));
	g->maps = calloc(nr_maps ?: 1, sizeof(*g->maps));
	if (!g->rule_used || !g->maps) {
		fail(g, -ENOMEM);
		return;
	}
	g->map_cnt = nr_maps;
	bpf_object__for_each_map(map, g->obj)
		g->maps[i++].name = bpf_map_elf_name(map);
}

static int images__finish(struct bpf_gen *gen, int nr_progs, int nr_maps)
{
	struct gen_images *g = to_images(gen);
	size_t i;

	for (i = 0; !gen->error && i < rule_cnt(g); i++) {
		if (g->rule_used[i])
			continue;
		pr_warn("images: the object has no '%s' that the rule for it could apply to\n",
			rule_at(g, i)->name);
		fail(g, -ENOENT);
	}
	if (!gen->error) {
		OPTS_SET(g->opts, images, g->images);
		OPTS_SET(g->opts, image_cnt, g->image_cnt);
		OPTS_SET(g->opts, image_sz, sizeof(*g->images));
		OPTS_SET(g->opts, btf, g->btf);
		OPTS_SET(g->opts, btf_size, g->btf_size);
	}
	return gen->error;
}

static void forget_prog(struct gen_images *g)
{
	size_t i;

	for (i = 0; i < g->target_cnt; i++) {
		free(g->targets[i].name);
		free(g->targets[i].member);
	}
	free(g->targets);
	g->targets = NULL;
	g->target_cnt = 0;
	for (i = 0; i < g->event_cnt; i++) {
		free(g->events[i].name);
		free(g->events[i].symbol);
	}
	free(g->events);
	g->events = NULL;
	g->event_cnt = 0;
	memset(g->lockdown, 0, sizeof(g->lockdown));
	free(g->ksyms);
	g->ksyms = NULL;
	g->ksym_cnt = 0;
	free(g->core_relos);
	g->core_relos = NULL;
	g->core_relo_cnt = 0;
}

static void images__free(struct bpf_gen *gen)
{
	struct gen_images *g = to_images(gen);
	size_t i;

	forget_prog(g);
	for (i = 0; i < g->image_cnt; i++)
		free((void *)g->images[i].data);
	free(g->images);
	for (i = 0; g->maps && i < g->map_cnt; i++)
		free(g->maps[i].vars);
	free(g->maps);
	free(g->rule_used);
	free(g->btf);
	free(g);
}

static void images__load_btf(struct bpf_gen *gen, const void *raw_data, __u32 raw_size)
{
	struct gen_images *g = to_images(gen);

	g->btf = malloc(raw_size);
	if (!g->btf) {
		fail(g, -ENOMEM);
		return;
	}
	memcpy(g->btf, raw_data, raw_size);
	g->btf_size = raw_size;
	libbpf_sha256(raw_data, raw_size, g->btf_rec.digest);
}

static void images__map_create(struct bpf_gen *gen,
			       enum bpf_map_type map_type, const char *map_name,
			       __u32 key_size, __u32 value_size, __u32 max_entries,
			       struct bpf_map_create_opts *map_attr, int map_idx)
{
	struct gen_images *g = to_images(gen);
	struct bpf_image_map *rec;
	const char *name;

	if (gen->error)
		return;

	rec = map_idx < 0 ? &g->inner : &g->maps[map_idx].rec;
	rec->type = map_type;
	rec->key_size = key_size;
	rec->value_size = value_size;
	rec->max_entries = max_entries;
	rec->map_flags = map_attr->map_flags & ~IMAGE_HOST_MAP_FLAGS;
	if (map_idx < 0)
		return;

	name = g->maps[map_idx].name;
	rec->btf_key_type_id = map_attr->btf_key_type_id;
	rec->btf_value_type_id = map_attr->btf_value_type_id;
	/* for an arena an address, for which loaders have their reasons */
	if (map_type != BPF_MAP_TYPE_ARENA)
		rec->map_extra = map_attr->map_extra;
	rec->inner_type = g->inner.type;
	rec->inner_key_size = g->inner.key_size;
	rec->inner_value_size = g->inner.value_size;
	rec->inner_map_flags = g->inner.map_flags;
	memset(&g->inner, 0, sizeof(g->inner));

	/*
	 * A program doesn't see the value of a stack trace map, and that of a
	 * struct_ops map is as large as the target's kernel has it.
	 */
	if (map_type == BPF_MAP_TYPE_STACK_TRACE || map_type == BPF_MAP_TYPE_STRUCT_OPS ||
	    has_rule(g, BPF_IMAGE_RULE_FREE_VALUE_SIZE, name))
		rec->flags |= BPF_IMAGE_MAP_FREE_VALUE_SIZE;
	if (has_rule(g, BPF_IMAGE_RULE_FIXED_ENTRIES, name)) {
		if (!max_entries) {
			pr_warn("images: map '%s': size depends on the number of CPUs and can't be fixed\n",
				name);
			fail(g, -EINVAL);
		}
		rec->flags |= BPF_IMAGE_MAP_FIXED_ENTRIES;
	}
}

static void images__map_update_elem(struct bpf_gen *gen, int map_idx, void *value,
				    __u32 value_size, __u64 flags)
{
	struct gen_images *g = to_images(gen);

	if (!gen->error)
		g->maps[map_idx].value = value;
}

static int find_tunables(struct gen_images *g, struct gen_map *map, const struct btf_type *sec)
{
	const struct btf *btf = bpf_object__btf(g->obj);
	const struct btf_var_secinfo *vsi = btf_var_secinfos(sec);
	const struct btf_type *t;
	struct gen_var *var;
	bool tunable, fixed;
	const char *name;
	size_t cnt = 0;
	__u32 end = 0;
	int i;

	for (i = 0; i < btf_vlen(sec); i++, vsi++) {
		t = btf__type_by_id(btf, vsi->type);
		if (!t || !btf_is_var(t) || !vsi->size)
			continue;
		if (vsi->offset < end || vsi->size > map->rec.value_size ||
		    vsi->offset > map->rec.value_size - vsi->size) {
			pr_warn("images: map '%s': variables overlap or are out of bounds\n",
				map->name);
			return -EINVAL;
		}
		end = vsi->offset + vsi->size;

		name = btf__name_by_offset(btf, t->name_off);
		tunable = has_rule(g, BPF_IMAGE_RULE_TUNABLE, name);
		fixed = has_rule(g, BPF_IMAGE_RULE_FIXED, name);
		if (tunable && fixed) {
			pr_warn("images: variable '%s' can't be both fixed and tunable\n", name);
			return -EINVAL;
		}
		if (fixed || (!tunable && !image_var_is_tunable(btf, t->type)))
			continue;

		var = append(g, (void **)&map->vars, &cnt, sizeof(*var));
		if (!var)
			return -ENOMEM;
		var->name = name;
		var->off = vsi->offset;
		var->len = vsi->size;
		map->var_cnt = cnt;
	}
	return 0;
}

/* Only read-only maps are frozen: their contents are part of the program */
static void images__map_freeze(struct bpf_gen *gen, int map_idx)
{
	struct gen_images *g = to_images(gen);
	const struct btf_type *sec = NULL;
	struct gen_map *map;
	char *value;
	int i, err;

	if (gen->error)
		return;

	map = &g->maps[map_idx];
	/* but for this one, which tells about the kernel it is on */
	if (strcmp(map->name, ".kconfig") == 0)
		return;

	if (map->rec.btf_value_type_id)
		sec = btf__type_by_id(bpf_object__btf(g->obj), map->rec.btf_value_type_id);
	if (sec && btf_is_datasec(sec)) {
		err = find_tunables(g, map, sec);
		if (err) {
			fail(g, err);
			return;
		}
	}

	value = malloc(map->rec.value_size);
	if (!value) {
		fail(g, -ENOMEM);
		return;
	}
	memcpy(value, map->value, map->rec.value_size);
	for (i = 0; i < map->var_cnt; i++)
		memset(value + map->vars[i].off, 0, map->vars[i].len);
	libbpf_sha256(value, map->rec.value_size, map->rec.digest);
	free(value);
	map->rec.flags |= BPF_IMAGE_MAP_FIXED_CONTENTS;
}

static void images__populate_outer_map(struct bpf_gen *gen, int outer_map_idx, int key,
				       int inner_map_idx)
{
	/* contents of a map that can be written */
}

static void add_target(struct gen_images *g, const char *name, const char *member, __u32 flags)
{
	struct gen_target *t;
	size_t i;

	for (i = 0; i < g->target_cnt; i++) {
		t = &g->targets[i];
		if (t->flags == flags && !strcmp(t->name, name) &&
		    !strcmp(t->member ?: "", member ?: ""))
			return;
	}
	t = append(g, (void **)&g->targets, &g->target_cnt, sizeof(*t));
	if (!t)
		return;
	t->flags = flags;
	t->name = strdup(name);
	if (member)
		t->member = strdup(member);
	if (!t->name || (member && !t->member))
		fail(g, -ENOMEM);
}

static void images__record_attach_target(struct bpf_gen *gen, const char *name,
					 enum bpf_attach_type type)
{
	add_target(to_images(gen), name, NULL, 0);
}

static void images__record_attach_prog(struct bpf_gen *gen, const char *name)
{
	add_target(to_images(gen), name, NULL, BPF_IMAGE_ATTACH_PROG);
}

static void images__record_struct_ops(struct bpf_gen *gen, const char *type, const char *member)
{
	add_target(to_images(gen), type, member, 0);
}

static void images__record_extern(struct bpf_gen *gen, const char *name, bool is_weak,
				  bool is_typeless, bool is_ld64, int kind, int type_id,
				  int insn_idx)
{
	struct gen_images *g = to_images(gen);
	struct gen_ksym *ksym;

	ksym = append(g, (void **)&g->ksyms, &g->ksym_cnt, sizeof(*ksym));
	if (!ksym)
		return;
	ksym->name = name;
	ksym->rec.insn = insn_idx;
	ksym->rec.type_id = type_id;
	if (!is_ld64)
		ksym->rec.kind = BPF_IMAGE_KSYM_KFUNC;
	else if (!is_typeless)
		ksym->rec.kind = BPF_IMAGE_KSYM_TYPED;
	else
		ksym->rec.kind = BPF_IMAGE_KSYM_UNTYPED;
	if (is_weak)
		ksym->rec.flags |= BPF_IMAGE_KSYM_WEAK;
}

static void images__record_relo_core(struct bpf_gen *gen, const struct bpf_core_relo *core_relo)
{
	struct gen_images *g = to_images(gen);
	struct bpf_core_relo *relo;

	relo = append(g, (void **)&g->core_relos, &g->core_relo_cnt, sizeof(*relo));
	if (relo)
		*relo = *core_relo;
}

static void add_event(struct gen_images *g, __u32 kind, const char *name, size_t len,
		      const char *symbol)
{
	struct gen_event *ev;
	size_t i;

	for (i = 0; i < g->event_cnt; i++) {
		ev = &g->events[i];
		if (ev->kind == kind && strlen(ev->name) == len && !memcmp(ev->name, name, len) &&
		    !strcmp(ev->symbol ?: "", symbol ?: ""))
			return;
	}
	ev = append(g, (void **)&g->events, &g->event_cnt, sizeof(*ev));
	if (!ev)
		return;
	ev->kind = kind;
	ev->name = strndup(name, len);
	if (symbol)
		ev->symbol = strdup(symbol);
	if (!ev->name || (symbol && !ev->symbol)) {
		fail(g, -ENOMEM);
		return;
	}
	if (strpbrk(ev->name, "*?"))
		ev->flags |= BPF_IMAGE_EVENT_GLOB;
}

/* What SEC() has before the slash */
static const struct event_word {
	const char *word;
	/* the second is for sessions, which are at entry and return */
	__u32 kind[2];
	/* name of a system call, for which there is a function with that suffix */
	bool syscall;
} event_words[] = {
	{ "kprobe", { BPF_IMAGE_EVENT_KPROBE } },
	{ "kprobe.multi", { BPF_IMAGE_EVENT_KPROBE } },
	{ "kprobe.session", { BPF_IMAGE_EVENT_KPROBE, BPF_IMAGE_EVENT_KRETPROBE } },
	{ "kretprobe", { BPF_IMAGE_EVENT_KRETPROBE } },
	{ "kretprobe.multi", { BPF_IMAGE_EVENT_KRETPROBE } },
	{ "ksyscall", { BPF_IMAGE_EVENT_KPROBE }, true },
	{ "kretsyscall", { BPF_IMAGE_EVENT_KRETPROBE }, true },
	{ "uprobe", { BPF_IMAGE_EVENT_UPROBE } },
	{ "uprobe.s", { BPF_IMAGE_EVENT_UPROBE } },
	{ "uprobe.multi", { BPF_IMAGE_EVENT_UPROBE } },
	{ "uprobe.multi.s", { BPF_IMAGE_EVENT_UPROBE } },
	{ "uprobe.session", { BPF_IMAGE_EVENT_UPROBE, BPF_IMAGE_EVENT_URETPROBE } },
	{ "uprobe.session.s", { BPF_IMAGE_EVENT_UPROBE, BPF_IMAGE_EVENT_URETPROBE } },
	{ "uretprobe", { BPF_IMAGE_EVENT_URETPROBE } },
	{ "uretprobe.s", { BPF_IMAGE_EVENT_URETPROBE } },
	{ "uretprobe.multi", { BPF_IMAGE_EVENT_URETPROBE } },
	{ "uretprobe.multi.s", { BPF_IMAGE_EVENT_URETPROBE } },
	{ "usdt", { BPF_IMAGE_EVENT_USDT } },
	{ "usdt.s", { BPF_IMAGE_EVENT_USDT } },
	{ "tracepoint", { BPF_IMAGE_EVENT_TRACEPOINT } },
	{ "tracepoint.s", { BPF_IMAGE_EVENT_TRACEPOINT } },
	{ "tp", { BPF_IMAGE_EVENT_TRACEPOINT } },
	{ "tp.s", { BPF_IMAGE_EVENT_TRACEPOINT } },
	{ "raw_tracepoint", { BPF_IMAGE_EVENT_RAW_TP } },
	{ "raw_tracepoint.s", { BPF_IMAGE_EVENT_RAW_TP } },
	{ "raw_tracepoint.w", { BPF_IMAGE_EVENT_RAW_TP } },
	{ "raw_tp", { BPF_IMAGE_EVENT_RAW_TP } },
	{ "raw_tp.s", { BPF_IMAGE_EVENT_RAW_TP } },
	{ "raw_tp.w", { BPF_IMAGE_EVENT_RAW_TP } },
	{ "perf_event", { BPF_IMAGE_EVENT_PERF } },
};

static void add_any_event(struct gen_images *g, __u32 first, __u32 last)
{
	const char *any;
	__u32 kind;

	for (kind = first; kind <= last; kind++) {
		/* a kprobe at any offset, too */
		any = kind == BPF_IMAGE_EVENT_KPROBE ? "*+*" : "*";
		if (kind != BPF_IMAGE_EVENT_USDT)
			add_event(g, kind, any, strlen(any), NULL);
	}
}

/*
 * An event as SEC() has it. Returns -ENOENT where *text* names no event, and
 * -EINVAL where it is one that a program of this type doesn't meet.
 */
static int parse_event(struct gen_images *g, enum bpf_prog_type type, const char *text)
{
	const char *slash = strchr(text, '/'), *name, *symbol = NULL;
	const struct event_word *word = NULL;
	__u32 first, last;
	size_t i, len;
	char buf[IMAGE_NAME_LEN];

	if (!image_event_kinds(type, &first, &last))
		return -EINVAL;
	for (i = 0; slash && i < ARRAY_SIZE(event_words); i++)
		if (strlen(event_words[i].word) == (size_t)(slash - text) &&
		    !strncmp(text, event_words[i].word, slash - text))
			word = &event_words[i];
	if (!word || !slash[1])
		return -ENOENT;
	if (word->kind[0] < first || word->kind[0] > last)
		return -EINVAL;

	name = slash + 1;
	/* relative to where a tool is run, of which the kernel sees the end */
	while (strncmp(name, "./", 2) == 0)
		name += 2;
	len = strlen(name);
	if (image_event_in_file(word->kind[0])) {
		symbol = strchr(name, ':');
		if (symbol) {
			len = symbol++ - name;
			if (!len || !*symbol)
				return -ENOENT;
		}
	}
	for (i = 0; i < ARRAY_SIZE(word->kind) && word->kind[i]; i++) {
		if (!word->syscall) {
			add_event(g, word->kind[i], name, len, symbol);
			continue;
		}
		/* with the wrapper of the architecture, or without one */
		if (snprintf(buf, sizeof(buf), "__*_sys_%s", name) >= (int)sizeof(buf))
			return -ENOENT;
		add_event(g, word->kind[i], buf, strlen(buf), NULL);
		add_event(g, word->kind[i], buf + 4, strlen(buf + 4), NULL);
	}
	return g->gen.error;
}

/* What the section's name says, before the signer has a say */
static int add_section_events(struct gen_images *g, enum bpf_prog_type type,
			      const char *prog_name)
{
	const struct bpf_program *prog;
	__u32 first, last;
	int err;

	if (!image_event_kinds(type, &first, &last))
		return 0;
	prog = bpf_object__find_program_by_name(g->obj, prog_name);
	if (!prog)
		return -ENOENT;
	err = parse_event(g, type, bpf_program__section_name(prog));
	if (err != -ENOENT && err != -EINVAL)
		return err;
	/* for these a section can't name any, and tools choose one when they run */
	if (type == BPF_PROG_TYPE_PERF_EVENT)
		add_any_event(g, first, last);
	return g->gen.error;
}

static int add_rule_event(struct gen_images *g, enum bpf_prog_type type, const char *prog_name,
			  const char *target)
{
	__u32 first, last;
	int err = 0;

	if (strcmp(target, "any") == 0 && image_event_kinds(type, &first, &last))
		add_any_event(g, first, last);
	else
		err = parse_event(g, type, target);
	if (err == -ENOENT)
		pr_warn("images: prog '%s': '%s' names no event as SEC() would, like kprobe/FUNCTION; nor is it 'any'\n",
			prog_name, target);
	else if (err == -EINVAL)
		pr_warn("images: prog '%s': '%s' is no event for a program of type %s\n",
			prog_name, target, libbpf_bpf_prog_type_str(type) ?: "unknown");
	return err == -ENOENT ? -EINVAL : err;
}

static bool word_is(const char *s, size_t len, const char *word)
{
	size_t i;

	/* in C there is no '-' in a word */
	for (i = 0; i < len; i++)
		if ((s[i] == '_' ? '-' : s[i]) != word[i])
			return false;
	return !word[len];
}

/* MODE=CLASSES or, from the source, MODE:CLASSES */
static int parse_lockdown(struct gen_images *g, const char *prog_name, const char *text)
{
	static const char * const modes[] = {
		[BPF_LOCKDOWN_INTEGRITY] = "integrity",
		[BPF_LOCKDOWN_CONFIDENTIALITY] = "confidentiality",
	};
	struct bpf_image_lockdown rec = {};
	const char *s = text;
	bool none = false;
	size_t len, i;

	len = strcspn(s, "=:");
	for (i = 1; i < ARRAY_SIZE(modes); i++)
		if (word_is(s, len, modes[i]))
			rec.mode = i;
	if (!rec.mode || !s[len])
		goto bad;
	for (s += len + 1; *s; s += len) {
		s += strspn(s, " \t,|");
		len = strcspn(s, " \t,|");
		if (!len)
			break;
		if (word_is(s, len, "none"))
			none = true;
		else if (word_is(s, len, "forbid"))
			rec.flags |= BPF_IMAGE_LOCKDOWN_FORBID;
		else if (word_is(s, len, "all"))
			rec.classes |= BPF_LOCKDOWN_CLASSES;
		else if (word_is(s, len, "user-read"))
			rec.classes |= BPF_LOCKDOWN_USER_READ;
		else if (word_is(s, len, "user-write"))
			rec.classes |= BPF_LOCKDOWN_USER_WRITE;
		else if (word_is(s, len, "control"))
			rec.classes |= BPF_LOCKDOWN_CONTROL;
		else if (word_is(s, len, "kernel-read"))
			rec.classes |= BPF_LOCKDOWN_KERNEL_READ;
		else if (word_is(s, len, "kernel-address"))
			rec.classes |= BPF_LOCKDOWN_KERNEL_ADDRESS;
		else if (word_is(s, len, "fields"))
			rec.classes |= BPF_LOCKDOWN_FIELDS;
		else if (word_is(s, len, "loader"))
			rec.classes |= BPF_LOCKDOWN_LOADER;
		else
			goto bad;
	}
	/* exactly one of: nothing, not at all, these */
	if (none + !!rec.flags + !!rec.classes != 1)
		goto bad;
	g->lockdown[rec.mode] = rec;
	return 0;
bad:
	pr_warn("images: prog '%s': '%s' is no annotation for lockdown; it is integrity or confidentiality, '=', and 'none', 'forbid', 'all' or some of user-read, user-write, control, kernel-read, kernel-address, fields, loader\n",
		prog_name, text);
	return -EINVAL;
}

/* What __bpf_lockdown() has said in the source; the signer's word is the last */
static int add_lockdown(struct gen_images *g, const char *prog_name)
{
	static const char prefix[] = "bpf_lockdown:";
	const struct btf *btf = bpf_object__btf(g->obj);
	const struct bpf_image_rule *rule;
	const struct btf_type *t;
	const char *text;
	__u32 id, cnt;
	int err = 0;
	size_t i;

	cnt = btf ? btf__type_cnt(btf) : 0;
	for (id = 1; id < cnt && !err; id++) {
		t = btf__type_by_id(btf, id);
		if (!btf_is_decl_tag(t) || btf_decl_tag(t)->component_idx != -1)
			continue;
		text = btf__name_by_offset(btf, t->name_off);
		t = btf__type_by_id(btf, t->type);
		if (strncmp(text, prefix, sizeof(prefix) - 1) || !btf_is_func(t) ||
		    strcmp(btf__name_by_offset(btf, t->name_off), prog_name))
			continue;
		err = parse_lockdown(g, prog_name, text + sizeof(prefix) - 1);
	}
	for (i = 0; i < rule_cnt(g) && !err; i++) {
		rule = rule_at(g, i);
		if (rule->kind != BPF_IMAGE_RULE_LOCKDOWN || !glob_match(prog_name, rule->name))
			continue;
		g->rule_used[i] = true;
		err = parse_lockdown(g, prog_name, rule->target ?: "");
	}
	return err;
}

/* Is there something that programs of this type are signed to be attached to? */
static bool has_targets(enum bpf_prog_type type)
{
	__u32 first, last;

	return type == BPF_PROG_TYPE_TRACING || type == BPF_PROG_TYPE_LSM ||
	       type == BPF_PROG_TYPE_EXT || type == BPF_PROG_TYPE_STRUCT_OPS ||
	       image_event_kinds(type, &first, &last);
}

/* The targets that the signer allows beside what the object names itself */
static int add_rule_targets(struct gen_images *g, enum bpf_prog_type type, const char *prog_name)
{
	const struct bpf_image_rule *rule;
	const char *target, *slash;
	__u32 flags, first, last;
	size_t i;
	char *st_ops;
	int err;

	for (i = 0; i < rule_cnt(g); i++) {
		rule = rule_at(g, i);
		if ((rule->kind != BPF_IMAGE_RULE_ATTACH &&
		     rule->kind != BPF_IMAGE_RULE_ATTACH_PROG) ||
		    !glob_match(prog_name, rule->name))
			continue;
		target = rule->target;
		if (!target || !target[0]) {
			pr_warn("images: prog '%s': attach target without a name\n", prog_name);
			return -EINVAL;
		}
		if (!has_targets(type)) {
			/* a pattern may fit others as well */
			if (strchr(rule->name, '*'))
				continue;
			pr_warn("images: prog '%s': programs of type %s have no attach target\n",
				prog_name, libbpf_bpf_prog_type_str(type) ?: "unknown");
			return -EINVAL;
		}
		g->rule_used[i] = true;
		if (rule->kind == BPF_IMAGE_RULE_ATTACH && image_event_kinds(type, &first, &last)) {
			err = add_rule_event(g, type, prog_name, target);
			if (err)
				return err;
			continue;
		}
		flags = rule->kind == BPF_IMAGE_RULE_ATTACH_PROG ? BPF_IMAGE_ATTACH_PROG : 0;
		if (type == BPF_PROG_TYPE_STRUCT_OPS) {
			slash = strchr(target, '/');
			if (!slash || slash == target || !slash[1] || flags) {
				pr_warn("images: prog '%s': '%s' is not TYPE/MEMBER\n",
					prog_name, target);
				return -EINVAL;
			}
			st_ops = strndup(target, slash - target);
			if (!st_ops)
				return -ENOMEM;
			add_target(g, st_ops, slash + 1, 0);
			free(st_ops);
			continue;
		}
		if (strpbrk(target, "*?"))
			flags |= BPF_IMAGE_ATTACH_GLOB;
		add_target(g, target, NULL, flags);
	}
	if (g->target_cnt > BPF_IMAGE_MAX_ATTACH) {
		pr_warn("images: prog '%s': more than %d attach targets\n",
			prog_name, BPF_IMAGE_MAX_ATTACH);
		return -E2BIG;
	}
	if (g->event_cnt > BPF_IMAGE_MAX_EVENTS) {
		pr_warn("images: prog '%s': more than %d events\n",
			prog_name, BPF_IMAGE_MAX_EVENTS);
		return -E2BIG;
	}
	return g->gen.error;
}

static bool is_map_ref(const struct bpf_insn *insn)
{
	return is_ldimm64_insn((struct bpf_insn *)insn) &&
	       (insn->src_reg == BPF_PSEUDO_MAP_IDX || insn->src_reg == BPF_PSEUDO_MAP_IDX_VALUE);
}

/*
 * Only maps that the program refers to get a slot, in the order in which the
 * object has them. Rewrites the references from map to slot.
 */
static int assign_slots(struct gen_images *g, const char *prog_name,
			struct bpf_insn *insns, size_t insn_cnt, int *slots)
{
	int slot_cnt = 0;
	size_t i;

	for (i = 0; i < g->map_cnt; i++)
		slots[i] = -1;
	for (i = 0; i < insn_cnt; i++) {
		if (is_map_ref(&insns[i])) {
			if ((size_t)insns[i].imm >= g->map_cnt)
				return -EINVAL;
			slots[insns[i].imm] = 0;
		}
		if (is_ldimm64_insn(&insns[i]))
			i++;
	}
	for (i = 0; i < g->map_cnt; i++)
		if (slots[i] == 0)
			slots[i] = slot_cnt++;
	for (i = 0; i < insn_cnt; i++) {
		if (is_map_ref(&insns[i]))
			insns[i].imm = slots[insns[i].imm];
		if (is_ldimm64_insn(&insns[i]))
			i++;
	}
	if (slot_cnt > BPF_IMAGE_MAX_MAPS) {
		pr_warn("images: prog '%s': uses more than %d maps\n",
			prog_name, BPF_IMAGE_MAX_MAPS);
		return -E2BIG;
	}
	return slot_cnt;
}

/* Records of .BTF.ext may be longer or shorter than those of the UAPI */
static void *fit_records(const void *recs, __u32 cnt, __u32 have, __u32 want)
{
	void *out;
	__u32 i;

	out = calloc(cnt ?: 1, want);
	if (!out)
		return NULL;
	for (i = 0; i < cnt; i++)
		memcpy(out + i * want, recs + i * have, min(have, want));
	return out;
}

static __u32 add_str(struct gen_images *g, struct strset *strs, const char *s)
{
	int off = -E2BIG;

	if (strlen(s) < BPF_IMAGE_MAX_NAME)
		off = strset__add_str(strs, s);
	else
		pr_warn("images: name '%.40s...' is longer than %d bytes\n", s,
			BPF_IMAGE_MAX_NAME - 1);
	if (off < 0) {
		fail(g, off);
		return 0;
	}
	return off;
}

static int write_image(struct gen_images *g, const char *prog_name, struct bpf_image_hdr *hdr,
		       const struct gen_section *secs)
{
	struct bpf_image_section *table;
	struct bpf_prog_image *image;
	__u64 size, len;
	char *out;
	int i;

	for (i = 1; i <= BPF_IMAGE_SECTION_MAX; i++)
		hdr->section_cnt += !!secs[i].cnt;
	size = sizeof(*hdr) + hdr->section_cnt * sizeof(*table);
	for (i = 1; i <= BPF_IMAGE_SECTION_MAX; i++)
		if (secs[i].cnt)
			size = roundup(size, 8) + (__u64)secs[i].cnt * secs[i].rec_size;
	if (size > BPF_IMAGE_MAX_SIZE) {
		pr_warn("images: prog '%s': image would be larger than %u bytes\n",
			prog_name, BPF_IMAGE_MAX_SIZE);
		return -E2BIG;
	}
	hdr->size = size;

	out = calloc(1, size);
	if (!out)
		return -ENOMEM;
	memcpy(out, hdr, sizeof(*hdr));
	table = (void *)(out + sizeof(*hdr));
	size = sizeof(*hdr) + hdr->section_cnt * sizeof(*table);
	for (i = 1; i <= BPF_IMAGE_SECTION_MAX; i++) {
		if (!secs[i].cnt)
			continue;
		size = roundup(size, 8);
		len = (__u64)secs[i].cnt * secs[i].rec_size;
		table->type = i;
		table->rec_size = secs[i].rec_size;
		table->off = size;
		table->len = len;
		table++;
		memcpy(out + size, secs[i].data, len);
		size += len;
	}

	image = append(g, (void **)&g->images, &g->image_cnt, sizeof(*image));
	if (!image) {
		free(out);
		return -ENOMEM;
	}
	image->name = prog_name;
	image->data = out;
	image->size = size;
	return 0;
}

#define SECTION(ptr, count) ((struct gen_section){	\
	.data = (ptr),					\
	.rec_size = sizeof((ptr)[0]),			\
	.cnt = (count),					\
})

/* What one image is put together from */
struct image_recs {
	struct strset *strs;
	struct bpf_insn *insns;
	size_t insn_cnt;
	struct bpf_func_info *func_info;
	struct bpf_line_info *line_info;
	/* of each map of the object, -1 if the program doesn't use it */
	int *slots;
	struct bpf_image_map *maps;
	size_t map_cnt;
	struct bpf_image_tunable *tunables;
	size_t tunable_cnt;
	struct bpf_image_ksym *ksyms;
	struct bpf_image_attach *targets;
	struct bpf_image_event *events;
	struct bpf_image_lockdown lockdown[BPF_LOCKDOWN_CONFIDENTIALITY];
	size_t lockdown_cnt;
};

static void free_recs(struct image_recs *r)
{
	strset__free(r->strs);
	free(r->insns);
	free(r->func_info);
	free(r->line_info);
	free(r->slots);
	free(r->maps);
	free(r->tunables);
	free(r->ksyms);
	free(r->targets);
	free(r->events);
}

static int alloc_recs(struct gen_images *g, struct image_recs *r, const struct bpf_insn *insns,
		      size_t insn_cnt, const struct bpf_prog_load_opts *attr)
{
	r->strs = strset__new(INT_MAX, "", 1);
	if (IS_ERR(r->strs)) {
		r->strs = NULL;
		return -ENOMEM;
	}
	r->insns = fit_records(insns, insn_cnt, sizeof(*insns), sizeof(*insns));
	r->insn_cnt = insn_cnt;
	r->func_info = fit_records(attr->func_info, attr->func_info_cnt,
				   attr->func_info_rec_size, sizeof(*r->func_info));
	r->line_info = fit_records(attr->line_info, attr->line_info_cnt,
				   attr->line_info_rec_size, sizeof(*r->line_info));
	r->slots = calloc(g->map_cnt ?: 1, sizeof(*r->slots));
	r->maps = calloc(g->map_cnt ?: 1, sizeof(*r->maps));
	r->ksyms = calloc(g->ksym_cnt ?: 1, sizeof(*r->ksyms));
	r->targets = calloc(g->target_cnt ?: 1, sizeof(*r->targets));
	r->events = calloc(g->event_cnt ?: 1, sizeof(*r->events));
	return r->insns && r->func_info && r->line_info && r->slots && r->maps && r->ksyms &&
	       r->targets && r->events ? 0 : -ENOMEM;
}

static int fill_maps(struct gen_images *g, struct image_recs *r)
{
	struct bpf_image_tunable *t;
	size_t i, j;

	for (i = 0; i < g->map_cnt; i++) {
		const struct gen_map *map = &g->maps[i];
		int slot = r->slots[i];

		if (slot < 0)
			continue;
		r->maps[slot] = map->rec;
		r->maps[slot].name = add_str(g, r->strs, map->name);
		for (j = 0; j < map->var_cnt; j++) {
			t = append(g, (void **)&r->tunables, &r->tunable_cnt, sizeof(*t));
			if (!t)
				return -ENOMEM;
			t->map = slot;
			t->off = map->vars[j].off;
			t->len = map->vars[j].len;
			t->name = add_str(g, r->strs, map->vars[j].name);
		}
	}
	return 0;
}

static void fill_names(struct gen_images *g, struct image_recs *r)
{
	size_t i;

	for (i = 0; i < g->ksym_cnt; i++) {
		r->ksyms[i] = g->ksyms[i].rec;
		r->ksyms[i].name = add_str(g, r->strs, g->ksyms[i].name);
	}
	for (i = 0; i < g->target_cnt; i++) {
		r->targets[i].name = add_str(g, r->strs, g->targets[i].name);
		if (g->targets[i].member)
			r->targets[i].member = add_str(g, r->strs, g->targets[i].member);
		r->targets[i].flags = g->targets[i].flags;
	}
	for (i = 0; i < g->event_cnt; i++) {
		r->events[i].kind = g->events[i].kind;
		r->events[i].name = add_str(g, r->strs, g->events[i].name);
		if (g->events[i].symbol)
			r->events[i].symbol = add_str(g, r->strs, g->events[i].symbol);
		r->events[i].flags = g->events[i].flags;
	}
	for (i = 0; i < ARRAY_SIZE(g->lockdown); i++)
		if (g->lockdown[i].mode)
			r->lockdown[r->lockdown_cnt++] = g->lockdown[i];
}

static int write_recs(struct gen_images *g, const struct image_recs *r, const char *prog_name,
		      struct bpf_image_hdr *hdr, const struct bpf_prog_load_opts *attr)
{
	struct gen_section secs[BPF_IMAGE_SECTION_MAX + 1] = {};

	if (r->tunable_cnt > BPF_IMAGE_MAX_TUNABLES || g->ksym_cnt > BPF_IMAGE_MAX_KSYMS ||
	    g->core_relo_cnt > BPF_IMAGE_MAX_CORE_RELOS) {
		pr_warn("images: prog '%s': too many tunable variables, kernel symbols or CO-RE relocations\n",
			prog_name);
		return -E2BIG;
	}

	secs[BPF_IMAGE_STRINGS].data = strset__data(r->strs);
	secs[BPF_IMAGE_STRINGS].rec_size = 1;
	secs[BPF_IMAGE_STRINGS].cnt = strset__data_size(r->strs);
	secs[BPF_IMAGE_INSNS] = SECTION(r->insns, r->insn_cnt);
	secs[BPF_IMAGE_BTF] = SECTION(&g->btf_rec, g->btf ? 1 : 0);
	secs[BPF_IMAGE_FUNC_INFO] = SECTION(r->func_info, attr->func_info_cnt);
	secs[BPF_IMAGE_LINE_INFO] = SECTION(r->line_info, attr->line_info_cnt);
	secs[BPF_IMAGE_CORE_RELO] = SECTION(g->core_relos, g->core_relo_cnt);
	secs[BPF_IMAGE_MAPS] = SECTION(r->maps, r->map_cnt);
	secs[BPF_IMAGE_TUNABLES] = SECTION(r->tunables, r->tunable_cnt);
	secs[BPF_IMAGE_KSYMS] = SECTION(r->ksyms, g->ksym_cnt);
	secs[BPF_IMAGE_ATTACH] = SECTION(r->targets, g->target_cnt);
	secs[BPF_IMAGE_LOCKDOWN] = SECTION(r->lockdown, r->lockdown_cnt);
	secs[BPF_IMAGE_EVENTS] = SECTION(r->events, g->event_cnt);
	return write_image(g, prog_name, hdr, secs);
}

static int gen_image(struct gen_images *g, enum bpf_prog_type prog_type, const char *prog_name,
		     const char *license, struct bpf_insn *insns, size_t insn_cnt,
		     struct bpf_prog_load_opts *attr)
{
	struct bpf_image_hdr hdr = {
		.magic = BPF_IMAGE_MAGIC,
		.version = BPF_IMAGE_VERSION,
		.prog_type = prog_type,
		.prog_flags = attr->prog_flags & ~BPF_F_TOKEN_FD,
	};
	struct image_recs r = {};
	int err;

	err = add_section_events(g, prog_type, prog_name);
	err = err ?: add_rule_targets(g, prog_type, prog_name);
	err = err ?: add_lockdown(g, prog_name);
	err = err ?: alloc_recs(g, &r, insns, insn_cnt, attr);
	if (err)
		goto out;

	err = assign_slots(g, prog_name, r.insns, insn_cnt, r.slots);
	if (err < 0)
		goto out;
	r.map_cnt = err;

	if (prog_type != BPF_PROG_TYPE_STRUCT_OPS)
		hdr.expected_attach_type = attr->expected_attach_type;
	libbpf_strlcpy(hdr.name, prog_name, sizeof(hdr.name));
	hdr.license = add_str(g, r.strs, license);
	err = fill_maps(g, &r);
	if (err)
		goto out;
	fill_names(g, &r);
	err = g->gen.error ?: write_recs(g, &r, prog_name, &hdr, attr);
out:
	free_recs(&r);
	return err;
}

static void images__prog_load(struct bpf_gen *gen,
			      enum bpf_prog_type prog_type, const char *prog_name,
			      const char *license, struct bpf_insn *insns, size_t insn_cnt,
			      struct bpf_prog_load_opts *load_attr, int prog_idx)
{
	struct gen_images *g = to_images(gen);
	int err;

	if (!gen->error) {
		err = gen_image(g, prog_type, prog_name, license, insns, insn_cnt, load_attr);
		if (err) {
			pr_warn("images: prog '%s': failed to make an image: %s\n",
				prog_name, errstr(err));
			fail(g, err);
		}
	}
	forget_prog(g);
}

static const struct bpf_gen_ops images_ops = {
	.any_kernel = true,
	.init = images__init,
	.finish = images__finish,
	.free = images__free,
	.load_btf = images__load_btf,
	.map_create = images__map_create,
	.prog_load = images__prog_load,
	.map_update_elem = images__map_update_elem,
	.map_freeze = images__map_freeze,
	.populate_outer_map = images__populate_outer_map,
	.record_attach_target = images__record_attach_target,
	.record_attach_prog = images__record_attach_prog,
	.record_struct_ops = images__record_struct_ops,
	.record_extern = images__record_extern,
	.record_relo_core = images__record_relo_core,
};

struct bpf_gen *bpf_gen__new_images(struct bpf_object *obj, struct bpf_gen_images_opts *opts)
{
	struct gen_images *g;

	g = calloc(1, sizeof(*g));
	if (!g)
		return NULL;
	g->gen.ops = &images_ops;
	g->obj = obj;
	g->opts = opts;
	return &g->gen;
}
