// SPDX-License-Identifier: GPL-2.0
/* Every byte of image, signature and BTF, changed, cut off and appended. */
#include "lib.h"

static struct object *obj;
static struct image_prog prog;
static int fds[BPF_IMAGE_MAX_MAPS], fd_cnt;

/* Copies that may be written to */
static void setup(void)
{
	const struct image_prog *orig;
	void *copy;

	obj = object_open("small.signed.o");
	orig = object_prog(obj, "small");
	fd_cnt = make_maps(obj, orig, fds);
	prog = *orig;
	copy = calloc(1, prog.image_len + 64);
	memcpy(copy, orig->image, prog.image_len);
	prog.image = copy;
	copy = calloc(1, prog.sig_len + 64);
	memcpy(copy, orig->sig, prog.sig_len);
	prog.sig = copy;
}

static int load(int btf_fd)
{
	union bpf_attr attr;

	image_attr(&attr, &prog, fds, fd_cnt, btf_fd);
	return image_load(&attr);
}

static void check_untouched_loads(void)
{
	int fd = load(obj->btf_fd);

	check(fd >= 0, "what was not changed: %s; log: %s", strerror(-fd), log_text);
	close(fd);
}

static bool is_signature_error(int ret)
{
	return ret == -EKEYREJECTED || ret == -ENOKEY || ret == -EBADMSG || ret == -ENOPKG;
}

static const unsigned char flips[] = { 0x01, 0x80, 0xff };

static void every_byte_of_the_image(const void *arg)
{
	unsigned char *image;
	__u32 i;
	size_t f;

	setup();
	check_untouched_loads();
	image = (void *)prog.image;
	for (i = 0; i < prog.image_len; i++) {
		for (f = i % 2; f < sizeof(flips); f += 2) {
			int ret;

			image[i] ^= flips[f];
			ret = load(obj->btf_fd);
			image[i] ^= flips[f];
			check(ret == -EKEYREJECTED, "byte %u ^ %#x: %s", i, flips[f],
			      ret < 0 ? strerror(-ret) : "it loaded");
		}
	}
	check_untouched_loads();
}

static void every_byte_of_the_signature(const void *arg)
{
	unsigned char *sig;
	__u32 i, loaded = 0;
	size_t f;

	setup();
	check_untouched_loads();
	sig = (void *)prog.sig;
	for (i = 0; i < prog.sig_len; i++) {
		for (f = 0; f < sizeof(flips); f++) {
			int ret;

			sig[i] ^= flips[f];
			ret = load(obj->btf_fd);
			sig[i] ^= flips[f];
			if (ret >= 0) {
				printf("# byte %u, %#x ^ %#x: it loaded\n", i, sig[i], flips[f]);
				close(ret);
				loaded++;
				continue;
			}
			check(is_signature_error(ret), "byte %u ^ %#x: %s", i, flips[f],
			      strerror(-ret));
		}
	}
	check(!loaded, "%u changed signatures loaded", loaded);
	check_untouched_loads();
}

static void every_byte_of_the_btf(const void *arg)
{
	unsigned char *btf;
	__u32 i, taken = 0;

	setup();
	check_untouched_loads();
	btf = malloc(obj->btf_len);
	memcpy(btf, obj->btf, obj->btf_len);
	for (i = 0; i < obj->btf_len; i++) {
		unsigned char flip = flips[i % sizeof(flips)];
		int fd, ret;

		btf[i] ^= flip;
		fd = btf_load(btf, obj->btf_len);
		btf[i] ^= flip;
		if (fd < 0)
			continue;
		taken++;
		ret = load(fd);
		close(fd);
		check(ret == -EINVAL, "byte %u ^ %#x: %s", i, flip,
		      ret < 0 ? strerror(-ret) : "it loaded");
		check(strstr(log_text, "prog_btf_fd: it is not the BTF"),
		      "byte %u: log: %s", i, log_text);
	}
	/* otherwise nothing was tested but BPF_BTF_LOAD */
	check(taken > 100, "BPF_BTF_LOAD took only %u of them", taken);
	check_untouched_loads();
}

