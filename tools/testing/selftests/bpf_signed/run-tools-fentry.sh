#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Many of bcc's libbpf-tools try an unsigned program to see whether fentry can be
# had, and fall back to kprobes where that is refused. Here it is not refused:
# signed programs, attached by fentry to targets that the tools choose, named by
# the loader and found by the kernel.
#
# APPEND: lockdown=none
# BEFORE: dev/libbpf-tools.sh
# CPUS: 1
# MEMORY: 2G
# TIMEOUT: 900

HERE=$(cd "$(dirname "$0")" && pwd)
RUN_AS=$(basename "$0" .sh) WATCH_BY=tracing \
	exec "$HERE/run-tools.sh" fsslower fsdist funclatency tcppktlat tcpconnlat \
	vfsstat solisten tcpsynbl tcprtt biosnoop mdflush
