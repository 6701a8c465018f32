// SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause)
/*
 * Loads programs by their signed images. Image, signature and BTF go to the
 * kernel as the object's companion section has them; what remains to be done
 * here is to bring the maps, and to tell early and in words what a signature
 * doesn't allow.
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <linux/kernel.h>
#include <sys/stat.h>
#include "bpf.h"
#include "bpf_companion.h"
#include "image.h"
#include "image_load.h"
#include "libbpf.h"
#include "libbpf_internal.h"

struct bpf_images {
	struct bpf_object *obj;
	struct bpf_companion comp;
	/* by program, in the order of the directory */
	struct image *imgs;
	int *fd_array;
	int keyring_id;
};

/*
 * Refers to *data*, which has to stay. Returns NULL and sets errno where the
 * section is malformed.
 */
struct bpf_images *bpf_images__new(struct bpf_object *obj, const void *data, size_t size,
				   int keyring_id)
{
	struct bpf_images *images;
	const void *image;
	__u32 i, cnt, len;
	const char *why;
	int err = ENOMEM;

	images = calloc(1, sizeof(*images));
	if (!images)
		return errno = ENOMEM, NULL;
	images->obj = obj;
	images->keyring_id = keyring_id;
	if (bpf_companion_parse(&images->comp, data, size)) {
		pr_warn("object '%s': malformed section %s; sign the object again\n",
			bpf_object__name(obj), BPF_COMPANION_SEC);
		err = EINVAL;
		goto err_out;
	}

	cnt = images->comp.hdr->prog_cnt;
	images->imgs = calloc(cnt, sizeof(*images->imgs));
	images->fd_array = calloc(BPF_IMAGE_MAX_MAPS, sizeof(*images->fd_array));
	if (!images->imgs || !images->fd_array)
		goto err_out;

	for (i = 0; i < cnt; i++) {
		image = bpf_companion_image(&images->comp, i, &len);
		why = image_parse(&images->imgs[i], image, len);
		if (why) {
			/*
			 * Altered, most likely. That is for the kernel to say,
			 * and no reason to refuse the other programs.
			 */
			pr_warn("prog '%s': malformed image: %s\n",
				bpf_companion_name(&images->comp, i), why);
			memset(&images->imgs[i], 0, sizeof(images->imgs[i]));
		}
	}
	return images;

err_out:
	bpf_images__free(images);
	errno = err;
	return NULL;
}

void bpf_images__free(struct bpf_images *images)
{
	if (!images)
		return;
	free(images->imgs);
	free(images->fd_array);
	free(images);
}

const void *bpf_images__btf(const struct bpf_images *images, __u32 *size)
{
	return bpf_companion_btf(&images->comp, size);
}

/* Index of a program in the directory, or -1 */
static int find_prog(const struct bpf_images *images, const struct bpf_program *prog)
{
	const char *name = bpf_program__name(prog);
	__u32 i;

	for (i = 0; i < images->comp.hdr->prog_cnt; i++)
		if (strcmp(bpf_companion_name(&images->comp, i), name) == 0)
			return i;
	return -1;
}

/* The image of a program, or NULL where there is none or it is malformed */
static const struct image *find_image(const struct bpf_images *images,
				      const struct bpf_program *prog)
{
	int i = find_prog(images, prog);

	return i < 0 || !images->imgs[i].hdr ? NULL : &images->imgs[i];
}

static struct bpf_map *find_map(const struct bpf_object *obj, const char *name)
{
	struct bpf_map *map;

	bpf_object__for_each_map(map, obj)
		if (strcmp(bpf_map_elf_name(map), name) == 0)
			return map;
	return NULL;
}

