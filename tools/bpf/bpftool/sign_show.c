// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* bpftool sign show: what was signed, and the policy that it follows */

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf_companion.h>
#include <bpf/btf.h>
#include <bpf/image.h>
#include <bpf/libbpf.h>
#include <bpf/libbpf_internal.h>

#include "json_writer.h"
#include "main.h"
#include "sign_file.h"

/* A list of something, on a line of its own if it is not JSON */
static void begin_list(const char *name)
{
	if (json_output) {
		jsonw_name(json_wtr, name);
		jsonw_start_array(json_wtr);
	} else {
		printf("\t%s", name);
	}
}

static void end_list(void)
{
	if (json_output)
		jsonw_end_array(json_wtr);
	else
		printf("\n");
}

static void show_hex(const char *name, const __u8 *data, size_t len)
{
	char buf[2 * SHA256_DIGEST_LENGTH + 1];
	size_t i;

	for (i = 0; i < len && i < SHA256_DIGEST_LENGTH; i++)
		snprintf(buf + 2 * i, 3, "%02x", data[i]);
	if (json_output)
		jsonw_string_field(json_wtr, name, buf);
	else
		printf("%s", buf);
}

static void show_map(const struct image *img, __u32 slot)
{
	const struct bpf_image_tunable *tun;
	const struct bpf_image_map *map;
	const char *type, *name;
	__u32 cnt, i, shown = 0;

	map = image_maps(img, &cnt) + slot;
	name = image_str(img, map->name);
	type = libbpf_bpf_map_type_str(map->type);
	tun = image_tunables(img, &cnt);

	if (json_output) {
		jsonw_start_object(json_wtr);
		jsonw_string_field(json_wtr, "name", name);
		if (type)
			jsonw_string_field(json_wtr, "type", type);
		else
			jsonw_uint_field(json_wtr, "type", map->type);
		jsonw_uint_field(json_wtr, "key_size", map->key_size);
		jsonw_uint_field(json_wtr, "value_size", map->value_size);
		jsonw_bool_field(json_wtr, "value_size_free",
				 map->flags & BPF_IMAGE_MAP_FREE_VALUE_SIZE);
		jsonw_uint_field(json_wtr, "max_entries", map->max_entries);
		jsonw_bool_field(json_wtr, "max_entries_fixed",
				 map->flags & BPF_IMAGE_MAP_FIXED_ENTRIES);
		jsonw_uint_field(json_wtr, "flags", map->map_flags);
		if (map->flags & BPF_IMAGE_MAP_FIXED_CONTENTS) {
			show_hex("contents_sha256", map->digest, sizeof(map->digest));
			jsonw_name(json_wtr, "tunable");
			jsonw_start_array(json_wtr);
			for (i = 0; i < cnt; i++)
				if (tun[i].map == slot)
					jsonw_string(json_wtr, image_str(img, tun[i].name));
			jsonw_end_array(json_wtr);
		}
		jsonw_end_object(json_wtr);
		return;
	}

	printf("\tmap %s: ", name);
	if (type)
		printf("%s", type);
	else
		printf("type %u", map->type);
	printf("  key %uB", map->key_size);
	if (map->flags & BPF_IMAGE_MAP_FREE_VALUE_SIZE)
		printf("  value free");
	else
		printf("  value %uB", map->value_size);
	if (map->flags & BPF_IMAGE_MAP_FIXED_ENTRIES)
		printf("  max_entries %u", map->max_entries);
	printf("  flags 0x%x", map->map_flags);
	if (map->flags & BPF_IMAGE_MAP_FIXED_CONTENTS) {
		printf("\n\t\tcontents sha256 ");
		show_hex(NULL, map->digest, sizeof(map->digest));
		for (i = 0; i < cnt; i++)
			if (tun[i].map == slot)
				printf("%s %s", shown++ ? "" : "\n\t\tbut for",
				       image_str(img, tun[i].name));
	}
	printf("\n");
}

