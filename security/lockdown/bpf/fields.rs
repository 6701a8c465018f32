// SPDX-License-Identifier: GPL-2.0

//! Kernel fields that are no secret: the "selected areas" of lockdown.
//!
//! In confidentiality mode a signed program whose annotation asks for the class `fields` may load
//! these, and no others, through BTF pointers to kernel objects. What is not named is refused.
//!
//! A field is listed if root can learn the same fact from an interface that lockdown leaves open
//! (/proc, /sys, netlink, a system call), or if it is a mere count, time, state or number of a
//! request that is under way. Never listed are:
//!
//! - addresses of the kernel, nor numbers that may hold one, nor anything that shares its bytes
//!   with one in a union;
//! - keys, seeds, hashes and cookies that guard a protocol, TCP sequence numbers and IP ids;
//! - contents of files, pages, packets and registers, and addresses in user space;
//! - bytes that nobody may have initialised, such as the short name in a dentry: what follows the
//!   name there is old memory;
//! - bitfields: a load reaches their neighbours too.
//!
//! A `step` is a pointer to a struct. The verifier turns its load into a pointer to that type,
//! which a program can follow, but not look at. It is listed only where the object behind it stays,
//! or is freed under RCU or by its own slab cache, while the object that points to it is in use,
//! and where no other type can stand in its place. `sk_buff.dev` is none: the retransmit queue of
//! TCP keeps a tree node there, whose bytes at `net_device.ifindex` are half an address.
//! `sk_buff.sk` is none: it may be a request or time-wait socket, which is shorter than the
//! `struct sock` it is said to be. Functions and tracepoints take such sockets for a `struct sock`
//! as well, so of that nothing is listed but what all sockets have in common.
//!
//! Names are those of vmlinux BTF: types of modules, which may bear the same names, never match.
//! A name that a kernel does not have is harmless.

use super::order;

/// Makes the table of lines that read as C does.
macro_rules! fields {
    ($($strukt:tt . $member:tt)*) => {
        /// Struct or union name and member name, in byte order.
        pub(crate) static FIELDS: [(&str, &str); [$(stringify!($member)),*].len()] =
            [$((stringify!($strukt), stringify!($member))),*];
    };
}

