// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * bpftool sign: sign the programs of an object file, each by itself, and put
 * images and signatures into the object's companion section.
 */

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/stat.h>

#include <bpf/bpf.h>
#include <bpf/bpf_companion.h>
#include <bpf/btf.h>
#include <bpf/image.h>
#include <bpf/libbpf.h>
#include <bpf/libbpf_internal.h>

#include "json_writer.h"
#include "main.h"
#include "sign_file.h"

#ifndef EM_BPF
#define EM_BPF	247
#endif

#define IMAGE_SFX	".img"
#define SIG_SFX		".img.p7s"

/* A program on its way into a companion section */
struct signed_prog {
	const char *name;
	const void *image;
	__u32 image_sz;
	const void *sig;
	__u32 sig_sz;
};

static int add_rule(struct policy *pol, enum bpf_image_rule_kind kind,
		    const char *name, const char *target)
{
	struct bpf_image_rule *tmp;

	tmp = realloc(pol->rules, (pol->cnt + 1) * sizeof(*tmp));
	if (!tmp) {
		p_err("mem alloc failed");
		return -ENOMEM;
	}
	pol->rules = tmp;
	tmp += pol->cnt++;
	tmp->kind = kind;
	tmp->name = name;
	tmp->target = target;
	return 0;
}

static void *read_file(const char *path, size_t max, size_t *size)
{
	char *buf = NULL;
	struct stat st;
	ssize_t n;
	int fd;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st)) {
		p_err("can't open '%s': %s", path, strerror(errno));
		goto err;
	}
	if (!S_ISREG(st.st_mode) || (size_t)st.st_size > max) {
		p_err("'%s' is no regular file of at most %zu bytes", path, max);
		goto err;
	}
	buf = malloc(st.st_size + 1);
	if (!buf) {
		p_err("mem alloc failed");
		goto err;
	}
	for (*size = 0; *size < (size_t)st.st_size; *size += n) {
		n = read(fd, buf + *size, st.st_size - *size);
		if (n <= 0) {
			p_err("can't read '%s': %s", path, n ? strerror(errno) : "file shrinks");
			goto err;
		}
	}
	buf[*size] = '\0';
	close(fd);
	return buf;
err:
	free(buf);
	if (fd >= 0)
		close(fd);
	return NULL;
}

/*
 * One statement a line: what may differ from the object at load time, or may
 * not. '#' begins a comment.
 */
static int parse_policy(const char *path, struct policy *pol)
{
	static const struct {
		const char *word;
		enum bpf_image_rule_kind kind;
	} statements[] = {
		{ "tunable", BPF_IMAGE_RULE_TUNABLE },
		{ "fixed", BPF_IMAGE_RULE_FIXED },
		{ "fixed-entries", BPF_IMAGE_RULE_FIXED_ENTRIES },
		{ "free-value-size", BPF_IMAGE_RULE_FREE_VALUE_SIZE },
		{ "attach", BPF_IMAGE_RULE_ATTACH },
		{ "attach-prog", BPF_IMAGE_RULE_ATTACH_PROG },
		{ "lockdown", BPF_IMAGE_RULE_LOCKDOWN },
	};
	char *line, *next, *word, *save, *prog;
	enum bpf_image_rule_kind kind;
	int nr = 0, err = 0, cnt;
	size_t size, i;

	if (!path)
		return 0;
	pol->text = read_file(path, 1 << 20, &size);
	if (!pol->text)
		return -1;
	if (strlen(pol->text) != size) {
		p_err("%s: not a text file", path);
		return -1;
	}

	for (line = pol->text; line && !err; line = next) {
		nr++;
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		line[strcspn(line, "#")] = '\0';
		word = strtok_r(line, " \t\r", &save);
		if (!word)
			continue;
		for (i = 0; i < ARRAY_SIZE(statements); i++)
			if (strcmp(word, statements[i].word) == 0)
				break;
		if (i == ARRAY_SIZE(statements)) {
			p_err("%s:%d: what is '%s'?", path, nr, word);
			return -1;
		}
		kind = statements[i].kind;
		prog = NULL;
		if (kind >= BPF_IMAGE_RULE_ATTACH)
			prog = strtok_r(NULL, " \t\r", &save);
		for (cnt = 0; !err && (word = strtok_r(NULL, " \t\r", &save)); cnt++)
			err = prog ? add_rule(pol, kind, prog, word) :
				     add_rule(pol, kind, word, NULL);
		if (!err && !cnt) {
			p_err("%s:%d: '%s' needs %s", path, nr, statements[i].word,
			      kind < BPF_IMAGE_RULE_ATTACH ? "a name" :
			      kind == BPF_IMAGE_RULE_LOCKDOWN ? "a program and MODE=CLASSES" :
							     "a program and a target");
			return -1;
		}
	}
	return err;
}