static void every_length_of_the_image(const void *arg)
{
	__u32 len;
	int ret;

	setup();
	len = prog.image_len;
	for (prog.image_len = 0; prog.image_len <= len + 32; prog.image_len++) {
		if (prog.image_len == len)
			continue;
		ret = load(obj->btf_fd);
		check(ret == -EKEYREJECTED, "%u bytes: %s", prog.image_len,
		      ret < 0 ? strerror(-ret) : "it loaded");
	}
	prog.image_len = len;
	check_untouched_loads();
}

static void every_length_of_the_signature(const void *arg)
{
	__u32 len;
	int ret;

	setup();
	len = prog.sig_len;
	for (prog.sig_len = 0; prog.sig_len <= len + 32; prog.sig_len++) {
		if (prog.sig_len == len)
			continue;
		ret = load(obj->btf_fd);
		check(is_signature_error(ret), "%u bytes: %s", prog.sig_len,
		      ret < 0 ? strerror(-ret) : "it loaded");
	}
	prog.sig_len = len;
	check_untouched_loads();
}

/* Truncated, and then signed as it is: now the parser has to refuse. */
static void every_length_signed(const void *arg)
{
	__u32 len, sig_len;
	int ret;

	setup();
	len = prog.image_len;
	for (prog.image_len = 0; prog.image_len <= len + 16; prog.image_len++) {
		if (prog.image_len == len)
			continue;
		prog.sig = sign_bytes(fast_signer(), prog.image, prog.image_len, &sig_len);
		prog.sig_len = sig_len;
		ret = load(obj->btf_fd);
		free((void *)prog.sig);
		check(ret == -EINVAL, "%u bytes: %s", prog.image_len,
		      ret < 0 ? strerror(-ret) : "it loaded");
		check(!strncmp(log_text, "image: ", 7), "%u bytes: log: %s", prog.image_len,
		      log_text);
	}
}

/*
 * Each byte changed and the image signed again: then it is another image,
 * which may load. Whatever it is, the kernel survives, and an image that the
 * parser refuses is refused with words.
 */
static void every_byte_signed(const void *arg)
{
	unsigned char *image;
	__u32 i, loaded = 0, refused = 0;
	int ret;

	setup();
	image = (void *)prog.image;
	for (i = 0; i < prog.image_len; i++) {
		image[i] ^= flips[i % sizeof(flips)];
		prog.sig = sign_bytes(fast_signer(), image, prog.image_len, &prog.sig_len);
		ret = load(obj->btf_fd);
		free((void *)prog.sig);
		image[i] ^= flips[i % sizeof(flips)];
		check(!is_signature_error(ret), "byte %u: %s", i, strerror(-ret));
		if (ret >= 0) {
			close(ret);
			loaded++;
			continue;
		}
		refused++;
		check(log_text[0] || ret == -EINVAL, "byte %u: %s without a word", i,
		      strerror(-ret));
	}
	printf("# %u refused, %u loaded as the other image that they are\n", refused, loaded);
	check(refused > prog.image_len / 4, "only %u were refused", refused);
}

static void btf_cut_off(const void *arg)
{
	__u32 len;
	int fd, ret;

	setup();
	for (len = 0; len < obj->btf_len; len += 1 + len / 64) {
		fd = btf_load(obj->btf, len);
		if (fd < 0)
			continue;
		ret = load(fd);
		close(fd);
		check(ret == -EINVAL, "%u bytes: %s", len, ret < 0 ? strerror(-ret) : "it loaded");
	}
}

static const struct test_case cases[] = {
	CASE(every_byte_of_the_image),
	CASE(every_byte_of_the_signature),
	CASE(every_byte_of_the_btf),
	CASE(every_length_of_the_image),
	CASE(every_length_of_the_signature),
	CASE(every_length_signed),
	CASE(every_byte_signed),
	CASE(btf_cut_off),
};

int main(int argc, char **argv)
{
	return run_cases(argc, argv, cases, ARRAY_SIZE(cases));
}