static const char *ksym_kind_str(__u32 kind)
{
	switch (kind) {
	case BPF_IMAGE_KSYM_KFUNC:
		return "kfunc";
	case BPF_IMAGE_KSYM_TYPED:
		return "typed";
	default:
		return "untyped";
	}
}

/* Is an earlier record about the same symbol? */
static bool ksym_seen(const struct image *img, const struct bpf_image_ksym *k, __u32 i)
{
	__u32 j;

	for (j = 0; j < i; j++)
		if (k[j].kind == k[i].kind &&
		    strcmp(image_str(img, k[j].name), image_str(img, k[i].name)) == 0)
			return true;
	return false;
}

static void show_attach(const struct image *img)
{
	const struct bpf_image_attach *att;
	__u32 cnt, i;

	att = image_attachs(img, &cnt);
	if (!cnt)
		return;
	begin_list("attach");
	for (i = 0; i < cnt; i++) {
		if (json_output) {
			jsonw_start_object(json_wtr);
			jsonw_string_field(json_wtr, "name", image_str(img, att[i].name));
			if (att[i].member)
				jsonw_string_field(json_wtr, "member",
						   image_str(img, att[i].member));
			jsonw_bool_field(json_wtr, "pattern",
					 att[i].flags & BPF_IMAGE_ATTACH_GLOB);
			jsonw_bool_field(json_wtr, "prog", att[i].flags & BPF_IMAGE_ATTACH_PROG);
			jsonw_end_object(json_wtr);
			continue;
		}
		printf("%s%s%s%s", att[i].flags & BPF_IMAGE_ATTACH_PROG ? " prog:" : " ",
		       image_str(img, att[i].name),
		       att[i].member ? "/" : "", image_str(img, att[i].member));
	}
	end_list();
}

static void show_events(const struct image *img)
{
	const struct bpf_image_event *ev;
	__u32 cnt, i, first, last;

	if (!image_event_kinds(img->hdr->prog_type, &first, &last))
		return;
	ev = image_events(img, &cnt);
	begin_list("events");
	if (!cnt && !json_output)
		printf(" none");
	for (i = 0; i < cnt; i++) {
		const char *word = image_event_word(ev[i].kind);
		const char *name = image_str(img, ev[i].name);
		const char *symbol = image_str(img, ev[i].symbol);

		if (json_output) {
			jsonw_start_object(json_wtr);
			jsonw_string_field(json_wtr, "kind", word);
			jsonw_string_field(json_wtr, "name", name);
			if (ev[i].symbol)
				jsonw_string_field(json_wtr, "symbol", symbol);
			jsonw_bool_field(json_wtr, "pattern",
					 ev[i].flags & BPF_IMAGE_EVENT_GLOB);
			jsonw_end_object(json_wtr);
		} else {
			printf(" %s/%s%s%s", word, name, ev[i].symbol ? ":" : "", symbol);
		}
	}
	end_list();
}

static const char *lockdown_mode(const struct bpf_image_lockdown *rec)
{
	return rec->mode == BPF_LOCKDOWN_INTEGRITY ? "integrity" : "confidentiality";
}

/* Classes as the option --lockdown takes them */
void lockdown_words(__u32 classes, char *buf, size_t size)
{
	static const char * const words[] = {
		"user-read", "user-write", "control", "kernel-read", "kernel-address",
		"fields", "loader",
	};
	size_t i, len = 0;

	if (!classes)
		snprintf(buf, size, "none");
	else if (classes == (1U << ARRAY_SIZE(words)) - 1)
		snprintf(buf, size, "all");
	else
		for (i = 0; i < ARRAY_SIZE(words) && len < size; i++)
			if (classes & (1U << i))
				len += snprintf(buf + len, size - len, "%s%s",
						len ? "," : "", words[i]);
}

static void lockdown_classes(const struct bpf_image_lockdown *rec, char *buf, size_t size)
{
	if (rec->flags & BPF_IMAGE_LOCKDOWN_FORBID)
		snprintf(buf, size, "forbid");
	else
		lockdown_words(rec->classes, buf, size);
}

