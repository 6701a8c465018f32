/* SPDX-License-Identifier: GPL-2.0 */
/* TAP of tests of libbpf, with what it has said */
#ifndef TAP_H
#define TAP_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <bpf/libbpf.h>

static char log_buf[1 << 16];
static int nr, failures;

/* For libbpf_set_print() */
static int keep_log(enum libbpf_print_level level, const char *fmt, va_list args)
{
	size_t len = strlen(log_buf);

	if (level != LIBBPF_DEBUG)
		vsnprintf(log_buf + len, sizeof(log_buf) - len, fmt, args);
	return 0;
}

/* The next test begins with an empty log. */
static void result(bool ok, const char *name)
{
	char *line, *save;

	printf("%sok %d %s\n", ok ? "" : "not ", ++nr, name);
	failures += !ok;
	for (line = strtok_r(log_buf, "\n", &save); line && !ok; line = strtok_r(NULL, "\n", &save))
		printf("# %s\n", line);
	log_buf[0] = '\0';
}

#endif /* TAP_H */
