/* SPDX-License-Identifier: GPL-2.0 */
#ifndef BPF_SIGNED_PROGS_COMMON_H
#define BPF_SIGNED_PROGS_COMMON_H

#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <bpf/bpf_core_read.h>

#endif