static void show_lockdown(const struct image *img)
{
	const struct bpf_image_lockdown *rec;
	char buf[128];
	__u32 cnt, i;

	rec = image_lockdown(img, &cnt);
	if (!cnt)
		return;
	if (json_output) {
		jsonw_name(json_wtr, "lockdown");
		jsonw_start_object(json_wtr);
	} else {
		printf("\tlockdown");
	}
	for (i = 0; i < cnt; i++) {
		lockdown_classes(&rec[i], buf, sizeof(buf));
		if (json_output)
			jsonw_string_field(json_wtr, lockdown_mode(&rec[i]), buf);
		else
			printf(" %s=%s", lockdown_mode(&rec[i]), buf);
	}
	if (json_output)
		jsonw_end_object(json_wtr);
	else
		printf("\n");
}

static void show_ksyms(const struct image *img)
{
	const struct bpf_image_ksym *k;
	__u32 cnt, i;

	k = image_ksyms(img, &cnt);
	if (!cnt)
		return;
	begin_list("ksyms");
	for (i = 0; i < cnt; i++) {
		if (ksym_seen(img, k, i))
			continue;
		if (json_output) {
			jsonw_start_object(json_wtr);
			jsonw_string_field(json_wtr, "name", image_str(img, k[i].name));
			jsonw_string_field(json_wtr, "kind", ksym_kind_str(k[i].kind));
			jsonw_bool_field(json_wtr, "weak", k[i].flags & BPF_IMAGE_KSYM_WEAK);
			jsonw_end_object(json_wtr);
		} else {
			printf(" %s (%s%s)", image_str(img, k[i].name), ksym_kind_str(k[i].kind),
			       k[i].flags & BPF_IMAGE_KSYM_WEAK ? ", weak" : "");
		}
	}
	end_list();
}

/* @why is what is wrong with the program, if anything */
static void show_prog(const struct signed_file *f, __u32 i, const struct image *img,
		      const char *why)
{
	const char *name, *type, *attach_type;
	char signer[128] = "unknown";
	__u32 sig_sz, cnt, j;
	const void *sig;

	name = bpf_companion_name(&f->comp, i);
	sig = bpf_companion_sig(&f->comp, i, &sig_sz);
	bpftool_signer_id(sig, sig_sz, signer, sizeof(signer));
	type = libbpf_bpf_prog_type_str(img->hdr->prog_type);
	attach_type = libbpf_bpf_attach_type_str(img->hdr->expected_attach_type);
	/* zero is also the value where a type knows no attach types */
	if (!img->hdr->expected_attach_type && img->hdr->prog_type != BPF_PROG_TYPE_CGROUP_SKB)
		attach_type = NULL;

	if (json_output) {
		jsonw_start_object(json_wtr);
		jsonw_string_field(json_wtr, "name", name);
		if (why)
			jsonw_string_field(json_wtr, "error", why);
		if (type)
			jsonw_string_field(json_wtr, "type", type);
		else
			jsonw_uint_field(json_wtr, "type", img->hdr->prog_type);
		if (attach_type)
			jsonw_string_field(json_wtr, "attach_type", attach_type);
		jsonw_uint_field(json_wtr, "flags", img->hdr->prog_flags);
		jsonw_string_field(json_wtr, "license", image_str(img, img->hdr->license));
		jsonw_uint_field(json_wtr, "bytes", img->hdr->size);
		jsonw_uint_field(json_wtr, "insns", img->cnt[BPF_IMAGE_INSNS]);
		jsonw_uint_field(json_wtr, "core_relos", img->cnt[BPF_IMAGE_CORE_RELO]);
		jsonw_uint_field(json_wtr, "bytes_signature", sig_sz);
		jsonw_string_field(json_wtr, "signer", signer);
		show_attach(img);
		show_events(img);
		show_lockdown(img);
		show_ksyms(img);
		jsonw_name(json_wtr, "maps");
		jsonw_start_array(json_wtr);
	} else {
		printf("%s: ", name);
		if (type)
			printf("%s", type);
		else
			printf("type %u", img->hdr->prog_type);
		if (attach_type)
			printf("  %s", attach_type);
		if (img->hdr->prog_flags)
			printf("  flags 0x%x", img->hdr->prog_flags);
		printf("  license %s\n", image_str(img, img->hdr->license));
		printf("\timage %uB  insns %u  core_relos %u\n", img->hdr->size,
		       img->cnt[BPF_IMAGE_INSNS], img->cnt[BPF_IMAGE_CORE_RELO]);
		printf("\tsignature %uB  signer %s\n", sig_sz, signer);
		show_attach(img);
		show_events(img);
		show_lockdown(img);
		show_ksyms(img);
	}
	image_maps(img, &cnt);
	for (j = 0; j < cnt; j++)
		show_map(img, j);
	if (json_output) {
		jsonw_end_array(json_wtr);
		jsonw_end_object(json_wtr);
	} else if (why) {
		prog_error(f->path, name, why);
	}
}

