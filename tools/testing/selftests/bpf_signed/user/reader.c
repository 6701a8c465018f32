// SPDX-License-Identifier: GPL-2.0
/*
 * Reads a companion section after each of its bytes was changed, and cut to
 * each length, under the sanitizers: what the accessors give has to lie within
 * the section, whatever it says.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <bpf/bpf_companion.h>
#include <bpf/image.h>

static volatile unsigned int sink;

static void touch(const void *data, size_t size)
{
	const unsigned char *p = data;

	while (size--)
		sink += *p++;
}

/* Returns the number of programs, or -1 */
static int read_all(const void *section, size_t size)
{
	struct bpf_companion c;
	struct image img;
	void *copy;
	__u32 i, j, len, cnt;
	int ret = -1;

	/* a copy that the sanitizer has the bounds of */
	copy = malloc(size ?: 1);
	memcpy(copy, section, size);
	if (!bpf_companion_parse(&c, copy, size)) {
		const void *data = bpf_companion_btf(&c, &len);

		touch(data, len);
		for (i = 0; i < c.hdr->prog_cnt; i++) {
			sink += strlen(bpf_companion_name(&c, i));
			data = bpf_companion_sig(&c, i, &len);
			touch(data, len);
			data = bpf_companion_image(&c, i, &len);
			touch(data, len);
			if (image_parse(&img, data, len))
				continue;
			for (j = 0; j <= BPF_IMAGE_SECTION_MAX; j++)
				if (img.data[j])
					touch(img.data[j], (size_t)img.cnt[j] *
					      image_rec_size(j));
			sink += strlen(image_str(&img, img.hdr->license));
			sink += strlen(img.hdr->name);
			if (img.data[BPF_IMAGE_MAPS]) {
				const struct bpf_image_map *maps = image_maps(&img, &cnt);

				for (j = 0; j < cnt; j++)
					sink += strlen(image_str(&img, maps[j].name));
			}
		}
		ret = c.hdr->prog_cnt;
	}
	free(copy);
	return ret;
}

int main(int argc, char **argv)
{
	size_t size, i;
	char *section;
	FILE *f;
	int bit;

	f = argc > 1 ? fopen(argv[1], "rb") : NULL;
	if (!f)
		return 1;
	section = malloc(1 << 20);
	size = fread(section, 1, 1 << 20, f);
	fclose(f);

	if (read_all(section, size) <= 0) {
		fprintf(stderr, "not even the section as it is can be read\n");
		return 1;
	}
	for (i = 0; i < size; i++) {
		if (read_all(section, i) >= 0) {
			fprintf(stderr, "read although cut to %zu bytes\n", i);
			return 1;
		}
	}
	for (i = 0; i < size; i++) {
		for (bit = 0; bit < 8; bit++) {
			section[i] ^= 1 << bit;
			read_all(section, size);
			section[i] ^= 1 << bit;
		}
		section[i] = ~section[i];
		read_all(section, size);
		section[i] = ~section[i];
	}
	free(section);
	return 0;
}
