// SPDX-License-Identifier: GPL-2.0

#include <linux/key.h>

#ifdef CONFIG_KEYS
__rust_helper struct key *rust_helper___key_get(struct key *key)
{
	return __key_get(key);
}

__rust_helper struct key *rust_helper_key_ref_to_ptr(const key_ref_t key_ref)
{
	return key_ref_to_ptr(key_ref);
}
#endif