/*
 * The policy that the images follow, as a file that gives the same again. It
 * is read back from the images, as nothing else is signed.
 */
struct policy_lines {
	char **lines;
	size_t cnt;
};

static void __printf(2, 3) policy_line(struct policy_lines *pl, const char *fmt, ...)
{
	char *line, **tmp;
	va_list args;
	size_t i;
	int n;

	va_start(args, fmt);
	n = vasprintf(&line, fmt, args);
	va_end(args);
	if (n < 0)
		return;
	for (i = 0; i < pl->cnt; i++)
		if (strcmp(pl->lines[i], line) == 0)
			break;
	tmp = i == pl->cnt ? realloc(pl->lines, (pl->cnt + 1) * sizeof(*tmp)) : NULL;
	if (!tmp) {
		free(line);
		return;
	}
	pl->lines = tmp;
	pl->lines[pl->cnt++] = line;
}

static void policy_of_contents(struct policy_lines *pl, const struct image *img, __u32 slot,
			       const struct btf *btf)
{
	const struct bpf_image_tunable *tun;
	const struct btf_var_secinfo *vsi;
	const struct bpf_image_map *map;
	const struct btf_type *sec, *var;
	__u32 cnt, i, j;
	bool tunable;

	map = image_maps(img, &cnt) + slot;
	tun = image_tunables(img, &cnt);
	sec = map->btf_value_type_id ? btf__type_by_id(btf, map->btf_value_type_id) : NULL;
	if (!sec || !btf_is_datasec(sec))
		return;
	vsi = btf_var_secinfos(sec);
	for (i = 0; i < btf_vlen(sec); i++, vsi++) {
		var = btf__type_by_id(btf, vsi->type);
		if (!var || !btf_is_var(var) || !vsi->size)
			continue;
		tunable = false;
		for (j = 0; j < cnt; j++)
			if (tun[j].map == slot && tun[j].off == vsi->offset)
				tunable = true;
		if (tunable && !image_var_is_tunable(btf, var->type))
			policy_line(pl, "tunable %s", btf__name_by_offset(btf, var->name_off));
		else if (!tunable && image_var_is_tunable(btf, var->type))
			policy_line(pl, "fixed %s", btf__name_by_offset(btf, var->name_off));
	}
}