/* The policy file, and behind it what the options say of all programs */
int read_policy(struct policy *pol)
{
	int err, i;

	err = parse_policy(sign_policy_path, pol);
	for (i = 0; i < sign_lockdown_cnt && !err; i++)
		err = add_rule(pol, BPF_IMAGE_RULE_LOCKDOWN, "*", sign_lockdown[i]);
	return err;
}

void free_policy(struct policy *pol)
{
	free(pol->rules);
	free(pol->text);
}

struct bpf_object *gen_images(const char *path, const struct policy *pol,
			      struct bpf_gen_images_opts *opts)
{
	struct bpf_object *obj;
	int err;

	obj = bpf_object__open_file(path, NULL);
	if (!obj) {
		p_err("failed to open object file '%s': %s", path, strerror(errno));
		return NULL;
	}

	opts->rules = pol->rules;
	opts->rule_cnt = pol->cnt;
	err = bpf_object__gen_images(obj, opts);
	if (!err && !opts->image_cnt)
		err = -ENOENT;
	if (err) {
		if (err == -ENODATA)
			p_err("'%s' has no BTF: compile with -g, and strip with -g at most",
			      path);
		else if (err == -ENOENT && !opts->image_cnt && !pol->cnt)
			p_err("'%s' has no programs to sign", path);
		else
			p_err("failed to make images of the programs in '%s': %s",
			      path, libbpf_errstr(err));
		bpf_object__close(obj);
		return NULL;
	}
	return obj;
}

static size_t put(char *out, size_t off, const void *data, size_t len)
{
	off = (off + 7) / 8 * 8;
	if (out)
		memcpy(out + off, data, len);
	return off + len;
}

/* Contents of the companion section; with @out NULL only their size */
static size_t write_companion(char *out, const void *btf, __u32 btf_sz,
			      const struct signed_prog *progs, size_t cnt)
{
	struct bpf_companion_prog *dir = NULL;
	struct bpf_companion_hdr *hdr = NULL;
	size_t off = sizeof(*hdr), str_off, i;

	if (out) {
		hdr = (void *)out;
		hdr->magic = BPF_COMPANION_MAGIC;
		hdr->version = BPF_COMPANION_VERSION;
		hdr->prog_off = off;
		hdr->prog_cnt = cnt;
		dir = (void *)(out + off);
	}
	off += cnt * sizeof(*dir);

	/* strings, the first of which is empty */
	str_off = off;
	off++;
	for (i = 0; i < cnt; i++) {
		if (out) {
			dir[i].name = off - str_off;
			strcpy(out + off, progs[i].name);
		}
		off += strlen(progs[i].name) + 1;
	}
	if (out) {
		hdr->str_off = str_off;
		hdr->str_len = off - str_off;
	}

	off = put(out, off, btf, btf_sz);
	if (out) {
		hdr->btf_off = off - btf_sz;
		hdr->btf_len = btf_sz;
	}
	for (i = 0; i < cnt; i++) {
		off = put(out, off, progs[i].image, progs[i].image_sz);
		if (out) {
			dir[i].image_off = off - progs[i].image_sz;
			dir[i].image_len = progs[i].image_sz;
		}
		off = put(out, off, progs[i].sig, progs[i].sig_sz);
		if (out) {
			dir[i].sig_off = off - progs[i].sig_sz;
			dir[i].sig_len = progs[i].sig_sz;
		}
	}
	if (out)
		hdr->size = off;
	return off;
}

static int elf_err(const char *path, const char *what)
{
	p_err("%s: %s: %s", path, what, elf_errmsg(-1));
	return -1;
}

static Elf *open_elf(const char *path, int *fd)
{
	Elf *elf = NULL;
	GElf_Ehdr ehdr;

	elf_version(EV_CURRENT);
	*fd = open(path, O_RDONLY | O_CLOEXEC);
	if (*fd < 0) {
		p_err("can't open '%s': %s", path, strerror(errno));
		return NULL;
	}
	elf = elf_begin(*fd, ELF_C_READ, NULL);
	if (!elf || elf_kind(elf) != ELF_K_ELF || !gelf_getehdr(elf, &ehdr) ||
	    gelf_getclass(elf) != ELFCLASS64 || ehdr.e_type != ET_REL ||
	    (ehdr.e_machine != EM_BPF && ehdr.e_machine != EM_NONE)) {
		p_err("'%s' is not a BPF object file", path);
		elf_end(elf);
		close(*fd);
		return NULL;
	}
	return elf;
}

static const char *section_name(Elf *elf, Elf_Scn *scn, GElf_Shdr *shdr)
{
	size_t shstrndx;

	if (elf_getshdrstrndx(elf, &shstrndx) || !gelf_getshdr(scn, shdr))
		return NULL;
	return elf_strptr(elf, shstrndx, shdr->sh_name);
}

