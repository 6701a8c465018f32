// SPDX-License-Identifier: GPL-2.0

//! Tracepoints whose records a program may see in confidentiality mode.
//!
//! A program of type `tracepoint` reads the fixed part of the record as the tracepoint's
//! definition lays it out (the first eight bytes, which hold a pointer, are closed to it by the
//! verifier). What is not named is refused.
//!
//! Listed are records of process ids, names, numbers of devices, interfaces, files and CPUs,
//! counts, sizes, times, states, flags and network addresses. Not listed are records that hold
//!
//! - an address of the kernel, be it an object, a function or a call site;
//! - a physical address or page frame number, which tells where an object lies;
//! - an address in user space, or registers of user space: see the second table.
//!
//! Every event stands by its own name, with no pattern: a later kernel may add one with an address
//! to the same category.
//!
//! The record is built in a buffer of the CPU that earlier records have used. Padding between its
//! fields, and the rest of a short string in an array, show what these left there, addresses
//! included. So whoever lets a program see these records clears the buffer first.

/// "category/name", in byte order: no address, no secret.
pub(crate) static TRACEPOINTS: [&str; 244] = [
    "alarmtimer/alarmtimer_suspend",
    "block/blk_zone_append_update_request_bio",
    "block/blk_zone_wplug_bio",
    "block/blkdev_zone_mgmt",
    "block/block_bio_backmerge",
    "block/block_bio_complete",
    "block/block_bio_frontmerge",
    "block/block_bio_queue",
    "block/block_bio_remap",
    "block/block_dirty_buffer",
    "block/block_getrq",
    "block/block_io_done",
    "block/block_io_start",
    "block/block_plug",
    "block/block_rq_complete",
    "block/block_rq_error",
    "block/block_rq_insert",
    "block/block_rq_issue",
    "block/block_rq_merge",
    "block/block_rq_remap",
    "block/block_rq_requeue",
    "block/block_rq_tag_wait",
    "block/block_split",
    "block/block_touch_buffer",
    "block/block_unplug",
    "block/disk_zone_wplug_add_bio",
    "cgroup/cgroup_attach_task",
    "cgroup/cgroup_destroy_root",
    "cgroup/cgroup_freeze",
    "cgroup/cgroup_mkdir",
    "cgroup/cgroup_notify_frozen",
    "cgroup/cgroup_notify_populated",
    "cgroup/cgroup_release",
    "cgroup/cgroup_remount",
    "cgroup/cgroup_rename",
    "cgroup/cgroup_rmdir",
    "cgroup/cgroup_rstat_lock_contended",
    "cgroup/cgroup_rstat_locked",
    "cgroup/cgroup_rstat_unlock",
    "cgroup/cgroup_setup_root",
    "cgroup/cgroup_transfer_tasks",
    "cgroup/cgroup_unfreeze",
    "compaction/mm_compaction_defer_compaction",
    "compaction/mm_compaction_defer_reset",
    "compaction/mm_compaction_deferred",
    "compaction/mm_compaction_finished",
    "compaction/mm_compaction_kcompactd_sleep",
    "compaction/mm_compaction_kcompactd_wake",
    "compaction/mm_compaction_migratepages",
    "compaction/mm_compaction_suitable",
    "compaction/mm_compaction_try_to_compact_pages",
    "compaction/mm_compaction_wakeup_kcompactd",
    "cpuhp/cpuhp_exit",
    "filemap/filemap_set_wb_err",
    "filemap/mm_filemap_fault",
    "filemap/mm_filemap_get_pages",
    "filemap/mm_filemap_map_pages",
    "hw_pressure/hw_pressure_update",
    "irq/irq_handler_entry",
    "irq/irq_handler_exit",
    "irq/softirq_entry",
    "irq/softirq_exit",
    "irq/softirq_raise",
    "jbd2/jbd2_checkpoint",
    "jbd2/jbd2_checkpoint_stats",
    "jbd2/jbd2_commit_flushing",
    "jbd2/jbd2_commit_locking",
    "jbd2/jbd2_commit_logging",
    "jbd2/jbd2_drop_transaction",
    "jbd2/jbd2_end_commit",
    "jbd2/jbd2_handle_extend",
    "jbd2/jbd2_handle_restart",
    "jbd2/jbd2_handle_start",
    "jbd2/jbd2_handle_stats",
    "jbd2/jbd2_lock_buffer_stall",
    "jbd2/jbd2_run_stats",
    "jbd2/jbd2_shrink_checkpoint_list",
    "jbd2/jbd2_shrink_count",
    "jbd2/jbd2_shrink_scan_enter",
    "jbd2/jbd2_shrink_scan_exit",
    "jbd2/jbd2_start_commit",
    "jbd2/jbd2_submit_inode_data",
    "jbd2/jbd2_update_log_tail",
    "jbd2/jbd2_write_superblock",
    "kmem/mm_calculate_totalreserve_pages",
    "kmem/mm_setup_per_zone_lowmem_reserve",
    "kmem/mm_setup_per_zone_wmarks",
    "migrate/mm_migrate_pages",
    "migrate/mm_migrate_pages_start",
    "module/module_free",
    "module/module_load",
    "napi/dql_stall_detected",
    "net/napi_gro_frags_exit",
    "net/napi_gro_receive_exit",
    "net/net_dev_xmit_timeout",
    "net/netif_receive_skb_exit",
    "net/netif_receive_skb_list_exit",
    "net/netif_rx_exit",
    "oom/compact_retry",
    "oom/finish_task_reaping",
    "oom/mark_victim",
    "oom/oom_score_adj_update",
    "oom/reclaim_retry_zone",
    "oom/skip_task_reaping",
    "oom/start_task_reaping",
    "oom/wake_reaper",
    "power/cpu_frequency",
    "power/cpu_frequency_limits",
    "power/cpu_idle",
    "power/cpu_idle_miss",
    "power/dev_pm_qos_add_request",
    "power/dev_pm_qos_remove_request",
    "power/dev_pm_qos_update_request",
    "power/device_pm_callback_end",
    "power/device_pm_callback_start",
    "power/guest_halt_poll_ns",
    "power/pm_qos_add_request",
    "power/pm_qos_remove_request",
    "power/pm_qos_update_flags",
    "power/pm_qos_update_request",
    "power/pm_qos_update_target",
    "power/pstate_sample",
    "power/wakeup_source_activate",
    "power/wakeup_source_deactivate",
    "qdisc/qdisc_create",
    "qdisc/qdisc_destroy",
    "qdisc/qdisc_reset",
    "readahead/page_cache_async_ra",
    "readahead/page_cache_ra_order",
    "readahead/page_cache_ra_unbounded",
    "readahead/page_cache_sync_ra",
    "rtc/rtc_alarm_irq_enable",
    "rtc/rtc_irq_set_freq",
    "rtc/rtc_irq_set_state",
    "rtc/rtc_read_alarm",
    "rtc/rtc_read_offset",
    "rtc/rtc_read_time",
    "rtc/rtc_set_alarm",
    "rtc/rtc_set_offset",
    "rtc/rtc_set_time",
    "sched/sched_kthread_stop",
    "sched/sched_kthread_stop_ret",
    "sched/sched_migrate_task",
    "sched/sched_move_numa",
    "sched/sched_pi_setprio",
    "sched/sched_prepare_exec",
    "sched/sched_process_exec",
    "sched/sched_process_exit",
    "sched/sched_process_fork",
    "sched/sched_process_free",
    "sched/sched_process_hang",
    "sched/sched_process_wait",
    "sched/sched_skip_cpuset_numa",
    "sched/sched_stat_blocked",
    "sched/sched_stat_iowait",
    "sched/sched_stat_runtime",
    "sched/sched_stat_sleep",
    "sched/sched_stat_wait",
    "sched/sched_stick_numa",
    "sched/sched_swap_numa",
    "sched/sched_switch",
    "sched/sched_wait_task",
    "sched/sched_wake_idle_without_ipi",
    "sched/sched_wakeup",
    "sched/sched_wakeup_new",
    "sched/sched_waking",
    "sched_ext/sched_ext_bypass_lb",
    "sched_ext/sched_ext_event",
    "scsi/scsi_dispatch_cmd_done",
    "scsi/scsi_dispatch_cmd_error",
    "scsi/scsi_dispatch_cmd_start",
    "scsi/scsi_dispatch_cmd_timeout",
    "scsi/scsi_eh_wakeup",
    "signal/signal_generate",
    "sock/inet_sk_error_report",
    "sock/sock_exceed_buf_limit",
    "sock/sock_rcvqueue_full",
    "task/task_newtask",
    "task/task_rename",
    "thermal/cdev_update",
    "thermal/thermal_temperature",
    "thermal/thermal_zone_trip",
    "timer/hrtimer_rearm",
    "timer/itimer_expire",
    "timer/itimer_state",
    "timer/tick_stop",
    "timer/timer_base_idle",
    "udp/udp_fail_queue_rcv_skb",
    "vmscan/mm_vmscan_balance_pgdat_begin",
    "vmscan/mm_vmscan_balance_pgdat_end",
    "vmscan/mm_vmscan_direct_reclaim_begin",
    "vmscan/mm_vmscan_direct_reclaim_end",
    "vmscan/mm_vmscan_kswapd_clear_hopeless",
    "vmscan/mm_vmscan_kswapd_reclaim_fail",
    "vmscan/mm_vmscan_kswapd_sleep",
    "vmscan/mm_vmscan_kswapd_wake",
    "vmscan/mm_vmscan_lru_isolate",
    "vmscan/mm_vmscan_lru_shrink_active",
    "vmscan/mm_vmscan_lru_shrink_inactive",
    "vmscan/mm_vmscan_memcg_reclaim_begin",
    "vmscan/mm_vmscan_memcg_reclaim_end",
    "vmscan/mm_vmscan_memcg_softlimit_reclaim_begin",
    "vmscan/mm_vmscan_memcg_softlimit_reclaim_end",
    "vmscan/mm_vmscan_node_reclaim_begin",
    "vmscan/mm_vmscan_node_reclaim_end",
    "vmscan/mm_vmscan_reclaim_pages",
    "vmscan/mm_vmscan_throttled",
    "vmscan/mm_vmscan_wakeup_kswapd",
    "watchdog/watchdog_ping",
    "watchdog/watchdog_set_timeout",
    "watchdog/watchdog_start",
    "watchdog/watchdog_stop",
    "writeback/balance_dirty_pages",
    "writeback/bdi_dirty_ratelimit",
    "writeback/flush_foreign",
    "writeback/folio_wait_writeback",
    "writeback/global_dirty_state",
    "writeback/inode_foreign_history",
    "writeback/inode_switch_wbs",
    "writeback/inode_switch_wbs_queue",
    "writeback/sb_clear_inode_writeback",
    "writeback/sb_mark_inode_writeback",
    "writeback/track_foreign_dirty",
    "writeback/writeback_bdi_register",
    "writeback/writeback_dirty_folio",
    "writeback/writeback_dirty_inode",
    "writeback/writeback_dirty_inode_enqueue",
    "writeback/writeback_dirty_inode_start",
    "writeback/writeback_lazytime",
    "writeback/writeback_mark_inode_dirty",
    "writeback/writeback_pages_written",
    "writeback/writeback_queue_io",
    "writeback/writeback_sb_inodes_requeue",
    "writeback/writeback_single_inode",
    "writeback/writeback_single_inode_start",
    "writeback/writeback_write_inode",
    "writeback/writeback_write_inode_start",
    "xdp/xdp_bulk_tx",
    "xdp/xdp_cpumap_enqueue",
    "xdp/xdp_cpumap_kthread",
    "xdp/xdp_devmap_xmit",
    "xdp/xdp_exception",
    "xdp/xdp_redirect",
    "xdp/xdp_redirect_err",
];

