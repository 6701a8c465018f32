// SPDX-License-Identifier: GPL-2.0

//! What lockdown asks of a program that calls a kfunc.
//!
//! Depends on `core` alone.
//!
//! A kfunc goes by its name, whichever module or set registers it: modules are signed while the
//! kernel is locked down. What comes after each class is why, where the name does not say it.
//! These hold for all of the table:
//!
//! - A kfunc that only hands out, takes or releases a typed pointer to a kernel object needs
//!   [`Class::FIELDS`]; the verifier sees to it that the program can neither tell the address nor
//!   load more than the selected fields.
//! - A family (new, next and destroy; acquire and release) has one class wherever its members are
//!   of no use without each other.
//! - What a `struct_ops` program is given to work on (the socket of a congestion control, the
//!   queue of a qdisc) is its own, as the packet is of a packet program. Such a program is only
//!   ever loaded signed.
//! - Those of sched_ext that stop the scheduler when their arguments are wrong are
//!   [`Class::CONTROL`], even if they otherwise only look something up.

use super::{
    helpers::Rule,
    order,
    policy::Class, //
};

/// A kfunc and what it takes to call it.
pub(crate) struct Kfunc {
    /// The name of the function.
    pub(crate) name: &'static str,
    /// What a program needs.
    pub(crate) rule: Rule,
}

macro_rules! rule {
    (Plain) => {
        Rule::Needs(Class::PLAIN)
    };
    (UserRead) => {
        Rule::Needs(Class::USER_READ)
    };
    (Control) => {
        Rule::Needs(Class::CONTROL)
    };
    (KernelRead) => {
        Rule::Needs(Class::KERNEL_READ)
    };
    (KernelAddress) => {
        Rule::Needs(Class::KERNEL_ADDRESS)
    };
    (Fields) => {
        Rule::Needs(Class::FIELDS)
    };
    (Format) => {
        Rule::Format
    };
    (Packet) => {
        Rule::Packet
    };
}

macro_rules! kfuncs {
    ($($name:ident $rule:ident;)*) => {
        /// Sorted by name, for a binary search; what is not here is refused.
        pub(crate) static KFUNCS: [Kfunc; NAMES.len()] = [
            $(Kfunc {
                name: stringify!($name),
                rule: rule!($rule),
            },)*
        ];

        const NAMES: &[&str] = &[$(stringify!($name)),*];
    };
}

const _: () = assert!(order::is_sorted(NAMES), "kfuncs out of order");

/// The line of the table for this name, if there is one.
pub(crate) fn find(name: &[u8]) -> Option<&'static Kfunc> {
    KFUNCS
        .binary_search_by(|kfunc| kfunc.name.as_bytes().cmp(name))
        .ok()
        .and_then(|at| KFUNCS.get(at))
}