static Elf_Scn *copy_section(Elf *out, const GElf_Shdr *shdr, void *buf, size_t size)
{
	Elf_Data *data;
	Elf_Scn *scn;

	scn = elf_newscn(out);
	if (!scn)
		return NULL;
	data = elf_newdata(scn);
	if (!data)
		return NULL;
	data->d_buf = buf;
	data->d_size = size;
	data->d_type = ELF_T_BYTE;
	data->d_align = shdr->sh_addralign ?: 1;
	data->d_version = EV_CURRENT;
	if (!gelf_update_shdr(scn, (GElf_Shdr *)shdr))
		return NULL;
	return scn;
}

/*
 * Write the object @in anew, with the companion section added or replaced.
 * All other sections keep their index, header and contents.
 */
static int copy_elf(const char *path, Elf *in, Elf *out, void *comp, size_t comp_sz, char **strs)
{
	GElf_Shdr comp_shdr = {
		.sh_type = SHT_PROGBITS,
		.sh_addralign = 8,
	};
	size_t shstrndx, str_sz = 0;
	GElf_Ehdr ehdr, new_ehdr;
	Elf_Scn *scn = NULL;
	bool found = false;
	const char *name;
	GElf_Shdr shdr;
	Elf_Data *data;

	if (!gelf_getehdr(in, &ehdr) || elf_getshdrstrndx(in, &shstrndx) ||
	    !gelf_newehdr(out, ELFCLASS64) || !gelf_getehdr(out, &new_ehdr))
		return elf_err(path, "header");
	if (ehdr.e_shnum + 1 >= SHN_LORESERVE || ehdr.e_phnum || shstrndx == SHN_UNDEF) {
		p_err("%s: unusual ELF file", path);
		return -1;
	}

	while ((scn = elf_nextscn(in, scn))) {
		name = section_name(in, scn, &shdr);
		if (!name)
			return elf_err(path, "section name");
		if (strcmp(name, BPF_COMPANION_SEC) == 0) {
			if (found) {
				p_err("%s: more than one section %s", path, BPF_COMPANION_SEC);
				return -1;
			}
			found = true;
			comp_shdr.sh_name = shdr.sh_name;
		}
	}

	while ((scn = elf_nextscn(in, scn))) {
		void *buf;
		size_t size;

		name = section_name(in, scn, &shdr);
		data = elf_rawdata(scn, NULL);
		if (!name || !data)
			return elf_err(path, "section");
		buf = data->d_buf;
		size = shdr.sh_type == SHT_NOBITS ? shdr.sh_size : data->d_size;
		if (strcmp(name, BPF_COMPANION_SEC) == 0) {
			shdr = comp_shdr;
			buf = comp;
			size = comp_sz;
		} else if (elf_ndxscn(scn) == shstrndx && !found) {
			str_sz = size;
			size += sizeof(BPF_COMPANION_SEC);
			*strs = malloc(size);
			if (!*strs)
				return -1;
			memcpy(*strs, buf, str_sz);
			memcpy(*strs + str_sz, BPF_COMPANION_SEC, sizeof(BPF_COMPANION_SEC));
			buf = *strs;
			comp_shdr.sh_name = str_sz;
		}
		if (!copy_section(out, &shdr, buf, size))
			return elf_err(path, "section");
	}
	if (!found && !copy_section(out, &comp_shdr, comp, comp_sz))
		return elf_err(path, "section");

	memcpy(new_ehdr.e_ident, ehdr.e_ident, EI_NIDENT);
	new_ehdr.e_type = ehdr.e_type;
	new_ehdr.e_machine = ehdr.e_machine;
	new_ehdr.e_version = ehdr.e_version;
	new_ehdr.e_flags = ehdr.e_flags;
	new_ehdr.e_shstrndx = shstrndx;
	if (!gelf_update_ehdr(out, &new_ehdr))
		return elf_err(path, "header");
	if (elf_update(out, ELF_C_WRITE) < 0)
		return elf_err(path, "write");
	return 0;
}

