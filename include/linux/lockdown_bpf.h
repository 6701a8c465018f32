/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Lockdown's policy for BPF programs.
 */
#ifndef _LINUX_LOCKDOWN_BPF_H
#define _LINUX_LOCKDOWN_BPF_H

#include <linux/types.h>
#include <uapi/linux/bpf.h>

struct bpf_prog;
struct bpf_verifier_log;

#ifdef CONFIG_SECURITY_LOCKDOWN_BPF
/* Rust, security/lockdown/bpf */
bool lockdown_bpf_choose(const char *word);
const char *lockdown_bpf_refusal(enum bpf_sig_verdict verdict,
				 enum bpf_sig_keyring keyring, bool covers_all,
				 bool by_signed);

/* C, security/lockdown/bpf/hooks.c */
int lockdown_bpf_prog_load(const struct bpf_prog *prog,
			   struct bpf_verifier_log *log);
#else
static inline int lockdown_bpf_prog_load(const struct bpf_prog *prog,
					 struct bpf_verifier_log *log)
{
	return 0;
}
#endif

#endif /* _LINUX_LOCKDOWN_BPF_H */