static void policy_of_prog(struct policy_lines *pl, const struct image *img, const char *name,
			   const struct btf *btf)
{
	const struct bpf_image_lockdown *lock;
	const struct bpf_image_attach *att;
	const struct bpf_image_event *ev;
	const struct bpf_image_map *map;
	char classes[128];
	__u32 cnt, i;

	map = image_maps(img, &cnt);
	for (i = 0; i < cnt; i++) {
		const char *map_name = image_str(img, map[i].name);

		if (map[i].flags & BPF_IMAGE_MAP_FIXED_ENTRIES)
			policy_line(pl, "fixed-entries %s", map_name);
		if (map[i].flags & BPF_IMAGE_MAP_FREE_VALUE_SIZE &&
		    map[i].type != BPF_MAP_TYPE_STACK_TRACE &&
		    map[i].type != BPF_MAP_TYPE_STRUCT_OPS)
			policy_line(pl, "free-value-size %s", map_name);
		if (map[i].flags & BPF_IMAGE_MAP_FIXED_CONTENTS && btf)
			policy_of_contents(pl, img, i, btf);
	}
	att = image_attachs(img, &cnt);
	for (i = 0; i < cnt; i++) {
		bool prog = att[i].flags & BPF_IMAGE_ATTACH_PROG;

		policy_line(pl, "%s %s %s%s%s", prog ? "attach-prog" : "attach", name,
			    image_str(img, att[i].name), att[i].member ? "/" : "",
			    image_str(img, att[i].member));
	}
	ev = image_events(img, &cnt);
	for (i = 0; i < cnt; i++)
		policy_line(pl, "attach %s %s/%s%s%s", name, image_event_word(ev[i].kind),
			    image_str(img, ev[i].name), ev[i].symbol ? ":" : "",
			    image_str(img, ev[i].symbol));
	lock = image_lockdown(img, &cnt);
	for (i = 0; i < cnt; i++) {
		lockdown_classes(&lock[i], classes, sizeof(classes));
		policy_line(pl, "lockdown %s %s=%s", name, lockdown_mode(&lock[i]), classes);
	}
}

static void show_policy(const struct signed_file *f)
{
	struct policy_lines pl = {};
	struct image img;
	struct btf *btf;
	const void *data;
	__u32 size, i;

	data = bpf_companion_btf(&f->comp, &size);
	btf = btf__new(data, size);
	for (i = 0; i < f->comp.hdr->prog_cnt; i++)
		if (!file_image(f, i, &img))
			policy_of_prog(&pl, &img, bpf_companion_name(&f->comp, i),
				       image_has_btf(&img, f->btf_digest) ? btf : NULL);
	btf__free(btf);

	if (json_output) {
		jsonw_name(json_wtr, "policy");
		jsonw_start_array(json_wtr);
	} else if (pl.cnt) {
		printf("policy:\n");
	}
	for (i = 0; i < pl.cnt; i++) {
		if (json_output)
			jsonw_string(json_wtr, pl.lines[i]);
		else
			printf("\t%s\n", pl.lines[i]);
		free(pl.lines[i]);
	}
	free(pl.lines);
	if (json_output)
		jsonw_end_array(json_wtr);
}

static int show_one(const char *path)
{
	struct signed_file f;
	struct image img;
	const char *why;
	int err = 0;
	__u32 i;

	if (read_signed_file(&f, path)) {
		file_error(path, f.why);
		return -1;
	}

	if (json_output) {
		jsonw_start_object(json_wtr);
		jsonw_string_field(json_wtr, "file", path);
		jsonw_uint_field(json_wtr, "bytes_btf", f.comp.hdr->btf_len);
		show_hex("btf_sha256", f.btf_digest, sizeof(f.btf_digest));
		jsonw_name(json_wtr, "programs");
		jsonw_start_array(json_wtr);
	} else {
		printf("%s: %u programs\n\tBTF %uB  sha256 ", path, f.comp.hdr->prog_cnt,
		       f.comp.hdr->btf_len);
		show_hex(NULL, f.btf_digest, sizeof(f.btf_digest));
		printf("\n");
	}
	for (i = 0; i < f.comp.hdr->prog_cnt; i++) {
		why = file_image(&f, i, &img);
		if (why) {
			prog_error(path, bpf_companion_name(&f.comp, i), why);
			err = -1;
			continue;
		}
		if (!image_has_btf(&img, f.btf_digest)) {
			why = "was signed with another BTF";
			err = -1;
		}
		show_prog(&f, i, &img, why);
	}
	if (json_output)
		jsonw_end_array(json_wtr);
	show_policy(&f);
	if (json_output)
		jsonw_end_object(json_wtr);
	free_signed_file(&f);
	return err;
}

int do_sign_show(int argc, char **argv)
{
	int err = 0;

	if (!REQ_ARGS(1))
		return -1;
	if (json_output)
		jsonw_start_array(json_wtr);
	for (; argc; argc--, argv++)
		if (show_one(*argv))
			err = -1;
	if (json_output)
		jsonw_end_array(json_wtr);
	return err;
}