/* Put the companion section into what becomes of @path at once: @out_path */
static int write_object(const char *path, const char *out_path, void *comp, size_t comp_sz)
{
	int in_fd = -1, out_fd = -1, err = -1;
	Elf *in = NULL, *out = NULL;
	char *tmp = NULL, *strs = NULL;
	struct stat st;

	in = open_elf(path, &in_fd);
	if (!in)
		return -1;
	if (fstat(in_fd, &st) || asprintf(&tmp, "%s.XXXXXX", out_path) < 0) {
		tmp = NULL;
		p_err("%s: %s", path, strerror(errno));
		goto out;
	}
	out_fd = mkostemp(tmp, O_CLOEXEC);
	if (out_fd < 0) {
		p_err("can't create '%s': %s", tmp, strerror(errno));
		free(tmp);
		tmp = NULL;
		goto out;
	}
	out = elf_begin(out_fd, ELF_C_WRITE, NULL);
	if (!out) {
		elf_err(out_path, "write");
		goto out;
	}
	err = copy_elf(path, in, out, comp, comp_sz, &strs);
	if (err)
		goto out;
	elf_end(out);
	out = NULL;
	if (fchmod(out_fd, st.st_mode & 07777) || fsync(out_fd) || rename(tmp, out_path)) {
		p_err("can't write '%s': %s", out_path, strerror(errno));
		err = -1;
	}
out:
	elf_end(out);
	elf_end(in);
	if (in_fd >= 0)
		close(in_fd);
	if (out_fd >= 0)
		close(out_fd);
	if (err && tmp)
		unlink(tmp);
	free(tmp);
	free(strs);
	return err;
}

static int attach_companion(const char *path, const char *out_path, const void *btf, __u32 btf_sz,
			    const struct signed_prog *progs, size_t cnt)
{
	struct bpf_companion check;
	size_t size;
	void *comp;
	int err;

	size = write_companion(NULL, btf, btf_sz, progs, cnt);
	if (size > INT_MAX) {
		p_err("images and signatures of '%s' are too large", path);
		return -1;
	}
	comp = calloc(1, size);
	if (!comp) {
		p_err("mem alloc failed");
		return -1;
	}
	write_companion(comp, btf, btf_sz, progs, cnt);
	err = bpf_companion_parse(&check, comp, size);
	if (err)
		p_err("'%s' gives a malformed companion section", path);
	else
		err = write_object(path, out_path, comp, size);
	free(comp);
	return err;
}

void free_signed_file(struct signed_file *f)
{
	free(f->data);
	f->data = NULL;
}

/* Find the companion section; -ENOENT and no message where there is none */
int read_signed_file(struct signed_file *f, const char *path)
{
	int fd, err = -ENOENT;
	Elf_Scn *scn = NULL;
	const char *name;
	GElf_Shdr shdr;
	Elf_Data *data;
	Elf *elf;

	memset(f, 0, sizeof(*f));
	f->path = path;
	elf = open_elf(path, &fd);
	if (!elf)
		return -EINVAL;
	while ((scn = elf_nextscn(elf, scn))) {
		name = section_name(elf, scn, &shdr);
		if (!name || strcmp(name, BPF_COMPANION_SEC) != 0)
			continue;
		err = -EINVAL;
		data = elf_rawdata(scn, NULL);
		if (!data || shdr.sh_type != SHT_PROGBITS || !data->d_size)
			break;
		f->data = malloc(data->d_size);
		if (!f->data)
			break;
		memcpy(f->data, data->d_buf, data->d_size);
		if (!bpf_companion_parse(&f->comp, f->data, data->d_size))
			err = 0;
		break;
	}
	if (err == -EINVAL) {
		p_err("'%s' has a malformed section %s", path, BPF_COMPANION_SEC);
		free_signed_file(f);
	}
	elf_end(elf);
	close(fd);
	return err;
}

static int open_signed_file(struct signed_file *f, const char *path)
{
	int err = read_signed_file(f, path);

	if (err == -ENOENT)
		p_err("'%s' is not signed", path);
	return err;
}

/* The image number @i of a file, parsed, or NULL and a message */
const struct image *file_image(const struct signed_file *f, __u32 i, struct image *img)
{
	const char *why;
	const void *data;
	__u32 size;

	data = bpf_companion_image(&f->comp, i, &size);
	why = image_parse(img, data, size);
	if (why) {
		p_err("%s: image of program '%s': %s", f->path,
		      bpf_companion_name(&f->comp, i), why);
		return NULL;
	}
	return img;
}

static bool image_has_btf(const struct image *img, const void *btf, __u32 btf_sz)
{
	__u8 digest[SHA256_DIGEST_LENGTH];

	libbpf_sha256(btf, btf_sz, digest);
	return image_btf(img) && memcmp(image_btf(img)->digest, digest, sizeof(digest)) == 0;
}

static int need_key(void)
{
	if (private_key_path && cert_path)
		return 0;
	p_err("-k <private_key> and -i <identity_x509_cert> must be supplied for signing");
	return -1;
}

