/* SPDX-License-Identifier: GPL-2.0 */
#include <bpf/libbpf.h>

/* What tools set before they load; for the verifier and the loader any size will do. */
static inline void size_maps(struct bpf_object *obj)
{
	struct bpf_map *map;

	bpf_object__for_each_map(map, obj) {
		if (!bpf_map__max_entries(map))
			bpf_map__set_max_entries(map, 1024);
		if (bpf_map__type(map) == BPF_MAP_TYPE_STACK_TRACE &&
		    !bpf_map__value_size(map))
			bpf_map__set_value_size(map, 127 * sizeof(__u64));
	}
}