#[rustfmt::skip]
fields! {
    address_space.host // step: the inode whose pages these are; pinned by it
    address_space.nrpages // count of cached pages, as mincore and fincore tell
    bio.bi_bdev // step: the device; held while the bio lives
    bio.bi_opf // read, write, sync and the like
    bio.bi_status // error code
    blk_mq_hw_ctx.queue_num // queue number, in sysfs
    block_device.bd_dev // device number
    block_device.bd_disk // step: the disk; lives longer than its partitions
    block_device.bd_nr_sectors // size, in /proc/partitions
    block_device.bd_queue // step: the disk's queue
    bpf_iter__bpf_link.link // step: the link shown
    bpf_iter__bpf_link.meta // step: the iterator's own state
    bpf_iter__bpf_map.map // step: the map shown
    bpf_iter__bpf_map.meta // step: the iterator's own state
    bpf_iter__bpf_prog.meta // step: the iterator's own state
    bpf_iter__bpf_prog.prog // step: the program shown
    bpf_iter__cgroup.cgroup // step: the cgroup shown
    bpf_iter__cgroup.meta // step: the iterator's own state
    bpf_iter__netlink.meta // step: the iterator's own state
    bpf_iter__netlink.sk // step: the socket shown
    bpf_iter__task.meta // step: the iterator's own state
    bpf_iter__task.task // step: the task shown
    bpf_iter__task_file.fd // file descriptor number
    bpf_iter__task_file.file // step: the file shown
    bpf_iter__task_file.meta // step: the iterator's own state
    bpf_iter__task_file.task // step: the task shown
    bpf_iter__task_vma.meta // step: the iterator's own state
    bpf_iter__task_vma.task // step: the task shown
    bpf_iter__task_vma.vma // step: the mapping shown
    bpf_iter__tcp.meta // step: the iterator's own state
    bpf_iter__tcp.sk_common // step: the socket shown, maybe a small one: only its common part
    bpf_iter__tcp.uid // owner of the socket
    bpf_iter__udp.meta // step: the iterator's own state
    bpf_iter__udp.udp_sk // step: the socket shown
    bpf_iter__udp.uid // owner of the socket
    bpf_iter__unix.meta // step: the iterator's own state
    bpf_iter__unix.uid // owner of the socket
    bpf_iter__unix.unix_sk // step: the socket shown
    bpf_iter_meta.seq // step: the output; takes text, none of its own members is listed
    bpf_iter_meta.seq_num // count of objects shown
    bpf_iter_meta.session_id // count of sessions
    bpf_link.id // id, from BPF_OBJ_GET_INFO_BY_FD
    bpf_link.prog // step: the program; held by the link
    bpf_link.type // kind of link
    bpf_map.id // id, from BPF_OBJ_GET_INFO_BY_FD
    bpf_map.key_size // size, from BPF_OBJ_GET_INFO_BY_FD
    bpf_map.map_flags // flags, from BPF_OBJ_GET_INFO_BY_FD
    bpf_map.map_type // kind of map
    bpf_map.max_entries // size, from BPF_OBJ_GET_INFO_BY_FD
    bpf_map.name // name given by its user
    bpf_map.value_size // size, from BPF_OBJ_GET_INFO_BY_FD
    bpf_prog.aux // step: the rest of the program; of the same life
    bpf_prog.len // count of instructions
    bpf_prog.type // kind of program
    bpf_prog_aux.id // id, from BPF_OBJ_GET_INFO_BY_FD
    bpf_prog_aux.load_time // time of load
    bpf_prog_aux.name // name given by its user
    bvec_iter.bi_sector // place on the disk
    bvec_iter.bi_size // bytes left
    cfs_rq.h_nr_queued // length of the run queue
    cfs_rq.nr_queued // length of the run queue
    cgroup.kn // step: its directory, which bears the id; valid as long as the cgroup
    cgroup.level // depth in the tree
    cgroup.root // step: the hierarchy
    cgroup_root.hierarchy_id // number, in /proc/cgroups
    cgroup_subsys_state.cgroup // step: the cgroup; held by the state
    cgroup_subsys_state.id // small number
    cgroup_subsys_state.parent // step: the state above; held by its child
    cred.cap_effective // in /proc/PID/status
    cred.cap_permitted // in /proc/PID/status
    cred.egid // in /proc/PID/status
    cred.euid // in /proc/PID/status
    cred.fsgid // in /proc/PID/status
    cred.fsuid // in /proc/PID/status
    cred.gid // in /proc/PID/status
    cred.sgid // in /proc/PID/status
    cred.suid // in /proc/PID/status
    cred.uid // in /proc/PID/status
    cred.user_ns // step: the user namespace; held by the credentials
    css_set.dfl_cgrp // step: the cgroup of the unified hierarchy; held by the set
    css_set.subsys // step: the states of each controller; held by the set
    dentry.d_inode // step: the file; may be absent
    dentry.d_parent // step: the directory; held by its child
    dentry.d_sb // step: the filesystem; outlives its entries
    file.f_cred // step: the opener's credentials; held by the file
    file.f_flags // flags given to open
    file.f_inode // step: the file's inode; held by the file
    file.f_mode // read, write
    file.f_pos // position, in /proc/PID/fdinfo
    gendisk.disk_name // name, in /proc/partitions; zeroed before use
    gendisk.first_minor // device number
    gendisk.major // device number
    gendisk.part0 // step: the whole disk as a device; of the same life
    gendisk.queue // step: the disk's queue; held by the disk
    in6_addr.in6_u // an address on the network
    inet_connection_sock.icsk_backoff // in TCP_INFO
    inet_connection_sock.icsk_ca_ops // step: congestion control; held by the socket
    inet_connection_sock.icsk_probes_out // in TCP_INFO
    inet_connection_sock.icsk_retransmits // in TCP_INFO
    inet_connection_sock.icsk_rto // in TCP_INFO
    inet_sock.inet_flags // socket options as bits
    inet_sock.inet_saddr // an address on the network
    inet_sock.inet_sport // port
    inet_sock.pinet6 // step: the IPv6 part; inside the same socket, or absent
    inet_sock.tos // socket option
    inode.i_ctime_sec // as stat tells
    inode.i_gid // as stat tells
    inode.i_ino // as stat tells
    inode.i_mode // as stat tells
    inode.i_mtime_sec // as stat tells
    inode.i_nlink // as stat tells
    inode.i_rdev // as stat tells
    inode.i_sb // step: the filesystem; outlives its inodes
    inode.i_size // as stat tells
    inode.i_uid // as stat tells
    iov_iter.count // bytes left
    ipv6_pinfo.saddr // an address on the network
    irq_data.irq // number, in /proc/interrupts
    kernel_clone_args.exit_signal // as the caller gave it
    kernel_clone_args.flags // as the caller gave it
    kernfs_node.id // the cgroup id, as name_to_handle_at tells
    kiocb.ki_filp // step: the file; held while the I/O lasts
    kiocb.ki_pos // position in the file
    linux_binprm.argc // count of arguments
    linux_binprm.envc // count of strings
    linux_binprm.executable // step: the file to be run; held by the exec
    linux_binprm.file // step: the file to be run; held by the exec
    mm_struct.exe_file // step: the program's file; under RCU
    mm_struct.hiwater_rss // in /proc/PID/status
    mm_struct.map_count // count of mappings
    mm_struct.owner // step: the task that owns it; under RCU
    mm_struct.pgtables_bytes // in /proc/PID/status
    mm_struct.total_vm // in /proc/PID/statm
    module.name // in /proc/modules
    napi_struct.dev // step: the interface; outlives its NAPI contexts
    napi_struct.napi_id // number, SO_INCOMING_NAPI_ID
    net.net_cookie // a number that names the namespace, SO_NETNS_COOKIE
    net_device.flags // as ip link tells
    net_device.ifindex // interface number
    net_device.mtu // as ip link tells
    net_device.name // interface name; zeroed before use
    net_device.nd_net // step: the network namespace; outlives its interfaces
    net_device.operstate // as ip link tells
    netlink_sock.dst_portid // in /proc/net/netlink
    netlink_sock.portid // in /proc/net/netlink
    new_utsname.nodename // as uname tells
    new_utsname.release // as uname tells
    nf_hook_state.hook // number of the hook
    nf_hook_state.in // step: the interface; held during the hook
    nf_hook_state.net // step: the network namespace; held during the hook
    nf_hook_state.out // step: the interface; held during the hook
    nf_hook_state.pf // protocol family
    ns_common.inum // number, in /proc/PID/ns
    nsproxy.cgroup_ns // step: namespace, for its number
    nsproxy.ipc_ns // step: namespace, for its number
    nsproxy.mnt_ns // step: namespace, for its number
    nsproxy.net_ns // step: namespace, for its number
    nsproxy.pid_ns_for_children // step: namespace, for its number
    nsproxy.uts_ns // step: namespace, for its number and the host's name
    oom_control.chosen // step: the task to be killed; held during the choice
    oom_control.order // size of the allocation
    oom_control.totalpages // count of pages
    path.dentry // step: the name's entry; held by the path
    path.mnt // step: the mount; held by the path
    percpu_counter.count // a count, less what the CPUs hold back
    pid.level // depth of the pid namespace
    pid_namespace.parent // step: the namespace above; held by its child
    proto.name // in /proc/net/protocols
    request.__data_len // bytes of the request
    request.__sector // place on the disk
    request.bio // step: the first bio; held while the request lives
    request.cmd_flags // read, write, sync and the like
    request.io_start_time_ns // time of issue
    request.mq_hctx // step: the hardware queue; outlives its requests
    request.part // step: the partition; held while the request lives
    request.q // step: the queue; outlives its requests
    request.start_time_ns // time of allocation
    request.state // step in the request's life
    request.tag // number of the slot
    request_queue.disk // step: the disk; may be absent
    rq.cpu // CPU number
    rq.nr_running // length of the run queue
    sched_entity.cfs_rq // step: the run queue; freed under RCU
    sched_entity.exec_start // time
    sched_entity.sum_exec_runtime // in /proc/PID/schedstat
    sched_entity.vruntime // in /proc/PID/sched
    sched_info.pcount // in /proc/PID/schedstat
    sched_info.run_delay // in /proc/PID/schedstat
    seccomp.mode // in /proc/PID/status
    signal_struct.nr_threads // in /proc/PID/status
    signal_struct.oom_score_adj // in /proc/PID/oom_score_adj
    signal_struct.pids // step: process, group and session ids; held by the tasks in them
    signal_struct.rlim // in /proc/PID/limits
    sk_buff.data_len // bytes in fragments
    sk_buff.len // bytes
    sk_buff.mac_header // offset in the packet
    sk_buff.mark // set by rules and socket options
    sk_buff.network_header // offset in the packet
    sk_buff.protocol // protocol number
    sk_buff.queue_mapping // queue number
    sk_buff.skb_iif // interface number
    sk_buff.transport_header // offset in the packet
    sk_buff.truesize // bytes charged
    sk_buff.vlan_tci // VLAN tag
    sock_cgroup_data.cgroup // step: the cgroup; held by the socket
    sock_common.skc_addrpair // addresses on the network
    sock_common.skc_bound_dev_if // interface number
    sock_common.skc_daddr // an address on the network
    sock_common.skc_dport // port
    sock_common.skc_family // protocol family
    sock_common.skc_net // step: the network namespace; held by, or outlives, the socket
    sock_common.skc_num // port
    sock_common.skc_portpair // ports
    sock_common.skc_prot // step: the protocol, for its name
    sock_common.skc_rcv_saddr // an address on the network
    sock_common.skc_state // as ss tells
    sock_common.skc_v6_daddr // an address on the network
    sock_common.skc_v6_rcv_saddr // an address on the network
    socket.file // step: the file; as long as it is open
    socket.sk // step: the socket itself; held by the file
    socket.state // connected or not
    socket.type // as socket was told
    super_block.s_bdev // step: the device; held by the filesystem
    super_block.s_dev // device number, as stat tells
    super_block.s_id // name of the device; zeroed before use
    super_block.s_magic // kind of filesystem, as statfs tells
    task_io_accounting.cancelled_write_bytes // in /proc/PID/io
    task_io_accounting.rchar // in /proc/PID/io
    task_io_accounting.read_bytes // in /proc/PID/io
    task_io_accounting.syscr // in /proc/PID/io
    task_io_accounting.syscw // in /proc/PID/io
    task_io_accounting.wchar // in /proc/PID/io
    task_io_accounting.write_bytes // in /proc/PID/io
    task_struct.__state // in /proc/PID/stat
    task_struct.cgroups // step: its cgroups; under RCU
    task_struct.comm // in /proc/PID/comm; padded with zeroes
    task_struct.cred // step: its credentials; under RCU
    task_struct.exit_code // as wait tells
    task_struct.exit_signal // in /proc/PID/stat
    task_struct.exit_state // in /proc/PID/stat
    task_struct.flags // in /proc/PID/stat
    task_struct.group_leader // step: the process; freed under RCU
    task_struct.loginuid // in /proc/PID/loginuid
    task_struct.maj_flt // in /proc/PID/stat
    task_struct.min_flt // in /proc/PID/stat
    task_struct.nivcsw // in /proc/PID/status
    task_struct.nvcsw // in /proc/PID/status
    task_struct.on_cpu // running or not
    task_struct.parent // step: the tracer, or the parent; freed under RCU
    task_struct.pid // process id
    task_struct.policy // in /proc/PID/stat
    task_struct.prio // in /proc/PID/stat
    task_struct.ptrace // traced or not, as bits
    task_struct.real_cred // step: its credentials; under RCU
    task_struct.real_parent // step: the parent; freed under RCU
    task_struct.rt_priority // in /proc/PID/stat
    task_struct.sessionid // in /proc/PID/sessionid
    task_struct.signal // step: what the threads share; held by the task
    task_struct.start_boottime // in /proc/PID/stat
    task_struct.start_time // in /proc/PID/stat
    task_struct.stime // in /proc/PID/stat
    task_struct.tgid // process id
    task_struct.thread_pid // step: its ids in each namespace; freed under RCU
    task_struct.utime // in /proc/PID/stat
    tcp_congestion_ops.name // as TCP_CONGESTION tells
    tcp_sock.bytes_acked // in TCP_INFO
    tcp_sock.bytes_received // in TCP_INFO
    tcp_sock.bytes_retrans // in TCP_INFO
    tcp_sock.bytes_sent // in TCP_INFO
    tcp_sock.data_segs_in // in TCP_INFO
    tcp_sock.data_segs_out // in TCP_INFO
    tcp_sock.delivered // in TCP_INFO
    tcp_sock.lost_out // in TCP_INFO
    tcp_sock.mdev_us // round trip's deviation
    tcp_sock.mss_cache // in TCP_INFO
    tcp_sock.packets_out // in TCP_INFO
    tcp_sock.rcv_wnd // in TCP_INFO
    tcp_sock.reordering // in TCP_INFO
    tcp_sock.retrans_out // in TCP_INFO
    tcp_sock.rttvar_us // in TCP_INFO
    tcp_sock.sacked_out // in TCP_INFO
    tcp_sock.segs_in // in TCP_INFO
    tcp_sock.segs_out // in TCP_INFO
    tcp_sock.snd_cwnd // in TCP_INFO
    tcp_sock.snd_ssthresh // in TCP_INFO
    tcp_sock.snd_wnd // in TCP_INFO
    tcp_sock.srtt_us // in TCP_INFO
    tcp_sock.total_retrans // in TCP_INFO
    thread_info.cpu // CPU number, in /proc/PID/stat
    tty_struct.index // number of the terminal
    tty_struct.name // name of the terminal; zeroed before use
    upid.nr // process id
    upid.ns // step: the pid namespace; held by the id
    user_namespace.owner // user id, NS_GET_OWNER_UID
    user_namespace.parent // step: the namespace above; held by its child
    vfsmount.mnt_flags // in /proc/PID/mountinfo
    vfsmount.mnt_sb // step: the filesystem; held by the mount
    vm_area_struct.vm_file // step: the mapped file; held by the mapping
    vm_area_struct.vm_mm // step: the memory; held by the mapping
}