/* Programs that can't be loaded before the loader has chosen a target, or attached to anything */
static void warn_no_target(const char *path, const char *name, const void *data, __u32 size)
{
	__u32 cnt, first, last;
	struct image img;

	if (image_parse(&img, data, size))
		return;
	image_events(&img, &cnt);
	if (!cnt && image_event_kinds(img.hdr->prog_type, &first, &last)) {
		p_info("%s: program '%s' names no event and can't be attached to any; name some by 'attach %s %s/NAME...' in a policy file, or all by 'attach %s any'",
		       path, name, name, image_event_word(first), name);
		return;
	}
	switch (img.hdr->prog_type) {
	case BPF_PROG_TYPE_TRACING:
		switch (img.hdr->expected_attach_type) {
		case BPF_TRACE_FENTRY:
		case BPF_TRACE_FEXIT:
		case BPF_TRACE_FSESSION:
		case BPF_TRACE_RAW_TP:
		case BPF_TRACE_ITER:
		case BPF_MODIFY_RETURN:
			break;
		default:
			return;
		}
		break;
	case BPF_PROG_TYPE_LSM:
		if (img.hdr->expected_attach_type != BPF_LSM_MAC)
			return;
		break;
	case BPF_PROG_TYPE_EXT:
	case BPF_PROG_TYPE_STRUCT_OPS:
		break;
	default:
		return;
	}
	image_attachs(&img, &cnt);
	if (!cnt)
		p_info("%s: program '%s' has no attach target and can't be loaded; name some by 'attach %s TARGET...' in a policy file",
		       path, name, name);
}

static int sign_one(const char *path, const char *out_path, const struct policy *pol)
{
	LIBBPF_OPTS(bpf_gen_images_opts, opts);
	struct signed_prog *progs = NULL;
	struct bpf_object *obj;
	int err = -1;
	char *sigs = NULL;
	size_t i;

	obj = gen_images(path, pol, &opts);
	if (!obj)
		return -1;

	progs = calloc(opts.image_cnt, sizeof(*progs));
	sigs = calloc(opts.image_cnt, BPF_IMAGE_MAX_SIGNATURE);
	if (!progs || !sigs) {
		p_err("mem alloc failed");
		goto out;
	}
	for (i = 0; i < opts.image_cnt; i++) {
		char *sig = sigs + i * BPF_IMAGE_MAX_SIGNATURE;

		progs[i].name = opts.images[i].name;
		progs[i].image = opts.images[i].data;
		progs[i].image_sz = opts.images[i].size;
		progs[i].sig = sig;
		progs[i].sig_sz = BPF_IMAGE_MAX_SIGNATURE;
		err = bpftool_sign_data(progs[i].image, progs[i].image_sz, sig, &progs[i].sig_sz);
		if (err) {
			p_err("%s: failed to sign program '%s'", path, progs[i].name);
			goto out;
		}
		warn_no_target(path, progs[i].name, progs[i].image, progs[i].image_sz);
	}

	err = attach_companion(path, out_path, opts.btf, opts.btf_size, progs, opts.image_cnt);
	if (err)
		goto out;
	if (json_output) {
		jsonw_start_object(json_wtr);
		jsonw_string_field(json_wtr, "file", out_path);
		jsonw_uint_field(json_wtr, "signed", opts.image_cnt);
		jsonw_end_object(json_wtr);
	} else {
		printf("%s: %zu program%s signed\n", out_path, opts.image_cnt,
		       opts.image_cnt == 1 ? "" : "s");
	}
out:
	free(sigs);
	free(progs);
	bpf_object__close(obj);
	return err;
}

static int do_file(int argc, char **argv)
{
	struct policy pol = {};
	int err;

	if (!REQ_ARGS(1) || need_key())
		return -1;
	if (sign_output_path && argc > 1) {
		p_err("-o is for one file");
		return -1;
	}

	err = read_policy(&pol);
	if (!err && json_output)
		jsonw_start_array(json_wtr);
	for (; !err && argc; argc--, argv++)
		err = sign_one(*argv, sign_output_path ?: *argv, &pol);
	if (json_output)
		jsonw_end_array(json_wtr);
	free_policy(&pol);
	return err;
}

static int sig_path(char *buf, size_t size, const char *dir, const char *name, const char *sfx)
{
	if (strchr(name, '/') || snprintf(buf, size, "%s/%s%s", dir, name, sfx) >= (int)size) {
		p_err("'%s' makes no file name", name);
		return -1;
	}
	return 0;
}

static int write_file(const char *path, const void *data, size_t size)
{
	FILE *fp;
	int err;

	fp = fopen(path, "w");
	err = !fp || fwrite(data, 1, size, fp) != size;
	if (fp && fclose(fp))
		err = 1;
	if (err)
		p_err("can't write '%s': %s", path, strerror(errno));
	return err ? -1 : 0;
}