/// "category/name" or "category/*", in byte order: registers and addresses of user space, but none
/// of the kernel. They need the class `user-read`. The pattern is for the events that the kernel
/// makes of its system calls, and for no event of another kind that bears this category.
pub(crate) static USER_TRACEPOINTS: [&str; 6] = [
    "exceptions/page_fault_user",
    "raw_syscalls/sys_enter",
    "raw_syscalls/sys_exit",
    "signal/signal_deliver",
    "syscalls/*",
    "task/task_prctl_unknown",
];

/// Orders byte strings at compile time.
const fn less(a: &[u8], b: &[u8]) -> bool {
    let mut i = 0;
    while i < a.len() && i < b.len() {
        if a[i] != b[i] {
            return a[i] < b[i];
        }
        i += 1;
    }
    a.len() < b.len()
}

/// Whether names are in order, each there once.
const fn sorted(names: &[&str]) -> bool {
    let mut i = 1;
    while i < names.len() {
        if !less(names[i - 1].as_bytes(), names[i].as_bytes()) {
            return false;
        }
        i += 1;
    }
    true
}

// Binary search needs the order.
const _: () = assert!(sorted(&TRACEPOINTS) && sorted(&USER_TRACEPOINTS));

fn has(names: &[&str], name: &[u8]) -> bool {
    names
        .binary_search_by(|listed| listed.as_bytes().cmp(name))
        .is_ok()
}

/// Whether the record of a tracepoint, `category/name`, holds no secret.
pub(crate) fn is_listed(name: &[u8]) -> bool {
    has(&TRACEPOINTS, name)
}

/// Whether the record of a tracepoint holds what user space has passed, and no more.
pub(crate) fn is_of_user(name: &[u8]) -> bool {
    // A name that the signer has given with a '*' stands for itself alone in the table.
    has(&USER_TRACEPOINTS, name)
        || (name.starts_with(b"syscalls/") && has(&USER_TRACEPOINTS, b"syscalls/*"))
}
