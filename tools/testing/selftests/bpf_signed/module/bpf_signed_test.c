// SPDX-License-Identifier: GPL-2.0
/* A module with a kfunc, a function to attach to, and a type of its own. */
#include <linux/bpf.h>
#include <linux/btf.h>
#include <linux/btf_ids.h>
#include <linux/init.h>
#include <linux/module.h>

struct bpf_signed_test_pair {
	u64 first;
	u32 pad[3];
	u32 second;
};

static struct bpf_signed_test_pair pair __used;

__bpf_kfunc_start_defs();

__bpf_kfunc int bpf_signed_test_add(int a, int b)
{
	return a + b;
}

__bpf_kfunc noinline int bpf_signed_test_target(int a)
{
	barrier();
	return a;
}

__bpf_kfunc_end_defs();

BTF_KFUNCS_START(bpf_signed_test_ids)
BTF_ID_FLAGS(func, bpf_signed_test_add)
BTF_ID_FLAGS(func, bpf_signed_test_target)
BTF_KFUNCS_END(bpf_signed_test_ids)

static const struct btf_kfunc_id_set bpf_signed_test_set = {
	.owner	= THIS_MODULE,
	.set	= &bpf_signed_test_ids,
};

static int __init bpf_signed_test_init(void)
{
	return register_btf_kfunc_id_set(BPF_PROG_TYPE_SYSCALL, &bpf_signed_test_set);
}

static void __exit bpf_signed_test_exit(void)
{
}

module_init(bpf_signed_test_init);
module_exit(bpf_signed_test_exit);
MODULE_DESCRIPTION("Tests of signed BPF images");
MODULE_LICENSE("GPL");