kfuncs! {
    __bpf_trap Plain; // Never runs: marks code that the verifier must not reach.
    __scx_bpf_dsq_insert_vtime Control;
    __scx_bpf_select_cpu_and Control;
    bbr_cwnd_event_tx_start Plain;
    bbr_init Plain;
    bbr_main Plain;
    bbr_min_tso_segs Plain;
    bbr_set_state Plain;
    bbr_sndbuf_expand Plain;
    bbr_ssthresh Plain;
    bbr_undo_cwnd Plain;
    bpf_arena_alloc_pages Plain; // Its address must not be a kernel pointer.
    bpf_arena_free_pages Plain; // Its address must not be a kernel pointer.
    bpf_arena_reserve_pages Plain; // Its address must not be a kernel pointer.
    bpf_binprm_select_interp Control;
    bpf_binprm_set_flags Control;
    bpf_binprm_set_interp Control;
    bpf_binprm_set_interp_arg Control;
    bpf_cast_to_kern_ctx Fields;
    bpf_cgroup_acquire Fields;
    bpf_cgroup_ancestor Fields;
    bpf_cgroup_from_id Fields;
    bpf_cgroup_read_xattr KernelRead;
    bpf_cgroup_release Fields;
    bpf_copy_from_user_dynptr UserRead;
    bpf_copy_from_user_str UserRead;
    bpf_copy_from_user_str_dynptr UserRead;
    bpf_copy_from_user_task_dynptr UserRead;
    bpf_copy_from_user_task_str UserRead;
    bpf_copy_from_user_task_str_dynptr UserRead;
    bpf_cpumask_acquire Plain;
    bpf_cpumask_and Plain;
    bpf_cpumask_any_and_distribute Plain;
    bpf_cpumask_any_distribute Plain;
    bpf_cpumask_clear Plain;
    bpf_cpumask_clear_cpu Plain;
    bpf_cpumask_copy Plain;
    bpf_cpumask_create Plain;
    bpf_cpumask_empty Plain;
    bpf_cpumask_equal Plain;
    bpf_cpumask_first Plain;
    bpf_cpumask_first_and Plain;
    bpf_cpumask_first_zero Plain;
    bpf_cpumask_full Plain;
    bpf_cpumask_intersects Plain;
    bpf_cpumask_or Plain;
    bpf_cpumask_populate Plain;
    bpf_cpumask_release Plain;
    bpf_cpumask_set_cpu Plain;
    bpf_cpumask_setall Plain;
    bpf_cpumask_subset Plain;
    bpf_cpumask_test_and_clear_cpu Plain;
    bpf_cpumask_test_and_set_cpu Plain;
    bpf_cpumask_test_cpu Plain;
    bpf_cpumask_weight Plain;
    bpf_cpumask_xor Plain;
    bpf_crypto_ctx_acquire Plain;
    bpf_crypto_ctx_create Plain; // With the program's own key.
    bpf_crypto_ctx_release Plain;
    bpf_crypto_decrypt Plain;
    bpf_crypto_encrypt Plain;
    bpf_ct_change_status Control; // Connection tracking is shared.
    bpf_ct_change_timeout Control; // Connection tracking is shared.
    bpf_ct_insert_entry Control; // Connection tracking is shared.
    bpf_ct_release Fields;
    bpf_ct_set_nat_info Control; // Connection tracking is shared.
    bpf_ct_set_status Control; // Connection tracking is shared.
    bpf_ct_set_timeout Control; // Connection tracking is shared.
    bpf_dynptr_adjust Plain;
    bpf_dynptr_clone Plain;
    bpf_dynptr_copy Plain;
    bpf_dynptr_file_discard KernelRead; // The content of a file.
    bpf_dynptr_from_file KernelRead; // The content of a file.
    bpf_dynptr_from_skb Packet;
    bpf_dynptr_from_skb_meta Plain;
    bpf_dynptr_from_xdp Plain;
    bpf_dynptr_is_null Plain;
    bpf_dynptr_is_rdonly Plain;
    bpf_dynptr_memset Plain;
    bpf_dynptr_size Plain;
    bpf_dynptr_slice Plain;
    bpf_dynptr_slice_rdwr Plain;
    bpf_get_dentry_xattr KernelRead;
    bpf_get_file_xattr KernelRead;
    bpf_get_fsverity_digest KernelRead;
    bpf_get_kmem_cache KernelRead; // Tells of any address whether and where it was allocated.
    bpf_get_lowcore KernelAddress; // Holds the CPU's registers and stacks.
    bpf_get_mem_cgroup Fields;
    bpf_get_root_mem_cgroup Fields;
    bpf_get_task_exe_file Fields;
    bpf_icmp_send Plain; // The answer to a packet that is refused.
    bpf_io_uring_get_region Control; // In the name of the task that owns the ring.
    bpf_io_uring_submit_sqes Control; // In the name of the task that owns the ring.
    bpf_iter_bits_destroy KernelRead; // Takes any address.
    bpf_iter_bits_new KernelRead; // Takes any address.
    bpf_iter_bits_next KernelRead; // Takes any address.
    bpf_iter_css_destroy Fields;
    bpf_iter_css_new Fields;
    bpf_iter_css_next Fields;
    bpf_iter_css_task_destroy Fields;
    bpf_iter_css_task_new Fields;
    bpf_iter_css_task_next Fields;
    bpf_iter_dmabuf_destroy Fields;
    bpf_iter_dmabuf_new Fields;
    bpf_iter_dmabuf_next Fields;
    bpf_iter_kmem_cache_destroy Fields;
    bpf_iter_kmem_cache_new Fields;
    bpf_iter_kmem_cache_next Fields;
    bpf_iter_num_destroy Plain;
    bpf_iter_num_new Plain;
    bpf_iter_num_next Plain;
    bpf_iter_scx_dsq_destroy Control;
    bpf_iter_scx_dsq_new Control;
    bpf_iter_scx_dsq_next Control;
    bpf_iter_task_destroy Fields;
    bpf_iter_task_new Fields;
    bpf_iter_task_next Fields;
    bpf_iter_task_vma_destroy Fields; // Hands out a copy, in memory that it gives back unwiped.
    bpf_iter_task_vma_new Fields; // Hands out a copy, in memory that it gives back unwiped.
    bpf_iter_task_vma_next Fields; // Hands out a copy, in memory that it gives back unwiped.
    bpf_key_put Fields;
    bpf_kfree_skb Plain; // Of bpf_qdisc: its own queue and packets.
    bpf_kfunc_call_memb_release Control; // For the selftests.
    bpf_kfunc_call_test_release Control; // For the selftests.
    bpf_ksock_acquire Control; // Sends what the program has seen.
    bpf_ksock_connect Control; // Sends what the program has seen.
    bpf_ksock_create Control; // Sends what the program has seen.
    bpf_ksock_release Control; // Sends what the program has seen.
    bpf_ksock_send Control; // Sends what the program has seen.
    bpf_list_add Plain;
    bpf_list_back Plain;
    bpf_list_del Plain;
    bpf_list_empty Plain;
    bpf_list_front Plain;
    bpf_list_is_first Plain;
    bpf_list_is_last Plain;
    bpf_list_pop_back Plain;
    bpf_list_pop_front Plain;
    bpf_list_push_back Plain;
    bpf_list_push_back_impl Plain;
    bpf_list_push_front Plain;
    bpf_list_push_front_impl Plain;
    bpf_local_irq_restore Control; // Holds up the CPU for as long as the program likes.
    bpf_local_irq_save Control; // Holds up the CPU for as long as the program likes.
    bpf_lookup_system_key Fields;
    bpf_lookup_user_key Control; // Can make keyrings for the current task.
    bpf_map_sum_elem_count Plain; // A number.
    bpf_mem_cgroup_flush_stats Fields; // As a reader of cgroupfs does.
    bpf_mem_cgroup_memory_events Fields; // A number that cgroupfs has.
    bpf_mem_cgroup_page_state Fields; // A number that cgroupfs has.
    bpf_mem_cgroup_usage Fields; // A number that cgroupfs has.
    bpf_mem_cgroup_vm_events Fields; // A number that cgroupfs has.
    bpf_modify_return_test_tp Control; // Fires a tracepoint, for the selftests.
    bpf_obj_drop Plain;
    bpf_obj_drop_impl Plain;
    bpf_obj_new Plain; // It has to come wiped.
    bpf_obj_new_impl Plain; // It has to come wiped.
    bpf_path_d_path KernelRead;
    bpf_percpu_obj_drop Plain;
    bpf_percpu_obj_drop_impl Plain;
    bpf_percpu_obj_new Plain; // It has to come wiped.
    bpf_percpu_obj_new_impl Plain; // It has to come wiped.
    bpf_preempt_disable Control; // Holds up the CPU for as long as the program likes.
    bpf_preempt_enable Control; // Holds up the CPU for as long as the program likes.
    bpf_probe_read_kernel_dynptr KernelRead;
    bpf_probe_read_kernel_str_dynptr KernelRead;
    bpf_probe_read_user_dynptr UserRead;
    bpf_probe_read_user_str_dynptr UserRead;
    bpf_put_file Fields;
    bpf_put_mem_cgroup Fields;
    bpf_qdisc_bstats_update Plain; // Of bpf_qdisc: its own queue and packets.
    bpf_qdisc_init_prologue Plain; // Of bpf_qdisc: its own queue and packets.
    bpf_qdisc_reset_destroy_epilogue Plain; // Of bpf_qdisc: its own queue and packets.
    bpf_qdisc_skb_drop Plain; // Of bpf_qdisc: its own queue and packets.
    bpf_qdisc_watchdog_schedule Plain; // Of bpf_qdisc: its own queue and packets.
    bpf_rbtree_add Plain;
    bpf_rbtree_add_impl Plain;
    bpf_rbtree_first Plain;
    bpf_rbtree_left Plain;
    bpf_rbtree_remove Plain;
    bpf_rbtree_right Plain;
    bpf_rbtree_root Plain;
    bpf_rcu_read_lock Plain;
    bpf_rcu_read_unlock Plain;
    bpf_rdonly_cast KernelRead; // Any address becomes readable.
    bpf_real_data_inode Fields;
    bpf_refcount_acquire Plain;
    bpf_refcount_acquire_impl Plain;
    bpf_remove_dentry_xattr Control;
    bpf_res_spin_lock KernelAddress; // A deadlock tells the addresses.
    bpf_res_spin_lock_irqsave KernelAddress; // A deadlock tells the addresses.
    bpf_res_spin_unlock KernelAddress; // A deadlock tells the addresses.
    bpf_res_spin_unlock_irqrestore KernelAddress; // A deadlock tells the addresses.
    bpf_send_signal_task Control;
    bpf_session_cookie KernelAddress; // A kprobe's cookie starts as what the shadow stack held.
    bpf_session_is_return Plain;
    bpf_set_dentry_xattr Control;
    bpf_sk_assign_tcp_reqsk Plain; // Says who gets this packet.
    bpf_skb_ct_alloc Control; // Connection tracking is shared.
    bpf_skb_ct_lookup Fields;
    bpf_skb_get_fou_encap Plain; // The packet's own tunnel data.
    bpf_skb_get_hash Plain; // Of bpf_qdisc: its own queue and packets.
    bpf_skb_get_xfrm_info Plain; // The packet's own tunnel data.
    bpf_skb_set_fou_encap Plain; // The packet's own tunnel data.
    bpf_skb_set_xfrm_info Plain; // The packet's own tunnel data.
    bpf_sock_addr_set_sun_path Plain;
    bpf_sock_destroy Control;
    bpf_sock_ops_enable_tx_tstamp Plain;
    bpf_sock_read_xattr KernelRead;
    bpf_strcasecmp KernelRead; // Takes any address.
    bpf_strcasestr KernelRead; // Takes any address.
    bpf_strchr KernelRead; // Takes any address.
    bpf_strchrnul KernelRead; // Takes any address.
    bpf_strcmp KernelRead; // Takes any address.
    bpf_strcspn KernelRead; // Takes any address.
    bpf_stream_print_stack KernelAddress;
    bpf_stream_vprintk Format; // Its second argument.
    bpf_strlen KernelRead; // Takes any address.
    bpf_strncasecmp KernelRead; // Takes any address.
    bpf_strncasestr KernelRead; // Takes any address.
    bpf_strnchr KernelRead; // Takes any address.
    bpf_strnlen KernelRead; // Takes any address.
    bpf_strnstr KernelRead; // Takes any address.
    bpf_strrchr KernelRead; // Takes any address.
    bpf_strspn KernelRead; // Takes any address.
    bpf_strstr KernelRead; // Takes any address.
    bpf_task_acquire Fields;
    bpf_task_from_pid Fields;
    bpf_task_from_vpid Fields;
    bpf_task_get_cgroup1 Fields;
    bpf_task_release Fields;
    bpf_task_under_cgroup Fields;
    bpf_task_work_schedule_resume Control; // Interrupts another task and runs in it.
    bpf_task_work_schedule_signal Control; // Interrupts another task and runs in it.
    bpf_throw Plain; // Ends the program that calls it.
    bpf_timer_cancel_async Plain; // The program's own callbacks.
    bpf_verify_pkcs7_signature Fields;
    bpf_wakeup_sources_get_head KernelAddress; // The list's address, as a scalar.
    bpf_wakeup_sources_read_lock Fields;
    bpf_wakeup_sources_read_unlock Fields;
    bpf_wq_init Plain; // The program's own callbacks.
    bpf_wq_set_callback Plain; // The program's own callbacks.
    bpf_wq_start Plain; // The program's own callbacks.
    bpf_xdp_ct_alloc Control; // Connection tracking is shared.
    bpf_xdp_ct_lookup Fields;
    bpf_xdp_flow_lookup Fields;
    bpf_xdp_get_xfrm_state Fields; // Keys hang off it: none of them may be a selected field.
    bpf_xdp_metadata_rx_hash Plain;
    bpf_xdp_metadata_rx_timestamp Plain;
    bpf_xdp_metadata_rx_vlan_tag Plain;
    bpf_xdp_pull_data Plain;
    bpf_xdp_xfrm_state_release Fields;
    crash_kexec Control;
    css_rstat_flush Fields; // As a reader of cgroupfs does.
    css_rstat_updated Control;
    cubictcp_acked Plain;
    cubictcp_cong_avoid Plain;
    cubictcp_cwnd_event_tx_start Plain;
    cubictcp_init Plain;
    cubictcp_recalc_ssthresh Plain;
    cubictcp_state Plain;
    dctcp_cwnd_event Plain;
    dctcp_cwnd_event_tx_start Plain;
    dctcp_cwnd_undo Plain;
    dctcp_init Plain;
    dctcp_ssthresh Plain;
    dctcp_state Plain;
    dctcp_update_alpha Plain;
    hid_bpf_allocate_context Control; // What is typed, and typing.
    hid_bpf_get_data Control; // What is typed, and typing.
    hid_bpf_hw_output_report Control; // What is typed, and typing.
    hid_bpf_hw_request Control; // What is typed, and typing.
    hid_bpf_input_report Control; // What is typed, and typing.
    hid_bpf_release_context Control; // What is typed, and typing.
    hid_bpf_try_input_report Control; // What is typed, and typing.
    scx_bpf_cid_curr Control;
    scx_bpf_cid_override Control;
    scx_bpf_cid_to_cpu Control;
    scx_bpf_cid_topo Control;
    scx_bpf_cidperf_cap Control;
    scx_bpf_cidperf_cur Control;
    scx_bpf_cidperf_set Control;
    scx_bpf_cpu_curr Control;
    scx_bpf_cpu_node Control;
    scx_bpf_cpu_to_cid Control;
    scx_bpf_cpuperf_cap Control;
    scx_bpf_cpuperf_cur Control;
    scx_bpf_cpuperf_set Control;
    scx_bpf_create_dsq Control;
    scx_bpf_destroy_dsq Control;
    scx_bpf_dispatch_cancel Control;
    scx_bpf_dispatch_nr_slots Plain;
    scx_bpf_dsq_insert Control;
    scx_bpf_dsq_insert___v2 Control;
    scx_bpf_dsq_insert_vtime Control;
    scx_bpf_dsq_move Control;
    scx_bpf_dsq_move_set_slice Control;
    scx_bpf_dsq_move_set_vtime Control;
    scx_bpf_dsq_move_to_local Control;
    scx_bpf_dsq_move_to_local___v2 Control;
    scx_bpf_dsq_move_vtime Control;
    scx_bpf_dsq_nr_queued Control;
    scx_bpf_dsq_peek Control;
    scx_bpf_dsq_reenq Control;
    scx_bpf_dump_bstr KernelRead; // The format is any memory and can ask for %s and %p.
    scx_bpf_error_bstr KernelRead; // The format is any memory and can ask for %s and %p.
    scx_bpf_events Plain; // Its scheduler's counters.
    scx_bpf_exit_bstr KernelRead; // The format is any memory and can ask for %s and %p.
    scx_bpf_get_idle_cpumask Control;
    scx_bpf_get_idle_cpumask_node Control;
    scx_bpf_get_idle_smtmask Control;
    scx_bpf_get_idle_smtmask_node Control;
    scx_bpf_get_online_cpumask Fields;
    scx_bpf_get_possible_cpumask Fields;
    scx_bpf_kick_cid Control;
    scx_bpf_kick_cpu Control;
    scx_bpf_locked_rq Control;
    scx_bpf_now Plain;
    scx_bpf_nr_cids Plain;
    scx_bpf_nr_cpu_ids Plain;
    scx_bpf_nr_node_ids Plain;
    scx_bpf_nr_online_cids Plain;
    scx_bpf_online_cmask Plain; // In its scheduler's arena.
    scx_bpf_pick_any_cpu Control;
    scx_bpf_pick_any_cpu_node Control;
    scx_bpf_pick_idle_cpu Control;
    scx_bpf_pick_idle_cpu_node Control;
    scx_bpf_put_cpumask Fields;
    scx_bpf_put_idle_cpumask Fields;
    scx_bpf_reenqueue_local Control;
    scx_bpf_reenqueue_local___v2 Control;
    scx_bpf_select_cpu_and Control;
    scx_bpf_select_cpu_dfl Control;
    scx_bpf_sub_caps Control;
    scx_bpf_sub_dispatch Control;
    scx_bpf_sub_grant Control;
    scx_bpf_sub_kill_bstr KernelRead; // The format is any memory and can ask for %s and %p.
    scx_bpf_sub_revoke Control;
    scx_bpf_task_cgroup Control;
    scx_bpf_task_cid Fields;
    scx_bpf_task_cpu Fields;
    scx_bpf_task_running Fields;
    scx_bpf_task_set_dsq_vtime Control;
    scx_bpf_task_set_slice Control;
    scx_bpf_test_and_clear_cpu_idle Control;
    scx_bpf_this_cid Plain;
    scx_bpf_tid_to_task Control;
    tcp_cong_avoid_ai Plain;
    tcp_reno_cong_avoid Plain;
    tcp_reno_ssthresh Plain;
    tcp_reno_undo_cwnd Plain;
    tcp_slow_start Plain;
}
