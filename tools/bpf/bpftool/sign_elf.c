// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* bpftool sign: the companion section of an object file, written and read */

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
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

#include <bpf/bpf_companion.h>
#include <bpf/image.h>
#include <bpf/libbpf_internal.h>

#include "json_writer.h"
#include "main.h"
#include "sign_file.h"

#ifndef EM_BPF
#define EM_BPF	247
#endif

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

/* Returns NULL, and in @why the reason, to be put behind the path */
static Elf *open_elf(const char *path, int *fd, char *why, size_t size)
{
	Elf *elf = NULL;
	GElf_Ehdr ehdr;

	elf_version(EV_CURRENT);
	*fd = open(path, O_RDONLY | O_CLOEXEC);
	if (*fd < 0) {
		snprintf(why, size, "can't be opened: %s", strerror(errno));
		return NULL;
	}
	elf = elf_begin(*fd, ELF_C_READ, NULL);
	if (!elf || elf_kind(elf) != ELF_K_ELF || !gelf_getehdr(elf, &ehdr) ||
	    gelf_getclass(elf) != ELFCLASS64 || ehdr.e_type != ET_REL ||
	    (ehdr.e_machine != EM_BPF && ehdr.e_machine != EM_NONE)) {
		snprintf(why, size, "is not a BPF object file");
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
			if (!*strs) {
				p_err("mem alloc failed");
				return -1;
			}
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
	char *tmp = NULL, *strs = NULL, *target = NULL, why[128];
	struct stat st, old;

	in = open_elf(path, &in_fd, why, sizeof(why));
	if (!in) {
		p_err("'%s' %s", path, why);
		return -1;
	}
	/* what a link leads to is replaced, not the link */
	if (!lstat(out_path, &old) && (stat(out_path, &old) || !S_ISREG(old.st_mode))) {
		p_err("'%s' is not a regular file", out_path);
		goto out;
	}
	target = realpath(out_path, NULL);
	out_path = target ?: out_path;
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
	/* its owner may be another one, so that setuid would say something else */
	if (fchmod(out_fd, st.st_mode & 0777) || fsync(out_fd) || rename(tmp, out_path)) {
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
	free(target);
	return err;
}

int attach_companion(const char *path, const char *out_path, const void *btf, __u32 btf_sz,
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

/* Find the companion section; -ENOENT where there is none. The reason is in @f->why. */
int read_signed_file(struct signed_file *f, const char *path)
{
	int fd, err = -ENOENT;
	Elf_Scn *scn = NULL;
	const void *btf;
	const char *name;
	__u32 btf_sz;
	GElf_Shdr shdr;
	Elf_Data *data;
	Elf *elf;

	memset(f, 0, sizeof(*f));
	f->path = path;
	elf = open_elf(path, &fd, f->why, sizeof(f->why));
	if (!elf)
		return -EINVAL;
	snprintf(f->why, sizeof(f->why), "is not signed");
	while ((scn = elf_nextscn(elf, scn))) {
		name = section_name(elf, scn, &shdr);
		if (!name || strcmp(name, BPF_COMPANION_SEC) != 0)
			continue;
		err = -EINVAL;
		snprintf(f->why, sizeof(f->why), "has a malformed section %s", BPF_COMPANION_SEC);
		data = elf_rawdata(scn, NULL);
		if (!data || shdr.sh_type != SHT_PROGBITS || !data->d_size)
			break;
		f->data = malloc(data->d_size);
		if (!f->data) {
			err = -ENOMEM;
			snprintf(f->why, sizeof(f->why), "does not fit into memory");
			break;
		}
		memcpy(f->data, data->d_buf, data->d_size);
		if (bpf_companion_parse(&f->comp, f->data, data->d_size))
			break;
		btf = bpf_companion_btf(&f->comp, &btf_sz);
		libbpf_sha256(btf, btf_sz, f->btf_digest);
		err = 0;
		break;
	}
	if (err)
		free_signed_file(f);
	elf_end(elf);
	close(fd);
	return err;
}

/* Parses the image number @i of a file; returns what is wrong with it, or NULL */
const char *file_image(const struct signed_file *f, __u32 i, struct image *img)
{
	const void *data;
	__u32 size;

	data = bpf_companion_image(&f->comp, i, &size);
	return image_parse(img, data, size);
}

bool image_has_btf(const struct image *img, const __u8 *digest)
{
	return image_btf(img) && memcmp(image_btf(img)->digest, digest, SHA256_DIGEST_LENGTH) == 0;
}

/* In JSON an error is a member of the file or program that it is about */
void file_error(const char *path, const char *why)
{
	if (!json_output) {
		p_err("'%s' %s", path, why);
		return;
	}
	jsonw_start_object(json_wtr);
	jsonw_string_field(json_wtr, "file", path);
	jsonw_string_field(json_wtr, "error", why);
	jsonw_end_object(json_wtr);
}

void prog_error(const char *path, const char *name, const char *why)
{
	if (!json_output) {
		p_err("%s: program '%s': %s", path, name, why);
		return;
	}
	jsonw_start_object(json_wtr);
	jsonw_string_field(json_wtr, "name", name);
	jsonw_string_field(json_wtr, "error", why);
	jsonw_end_object(json_wtr);
}