/* Write out the bytes that a signing service is to sign */
static int do_extract(int argc, char **argv)
{
	LIBBPF_OPTS(bpf_gen_images_opts, opts);
	struct policy pol = {};
	const char *file, *dir;
	struct bpf_object *obj;
	char path[PATH_MAX];
	int err = -1;
	size_t i;

	if (!REQ_ARGS(2))
		return -1;
	file = GET_ARG();
	dir = GET_ARG();
	if (argc)
		return BAD_ARG();

	if (read_policy(&pol))
		goto out;
	obj = gen_images(file, &pol, &opts);
	if (!obj)
		goto out;
	if (mkdir(dir, 0777) && errno != EEXIST) {
		p_err("can't create '%s': %s", dir, strerror(errno));
		goto out_close;
	}
	err = 0;
	if (json_output)
		jsonw_start_array(json_wtr);
	for (i = 0; i < opts.image_cnt && !err; i++) {
		err = sig_path(path, sizeof(path), dir, opts.images[i].name, IMAGE_SFX) ?:
		      write_file(path, opts.images[i].data, opts.images[i].size);
		if (!err && json_output)
			jsonw_string(json_wtr, path);
		else if (!err)
			printf("%s\n", path);
	}
	if (json_output)
		jsonw_end_array(json_wtr);
out_close:
	bpf_object__close(obj);
out:
	free_policy(&pol);
	return err;
}

static const char *verdict_str(int err)
{
	switch (err) {
	case 0:
		return "verified";
	case -ENOKEY:
		return "signed with another key";
	case -EKEYREJECTED:
		return "signature does not match, the image was altered";
	case -EBADMSG:
		return "signature is not PKCS#7";
	default:
		return strerror(-err);
	}
}

static int take_signature(const char *dir, const char *name, const void *btf, __u32 btf_sz,
			  struct signed_prog *prog)
{
	char path[PATH_MAX], own_name[sizeof(((struct bpf_image_hdr *)0)->name)];
	struct image img;
	const char *why;
	size_t size;
	int err;

	prog->name = name;
	if (sig_path(path, sizeof(path), dir, name, IMAGE_SFX))
		return -1;
	prog->image = read_file(path, BPF_IMAGE_MAX_SIZE, &size);
	if (!prog->image)
		return -1;
	prog->image_sz = size;
	why = image_parse(&img, prog->image, size);
	if (why) {
		p_err("%s: %s", path, why);
		return -1;
	}
	snprintf(own_name, sizeof(own_name), "%s", name);
	if (strcmp(own_name, img.hdr->name) || !image_has_btf(&img, btf, btf_sz)) {
		p_err("'%s' was not made from this object", path);
		return -1;
	}

	if (sig_path(path, sizeof(path), dir, name, SIG_SFX))
		return -1;
	prog->sig = read_file(path, BPF_IMAGE_MAX_SIGNATURE, &size);
	if (!prog->sig)
		return -1;
	prog->sig_sz = size;
	if (!size) {
		p_err("'%s' is empty", path);
		return -1;
	}
	if (!cert_path)
		return 0;
	err = bpftool_verify_data(prog->image, prog->image_sz, prog->sig, prog->sig_sz);
	if (err)
		p_err("'%s': %s", path, verdict_str(err));
	return err;
}

/* Take the signatures in that a signing service has made */
static int do_attach(int argc, char **argv)
{
	LIBBPF_OPTS(bpf_gen_images_opts, opts);
	struct signed_prog *progs = NULL;
	const char *file, *dir, *out;
	struct policy none = {};
	struct bpf_object *obj;
	int err = -1;
	size_t i;

	if (!REQ_ARGS(2))
		return -1;
	file = GET_ARG();
	dir = GET_ARG();
	if (argc)
		return BAD_ARG();

	/* The images are those that were signed; BTF and names are the object's */
	obj = gen_images(file, &none, &opts);
	if (!obj)
		return -1;
	progs = calloc(opts.image_cnt, sizeof(*progs));
	if (!progs) {
		p_err("mem alloc failed");
		goto out_close;
	}
	for (i = 0; i < opts.image_cnt; i++) {
		err = take_signature(dir, opts.images[i].name, opts.btf, opts.btf_size, &progs[i]);
		if (err)
			goto out_free;
	}
	out = sign_output_path ?: file;
	err = attach_companion(file, out, opts.btf, opts.btf_size, progs, opts.image_cnt);
	if (!err && json_output) {
		jsonw_start_object(json_wtr);
		jsonw_string_field(json_wtr, "file", out);
		jsonw_uint_field(json_wtr, "signed", opts.image_cnt);
		jsonw_end_object(json_wtr);
	} else if (!err) {
		printf("%s: %zu signature%s attached\n", out, opts.image_cnt,
		       opts.image_cnt == 1 ? "" : "s");
	}
out_free:
	for (i = 0; i < opts.image_cnt; i++) {
		free((void *)progs[i].image);
		free((void *)progs[i].sig);
	}
	free(progs);
out_close:
	bpf_object__close(obj);
	return err;
}