#define refuse(prog, fmt, ...)							\
	pr_warn("prog '%s': not as it was signed: " fmt "\n",			\
		bpf_program__name(prog), ##__VA_ARGS__)

static int check_contents(const struct bpf_program *prog, const struct image *img, __u32 slot,
			  const struct bpf_map *map)
{
	const struct bpf_image_tunable *tun;
	const struct bpf_image_map *rec;
	__u8 digest[SHA256_DIGEST_LENGTH];
	const void *value;
	__u32 i, cnt;
	size_t size;
	char *copy;

	rec = image_maps(img, &cnt) + slot;
	value = bpf_map__initial_value(map, &size);
	if (!value || size != rec->value_size)
		return 0;

	copy = malloc(size);
	if (!copy)
		return -ENOMEM;
	memcpy(copy, value, size);
	tun = image_tunables(img, &cnt);
	for (i = 0; i < cnt; i++)
		if (tun[i].map == slot)
			memset(copy + tun[i].off, 0, tun[i].len);
	libbpf_sha256(copy, size, digest);
	free(copy);
	if (memcmp(digest, rec->digest, sizeof(digest)) == 0)
		return 0;
	refuse(prog,
	       "a variable in map '%s' was changed that isn't tunable; 'bpftool sign show' tells which are",
	       bpf_map_elf_name(map));
	return -EINVAL;
}

static int check_map(const struct bpf_program *prog, const struct image *img, __u32 slot,
		     const struct bpf_map *map)
{
	const char *name = bpf_map_elf_name(map);
	const struct bpf_image_map *rec;
	const struct bpf_map *inner;
	__u32 cnt, flags;

	rec = image_maps(img, &cnt) + slot;
	flags = bpf_map__map_flags(map) & ~IMAGE_HOST_MAP_FLAGS;
	if (bpf_map__type(map) != rec->type) {
		refuse(prog, "map '%s' has type %s, signed is %s", name,
		       libbpf_bpf_map_type_str(bpf_map__type(map)) ?: "unknown",
		       libbpf_bpf_map_type_str(rec->type) ?: "unknown");
		return -EINVAL;
	}
	if (bpf_map__key_size(map) != rec->key_size) {
		refuse(prog, "map '%s' has key_size %u, signed is %u", name,
		       bpf_map__key_size(map), rec->key_size);
		return -EINVAL;
	}
	if (!(rec->flags & BPF_IMAGE_MAP_FREE_VALUE_SIZE) &&
	    bpf_map__value_size(map) != rec->value_size) {
		refuse(prog,
		       "map '%s' has value_size %u, signed is %u; its signer can allow that by 'free-value-size %s'",
		       name, bpf_map__value_size(map), rec->value_size, name);
		return -EINVAL;
	}
	if (rec->flags & BPF_IMAGE_MAP_FIXED_ENTRIES &&
	    bpf_map__max_entries(map) != rec->max_entries) {
		refuse(prog, "map '%s' has max_entries %u, signed is %u", name,
		       bpf_map__max_entries(map), rec->max_entries);
		return -EINVAL;
	}
	/* a map from elsewhere may have flags that the kernel has set */
	if (flags != rec->map_flags && !bpf_map_is_reused(map)) {
		refuse(prog, "map '%s' has flags 0x%x, signed is 0x%x", name, flags,
		       rec->map_flags);
		return -EINVAL;
	}
	if (rec->type != BPF_MAP_TYPE_ARENA && bpf_map__map_extra(map) != rec->map_extra) {
		refuse(prog, "map '%s' has map_extra %llu, signed is %llu", name,
		       (unsigned long long)bpf_map__map_extra(map),
		       (unsigned long long)rec->map_extra);
		return -EINVAL;
	}
	inner = rec->inner_type ? bpf_map__inner_map((struct bpf_map *)map) : NULL;
	if (inner && (bpf_map__type(inner) != rec->inner_type ||
		      bpf_map__key_size(inner) != rec->inner_key_size ||
		      bpf_map__value_size(inner) != rec->inner_value_size)) {
		refuse(prog, "map '%s' has inner maps of another type or size", name);
		return -EINVAL;
	}
	if (rec->flags & BPF_IMAGE_MAP_FIXED_CONTENTS && !bpf_map_is_reused(map))
		return check_contents(prog, img, slot, map);
	return 0;
}

/* Does what the tool has made of the program and its maps fit the signed image? */
int bpf_images__check_maps(struct bpf_images *images, const struct bpf_program *prog)
{
	const struct bpf_image_map *recs;
	const struct image *img;
	struct bpf_map *map;
	int err, idx;
	__u32 i, cnt;

	idx = find_prog(images, prog);
	if (idx < 0) {
		pr_warn("prog '%s': the object is signed, but this program is not; sign the object again or don't load it\n",
			bpf_program__name(prog));
		return -ENOENT;
	}
	img = &images->imgs[idx];
	if (!img->hdr)
		return 0;
	if (!image_is_of(img, bpf_program__name(prog))) {
		refuse(prog, "the image that goes by its name is of '%.*s'",
		       (int)sizeof(img->hdr->name), img->hdr->name);
		return -EINVAL;
	}
	if (bpf_program__type(prog) != img->hdr->prog_type) {
		refuse(prog, "program type is %s, signed is %s",
		       libbpf_bpf_prog_type_str(bpf_program__type(prog)) ?: "unknown",
		       libbpf_bpf_prog_type_str(img->hdr->prog_type) ?: "unknown");
		return -EINVAL;
	}

	recs = image_maps(img, &cnt);
	for (i = 0; i < cnt; i++) {
		map = find_map(images->obj, image_str(img, recs[i].name));
		if (!map)
			/* the kernel will tell whether the image was altered */
			pr_warn("prog '%s': image refers to map '%s', which the object doesn't have\n",
				bpf_program__name(prog), image_str(img, recs[i].name));
		/* without a map, instructions that use it must not be reachable */
		if (!map || !bpf_map__autocreate(map))
			continue;
		err = check_map(prog, img, i, map);
		if (err)
			return err;
	}
	return 0;
}

/* As the kernel does: a pattern without a module is for names without one */
static bool glob_match_target(const char *want, const char *pattern)
{
	const char *want_name = strchr(want, ':'), *pattern_name = strchr(pattern, ':');
	char want_mod[IMAGE_NAME_LEN], pattern_mod[IMAGE_NAME_LEN];

	if (!want_name && !pattern_name)
		return glob_match(want, pattern);
	if (!want_name || !pattern_name || want_name - want >= IMAGE_NAME_LEN ||
	    pattern_name - pattern >= IMAGE_NAME_LEN)
		return false;
	libbpf_strlcpy(want_mod, want, want_name - want + 1);
	libbpf_strlcpy(pattern_mod, pattern, pattern_name - pattern + 1);
	return glob_match(want_mod, pattern_mod) && glob_match(want_name + 1, pattern_name + 1);
}

static bool target_allowed(const struct image *img, const struct bpf_image_attach *att,
			   const char *want)
{
	const char *name = image_str(img, att->name), *slash;

	if (att->member) {
		slash = strchr(want, '/');
		return slash && strlen(name) == (size_t)(slash - want) &&
		       !strncmp(want, name, slash - want) &&
		       !strcmp(slash + 1, image_str(img, att->member));
	}
	if (att->flags & BPF_IMAGE_ATTACH_GLOB)
		return glob_match_target(want, name);
	return strcmp(want, name) == 0;
}

/* Sets *is_default where the target needs not be named to the kernel */
static int find_target(const struct bpf_program *prog, const struct image *img,
		       const struct image_target *target, bool *is_default)
{
	const struct bpf_image_attach *att;
	bool to_prog = target->prog_fd > 0, has_prog = false;
	__u32 i, cnt;

	*is_default = true;
	att = image_attachs(img, &cnt);
	for (i = 0; i < cnt; i++)
		has_prog |= !!(att[i].flags & BPF_IMAGE_ATTACH_PROG);
	if (cnt && has_prog && !to_prog && img->hdr->prog_type == BPF_PROG_TYPE_EXT) {
		pr_warn("prog '%s': attach program FD is not set\n", bpf_program__name(prog));
		return -EINVAL;
	}

	if (!target->name) {
		if (!cnt) {
			if (!target->required && !to_prog)
				return 0;
			refuse(prog,
			       "its signer has named no attach target, by 'attach %s TARGET' for example",
			       bpf_program__name(prog));
			return -EINVAL;
		}
		if (att[0].flags & BPF_IMAGE_ATTACH_GLOB) {
			pr_warn("prog '%s': no BTF-based attach target is specified, use bpf_program__set_attach_target() with one that matches '%s'\n",
				bpf_program__name(prog), image_str(img, att[0].name));
			return -EINVAL;
		}
		if (to_prog != !!(att[0].flags & BPF_IMAGE_ATTACH_PROG)) {
			refuse(prog, "target is %s, signed is function '%s' of %s",
			       to_prog ? "a BPF program" : "the kernel",
			       image_str(img, att[0].name),
			       to_prog ? "the kernel" : "a BPF program");
			return -EINVAL;
		}
		return 0;
	}

	for (i = 0; i < cnt; i++) {
		if (to_prog != !!(att[i].flags & BPF_IMAGE_ATTACH_PROG) ||
		    !target_allowed(img, &att[i], target->name))
			continue;
		*is_default = i == 0 && !(att[0].flags & BPF_IMAGE_ATTACH_GLOB);
		return 0;
	}
	refuse(prog, "may not be attached to '%s'%s; its signer can allow that by '%s %s %s'",
	       target->name, to_prog ? " of a BPF program" : "",
	       to_prog ? "attach-prog" : "attach", bpf_program__name(prog), target->name);
	return -EINVAL;
}

/* [MODULE:]FUNCTION[+OFFSET], as a record has it */
static bool function_allowed(const char *rec, bool glob, const char *name, size_t offset)
{
	const char *colon = strchr(rec, ':'), *plus;
	const char *mod = strchr(name, ':');
	char buf[IMAGE_NAME_LEN];

	/* which module a function is in, is for the kernel to say */
	rec = colon ? colon + 1 : rec;
	name = mod ? mod + 1 : name;
	plus = strchr(rec, '+');
	if (plus) {
		if (!(glob && strcmp(plus + 1, "*") == 0) && strtoull(plus + 1, NULL, 0) != offset)
			return false;
	} else if (offset) {
		return false;
	}
	if (snprintf(buf, sizeof(buf), "%.*s", (int)(plus ? plus - rec : strlen(rec)), rec) >=
	    (int)sizeof(buf))
		return false;
	return glob ? glob_match(name, buf) : !strcmp(name, buf);
}

static bool file_allowed(const char *rec, bool glob, const char *path)
{
	size_t rec_len = strlen(rec), len;
	char full[PATH_MAX];
	struct stat a, b;

	if (!glob && rec[0] == '/')
		return !stat(rec, &a) && !stat(path, &b) &&
		       a.st_dev == b.st_dev && a.st_ino == b.st_ino;
	if (!realpath(path, full))
		return true;
	if (glob)
		return glob_match(full, rec);
	len = strlen(full);
	return len > rec_len && full[len - rec_len - 1] == '/' &&
	       strcmp(full + len - rec_len, rec) == 0;
}

/*
 * May a program be attached to function, file, tracepoint or event *name*? The
 * kernel will look closer; this is to tell early and in words.
 */
int bpf_images__check_event(struct bpf_images *images, const struct bpf_program *prog,
			    __u32 kind, const char *name, size_t offset)
{
	const struct bpf_image_event *ev;
	const struct image *img;
	const char *rec;
	bool glob, ok;
	__u32 i, cnt;

	img = images ? find_image(images, prog) : NULL;
	/* without a name it is an address, which is for the kernel to name */
	if (!img || !name)
		return 0;
	ev = image_events(img, &cnt);
	for (i = 0; i < cnt; i++) {
		if (ev[i].kind != kind &&
		    !(ev[i].kind == BPF_IMAGE_EVENT_USDT && kind == BPF_IMAGE_EVENT_UPROBE))
			continue;
		rec = image_str(img, ev[i].name);
		glob = ev[i].flags & BPF_IMAGE_EVENT_GLOB;
		if (kind <= BPF_IMAGE_EVENT_KRETPROBE)
			ok = function_allowed(rec, glob, name, offset);
		else if (image_event_in_file(kind))
			ok = file_allowed(rec, glob, name);
		else
			ok = glob ? glob_match(name, rec) : !strcmp(name, rec);
		if (ok)
			return 0;
	}
	refuse(prog,
	       "may not be attached to '%s/%s'; its signer can allow that by 'attach %s %s/%s'",
	       image_event_word(kind), name, bpf_program__name(prog), image_event_word(kind), name);
	return -EPERM;
}

int bpf_images__check_target(struct bpf_images *images, const struct bpf_program *prog,
			     const struct image_target *target)
{
	const struct image *img = find_image(images, prog);
	bool is_default;

	if (!img)
		return 0;
	return find_target(prog, img, target, &is_default);
}

/* Of a signed program nothing can be overridden but how it is loaded, and to what end */
int bpf_images__check_clone(const struct bpf_program *prog,
			    const struct bpf_prog_load_opts *opts)
{
	const char *field = NULL;
	__u32 type;

	type = OPTS_GET(opts, expected_attach_type, 0);
	if (type && type != bpf_program__expected_attach_type(prog))
		field = "expected_attach_type";
	else if (OPTS_GET(opts, attach_btf_id, 0) || OPTS_GET(opts, attach_btf_obj_fd, 0))
		field = "attach_btf_id";
	else if (OPTS_GET(opts, fd_array, NULL))
		field = "fd_array";
	else if (OPTS_GET(opts, prog_btf_fd, 0))
		field = "prog_btf_fd";
	else if (OPTS_GET(opts, func_info, NULL))
		field = "func_info";
	else if (OPTS_GET(opts, line_info, NULL))
		field = "line_info";
	if (!field)
		return 0;
	refuse(prog, "options give it another %s%s", field,
	       strcmp(field, "attach_btf_id") ? "" : "; name the target by attach_name");
	return -EINVAL;
}

/*
 * *opts* come with all that an unsigned program is loaded with, and leave with
 * what an image is loaded with. fd_array is valid until the next call.
 */
int bpf_images__prepare_load(struct bpf_images *images, const struct bpf_program *prog,
			     const struct image_target *target, struct bpf_prog_load_opts *opts)
{
	LIBBPF_OPTS(bpf_prog_load_opts, attr);
	const struct bpf_image_map *recs;
	const struct image *img;
	struct bpf_map *map;
	bool is_default;
	__u32 i, cnt;
	int idx, err;

	idx = find_prog(images, prog);
	if (idx < 0)
		return -ENOENT;
	attr.image = bpf_companion_image(&images->comp, idx, &attr.image_size);
	attr.signature = bpf_companion_sig(&images->comp, idx, &attr.signature_size);
	attr.keyring_id = images->keyring_id;
	attr.attempts = opts->attempts;
	attr.prog_flags = opts->prog_flags & BPF_F_TOKEN_FD;
	attr.token_fd = opts->token_fd;
	attr.prog_ifindex = opts->prog_ifindex;
	attr.log_level = opts->log_level;
	attr.log_buf = opts->log_buf;
	attr.log_size = opts->log_size;
	img = &images->imgs[idx];
	if (!img->hdr) {
		*opts = attr;
		return 0;
	}

	if (bpf_program_insns_replaced(prog)) {
		refuse(prog, "bpf_program__set_insns() has replaced its instructions");
		return -EINVAL;
	}
	/* checked here and not with the maps, for SEC() has its say in them */
	if ((opts->prog_flags & ~BPF_F_TOKEN_FD) != img->hdr->prog_flags) {
		refuse(prog, "program flags are 0x%x, signed is 0x%x",
		       opts->prog_flags & ~BPF_F_TOKEN_FD, img->hdr->prog_flags);
		return -EINVAL;
	}
	/* of struct_ops it is the kernel's index of the member */
	if (img->hdr->prog_type != BPF_PROG_TYPE_STRUCT_OPS &&
	    opts->expected_attach_type != img->hdr->expected_attach_type) {
		refuse(prog, "expected attach type is %s, signed is %s",
		       libbpf_bpf_attach_type_str(opts->expected_attach_type) ?: "unknown",
		       libbpf_bpf_attach_type_str(img->hdr->expected_attach_type) ?: "unknown");
		return -EINVAL;
	}
	err = find_target(prog, img, target, &is_default);
	if (err)
		return err;

	recs = image_maps(img, &cnt);
	for (i = 0; i < cnt; i++) {
		map = find_map(images->obj, image_str(img, recs[i].name));
		images->fd_array[i] = map && bpf_map__autocreate(map) ? bpf_map__fd(map) : -1;
	}

	if (image_btf(img))
		attr.prog_btf_fd = bpf_object__btf_fd(images->obj);
	attr.attach_prog_fd = target->prog_fd;
	if (!is_default)
		attr.attach_name = target->name;
	if (cnt) {
		attr.fd_array = images->fd_array;
		attr.fd_array_cnt = cnt;
	}
	*opts = attr;
	return 0;
}

const char *bpf_images__slot_name(struct bpf_images *images, const struct bpf_program *prog,
				  int slot)
{
	const struct image *img = find_image(images, prog);
	const struct bpf_image_map *recs;
	__u32 cnt;

	if (!img)
		return NULL;
	recs = image_maps(img, &cnt);
	return slot >= 0 && (__u32)slot < cnt ? image_str(img, recs[slot].name) : NULL;
}

const char *bpf_images__ksym_name(struct bpf_images *images, const struct bpf_program *prog,
				  int idx)
{
	const struct image *img = find_image(images, prog);
	const struct bpf_image_ksym *recs;
	__u32 cnt;

	if (!img)
		return NULL;
	recs = image_ksyms(img, &cnt);
	return idx >= 0 && (__u32)idx < cnt ? image_str(img, recs[idx].name) : NULL;
}

const struct bpf_core_relo *bpf_images__core_relo(struct bpf_images *images,
						  const struct bpf_program *prog, int insn_idx)
{
	const struct image *img = find_image(images, prog);
	const struct bpf_core_relo *recs;
	__u32 i;

	if (!img)
		return NULL;
	recs = img->data[BPF_IMAGE_CORE_RELO];
	for (i = 0; i < img->cnt[BPF_IMAGE_CORE_RELO]; i++)
		if (recs[i].insn_off / sizeof(struct bpf_insn) == (__u32)insn_idx)
			return &recs[i];
	return NULL;
}

/* What can be done about a refusal, each in one sentence */
static const char * const remedies[] = {
	[EKEYREJECTED] =
		"the signature doesn't match or its key is revoked: the object was altered after it was signed; sign it again with 'bpftool sign file'",
	[ENOKEY] =
		"the kernel doesn't know the key that signed it; enrol the signer's certificate as one for kernel modules, or name a keyring that has it",
	[EBADMSG] =
		"what should be its signature is not PKCS#7; sign the object again with 'bpftool sign file'",
	[EPERM] =
		"the kernel doesn't allow it, be it for want of CAP_BPF or because it is locked down; the log below or the kernel's log tells the rule and the remedy",
	[ENOENT] =
		"this kernel doesn't have a function or type that the program names; the log below tells which",
};

/* Found out when something went wrong, since a digest takes its time */
static bool btf_altered(const struct bpf_images *images, const struct image *img)
{
	const struct bpf_image_btf *rec = image_btf(img);
	__u8 digest[SHA256_DIGEST_LENGTH];
	const void *btf;
	__u32 len;

	if (!rec)
		return false;
	btf = bpf_companion_btf(&images->comp, &len);
	libbpf_sha256(btf, len, digest);
	return memcmp(rec->digest, digest, sizeof(digest)) != 0;
}

void bpf_images__explain(const struct bpf_images *images, const struct bpf_program *prog,
			 int err)
{
	const struct image *img = find_image(images, prog);

	if (err == -EINVAL && img && btf_altered(images, img))
		refuse(prog, "BTF in section %s was altered", BPF_COMPANION_SEC);
	if (err < 0 && -err < (int)ARRAY_SIZE(remedies) && remedies[-err])
		pr_warn("prog '%s': %s\n", bpf_program__name(prog), remedies[-err]);
}