/// Integer typedefs of eight bytes that hold no address, for the arguments and return values of
/// functions. The name of the outermost typedef counts. `unsigned long`, `long`, `u64`, `s64` and
/// their like are none: they carry pointers in many places. Physical, DMA and user addresses
/// (`phys_addr_t`, `dma_addr_t`, `uintptr_t`, `aio_context_t`) are none either.
pub(crate) static SCALARS: [&str; 11] = [
    "blkcnt_t",          // count of blocks
    "clock_t",           // time
    "ino_t",             // inode number
    "ktime_t",           // time
    "loff_t",            // position in a file
    "netdev_features_t", // bits
    "qsize_t",           // quota in bytes
    "sector_t",          // place on a disk
    "size_t",            // size
    "ssize_t",           // size or error
    "time64_t",          // time
];

// The searches below need the order.
const _: () = assert!(order::are_pairs_sorted(&FIELDS) && order::is_sorted(&SCALARS));

/// Whether a member of a struct or union of vmlinux may be loaded.
pub(crate) fn is_listed(strukt: &[u8], member: &[u8]) -> bool {
    FIELDS
        .binary_search_by(|(s, m)| (s.as_bytes(), m.as_bytes()).cmp(&(strukt, member)))
        .is_ok()
}

/// Whether an integer typedef of eight bytes holds no address.
pub(crate) fn is_scalar(name: &[u8]) -> bool {
    SCALARS.binary_search_by(|s| s.as_bytes().cmp(name)).is_ok()
}