static int verify_prog(const struct signed_file *f, __u32 i)
{
	__u32 image_sz, sig_sz, btf_sz;
	const void *image, *sig, *btf;
	struct image img;
	int err;

	image = bpf_companion_image(&f->comp, i, &image_sz);
	sig = bpf_companion_sig(&f->comp, i, &sig_sz);
	btf = bpf_companion_btf(&f->comp, &btf_sz);
	/* as in the kernel, what is in an image counts after its signature */
	err = bpftool_verify_data(image, image_sz, sig, sig_sz);
	if (err)
		return err;
	if (!file_image(f, i, &img))
		return -EINVAL;
	if (!image_has_btf(&img, btf, btf_sz)) {
		p_err("%s: program '%s': BTF was altered", f->path,
		      bpf_companion_name(&f->comp, i));
		return -EINVAL;
	}
	return 0;
}

/* Is there an image for each program that the object has? */
static int verify_complete(const struct signed_file *f)
{
	struct bpf_program *prog;
	struct bpf_object *obj;
	int err = 0;
	__u32 i;

	obj = bpf_object__open_file(f->path, NULL);
	if (!obj) {
		p_err("failed to open object file '%s': %s", f->path, strerror(errno));
		return -1;
	}
	bpf_object__for_each_program(prog, obj) {
		if (bpf_program__type(prog) == BPF_PROG_TYPE_UNSPEC)
			continue;
		for (i = 0; i < f->comp.hdr->prog_cnt; i++)
			if (strcmp(bpf_program__name(prog), bpf_companion_name(&f->comp, i)) == 0)
				break;
		if (i < f->comp.hdr->prog_cnt)
			continue;
		p_err("%s: program '%s' is not signed", f->path, bpf_program__name(prog));
		err = -1;
	}
	bpf_object__close(obj);
	return err;
}

static int verify_one(const char *path)
{
	struct signed_file f;
	int err, ret = 0;
	__u32 i;

	if (json_output) {
		jsonw_start_object(json_wtr);
		jsonw_string_field(json_wtr, "file", path);
	}
	if (open_signed_file(&f, path)) {
		if (json_output)
			jsonw_end_object(json_wtr);
		return -1;
	}

	if (json_output) {
		jsonw_name(json_wtr, "programs");
		jsonw_start_array(json_wtr);
	}
	for (i = 0; i < f.comp.hdr->prog_cnt; i++) {
		const char *name = bpf_companion_name(&f.comp, i);

		err = verify_prog(&f, i);
		if (err)
			ret = -1;
		if (json_output) {
			jsonw_start_object(json_wtr);
			jsonw_string_field(json_wtr, "name", name);
			jsonw_bool_field(json_wtr, "verified", !err);
			if (err)
				jsonw_string_field(json_wtr, "error", verdict_str(err));
			jsonw_end_object(json_wtr);
		} else if (err) {
			p_err("%s: program '%s': %s", path, name, verdict_str(err));
		}
	}
	if (json_output)
		jsonw_end_array(json_wtr);
	if (verify_complete(&f))
		ret = -1;
	if (json_output) {
		jsonw_bool_field(json_wtr, "verified", !ret);
		jsonw_end_object(json_wtr);
	} else if (!ret) {
		printf("%s: %u program%s verified\n", path, f.comp.hdr->prog_cnt,
		       f.comp.hdr->prog_cnt == 1 ? "" : "s");
	}
	free_signed_file(&f);
	return ret;
}

static int do_verify(int argc, char **argv)
{
	int err = 0;

	if (!REQ_ARGS(1))
		return -1;
	if (!cert_path) {
		p_err("-i <identity_x509_cert> must be supplied for verification");
		return -1;
	}
	if (json_output)
		jsonw_start_array(json_wtr);
	for (; argc; argc--, argv++)
		if (verify_one(*argv))
			err = -1;
	if (json_output)
		jsonw_end_array(json_wtr);
	return err;
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
	if (json_output) {
		jsonw_name(json_wtr, "attach");
		jsonw_start_array(json_wtr);
	} else {
		printf("\tattach");
	}
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
	if (json_output)
		jsonw_end_array(json_wtr);
	else
		printf("\n");
}

static void show_events(const struct image *img)
{
	const struct bpf_image_event *ev;
	__u32 cnt, i, first, last;

	if (!image_event_kinds(img->hdr->prog_type, &first, &last))
		return;
	ev = image_events(img, &cnt);
	if (json_output) {
		jsonw_name(json_wtr, "events");
		jsonw_start_array(json_wtr);
	} else {
		printf("\tevents%s", cnt ? "" : " none");
	}
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
	if (json_output)
		jsonw_end_array(json_wtr);
	else
		printf("\n");
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
	if (json_output) {
		jsonw_name(json_wtr, "ksyms");
		jsonw_start_array(json_wtr);
	} else {
		printf("\tksyms");
	}
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
	if (json_output)
		jsonw_end_array(json_wtr);
	else
		printf("\n");
}

static void show_prog(const struct signed_file *f, __u32 i, const struct image *img)
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

static bool is_const_volatile(const struct btf *btf, __u32 id)
{
	bool is_const = false, is_volatile = false;
	const struct btf_type *t;

	for (;;) {
		t = btf__type_by_id(btf, id);
		if (!t)
			return false;
		if (btf_is_array(t)) {
			id = btf_array(t)->type;
			continue;
		}
		if (!btf_is_mod(t) && !btf_is_typedef(t))
			return is_const && is_volatile;
		is_const |= btf_is_const(t);
		is_volatile |= btf_is_volatile(t);
		id = t->type;
	}
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
		if (tunable && !is_const_volatile(btf, var->type))
			policy_line(pl, "tunable %s", btf__name_by_offset(btf, var->name_off));
		else if (!tunable && is_const_volatile(btf, var->type))
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
		if (file_image(f, i, &img))
			policy_of_prog(&pl, &img, bpf_companion_name(&f->comp, i), btf);
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
	__u8 digest[SHA256_DIGEST_LENGTH];
	struct signed_file f;
	struct image img;
	const void *btf;
	__u32 btf_sz, i;
	int err = 0;

	if (open_signed_file(&f, path))
		return -1;

	btf = bpf_companion_btf(&f.comp, &btf_sz);
	libbpf_sha256(btf, btf_sz, digest);
	if (json_output) {
		jsonw_start_object(json_wtr);
		jsonw_string_field(json_wtr, "file", path);
		jsonw_uint_field(json_wtr, "bytes_btf", btf_sz);
		show_hex("btf_sha256", digest, sizeof(digest));
		jsonw_name(json_wtr, "programs");
		jsonw_start_array(json_wtr);
	} else {
		printf("%s: %u programs\n\tBTF %uB  sha256 ", path, f.comp.hdr->prog_cnt, btf_sz);
		show_hex(NULL, digest, sizeof(digest));
		printf("\n");
	}
	for (i = 0; i < f.comp.hdr->prog_cnt; i++) {
		if (!file_image(&f, i, &img)) {
			err = -1;
			continue;
		}
		show_prog(&f, i, &img);
		if (!image_has_btf(&img, btf, btf_sz)) {
			p_err("%s: program '%s' was signed with another BTF", path,
			      bpf_companion_name(&f.comp, i));
			err = -1;
		}
	}
	if (json_output)
		jsonw_end_array(json_wtr);
	show_policy(&f);
	if (json_output)
		jsonw_end_object(json_wtr);
	free_signed_file(&f);
	return err;
}

static int do_show(int argc, char **argv)
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

static int do_help(int argc, char **argv)
{
	if (json_output) {
		jsonw_null(json_wtr);
		return 0;
	}

	fprintf(stderr,
		"Usage: %1$s %2$s file    FILE... -k KEY -i CERT [-o OUTPUT] [--policy POLICY]\n"
		"                            [--lockdown MODE=CLASSES]...\n"
		"       %1$s %2$s { show | list } FILE...\n"
		"       %1$s %2$s verify  FILE... -i CERT\n"
		"       %1$s %2$s extract FILE DIR [--policy POLICY] [--lockdown MODE=CLASSES]...\n"
		"       %1$s %2$s attach  FILE DIR [-i CERT] [-o OUTPUT]\n"
		"       %1$s %2$s check   FILE... [--policy POLICY] [--lockdown MODE=CLASSES]...\n"
		"       %1$s %2$s policy\n"
		"       %1$s %2$s help\n"
		"\n"
		"       KEY := { FILE | pkcs11:URI }\n"
		"       MODE := { integrity | confidentiality }\n"
		"       CLASSES := { none | forbid | all | CLASS[,CLASS]... }\n"
		"       CLASS := { user-read | user-write | control | kernel-read | kernel-address |\n"
		"                  fields | loader }\n"
		"       " HELP_SPEC_OPTIONS " |\n"
		"                    {-k} <private_key.pem> | {-i} <certificate.x509> |\n"
		"                    {-o|--output} FILE | {--policy} FILE |\n"
		"                    {--lockdown} MODE=CLASSES }\n"
		"",
		bin_name, "sign");
	return 0;
}

static const struct cmd cmds[] = {
	{ "file",	do_file },
	{ "show",	do_show },
	{ "list",	do_show },
	{ "verify",	do_verify },
	{ "extract",	do_extract },
	{ "attach",	do_attach },
	{ "check",	do_sign_check },
	{ "policy",	do_sign_policy },
	{ "help",	do_help },
	{ 0 }
};

int do_sign(int argc, char **argv)
{
	return cmd_select(cmds, argc, argv, do_help);
}
