// SPDX-License-Identifier: GPL-2.0

//! What lockdown asks of a BPF program for each helper that it calls.
//!
//! Depends on `core` alone.
//!
//! # A new helper
//!
//! A helper without a line here is refused under lockdown. To give it one, read its implementation
//! (there may be several, one for each kind of program: the line must suit all of them), and take
//! the first class below that fits, and every other that fits too. In doubt, take more.
//!
//! 1. Does it copy bytes that the kernel holds at an address or behind a pointer (print them, hash
//!    them, send them, compare them) to where the program or user space can see them? Then it is
//!    `KernelRead`. The program's own context, packet, stack and maps do not count, unless there
//!    are bytes among them that nobody has written: a buffer that is handed out uncleared is
//!    kernel memory. Who reads memory finds addresses and users' pages in it, so `KernelAddress`
//!    and `UserRead` need not be named besides.
//! 2. Does a kernel address come out as a number: returned (`RET_INTEGER`), written to a buffer,
//!    printed? Or can one be probed: does the answer depend on whether there is something at an
//!    address that the program chose? Then it is `KernelAddress`.
//! 3. Does it read, or write, what belongs to user space (memory, registers, stacks)? Then it is
//!    `UserRead`, or `UserWrite`.
//! 4. Does it change what other tasks, programs or parts of the kernel do, beyond the verdict or
//!    packet that programs of this type are there to give? Then it is `Control`.
//! 5. Does it return a pointer to a kernel object (`RET_PTR_TO_BTF_ID`), or take one, and do
//!    nothing of the above? Then it is `Fields`: what is read through the pointer is judged load by
//!    load. Sockets that the verifier converts field by field (`RET_PTR_TO_SOCKET`,
//!    `RET_PTR_TO_SOCK_COMMON`, `RET_PTR_TO_TCP_SOCK`) do not count.
//! 6. Only what is left is `Plain`: it would be safe in the hands of somebody whom nobody vouches
//!    for.
//!
//! Look also at:
//!
//! - arguments that the prototype leaves out: the verifier does not look at those registers, so
//!   they may hold pointers;
//! - `ARG_PTR_TO_UNINIT_MEM` and `MEM_UNINIT`: the verifier takes the whole buffer as written when
//!   the helper returns, whatever it returns. It has to clear what it does not fill, or the
//!   program reads what an earlier function left on the kernel's stack;
//! - flags that let it do more than its name says.
//!
//! Where an argument makes the difference and the verifier knows it, there is a rule instead of a
//! class; see [`Rule`].

use super::{
    order,
    policy::Class, //
};

/// What a call of a helper takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rule {
    /// No program may call it.
    Refused,
    /// All of these classes.
    Needs(Class),
    /// It copies a stack. [`Class::USER_READ`] if its flags, the last argument (R3 of
    /// `get_stackid`, else R4), are a constant with `BPF_F_USER_STACK` set, on every path that
    /// leads to the call; else [`Class::KERNEL_ADDRESS`].
    Stack,
    /// It prints by a format: R3 of `snprintf`, ended by a zero; R2 of `seq_printf`, of length R3.
    ///
    /// If the verifier can read the format, that is, it lies at a constant offset in a frozen map
    /// that programs cannot write either, each conversion takes its own class:
    ///
    /// - `%d`, `%i`, `%u`, `%x`, `%X` with or without `l` and `ll`, `%c` and `%%`:
    ///   [`Class::PLAIN`];
    /// - `%pus`: [`Class::USER_READ`];
    /// - `%s`, `%pks`, `%pI4`, `%pi4`, `%pI6`, `%pi6`: [`Class::KERNEL_READ`], as they follow the
    ///   pointer;
    /// - every other `%p`: [`Class::KERNEL_ADDRESS`], as they show it, or tell which symbol lies at
    ///   an address that the program guesses.
    ///
    /// Else, and for a conversion that is not named here: [`Class::KERNEL_READ`].
    Format,
    /// It opens a packet. [`Class::PLAIN`] where the packet is the program's own, see
    /// [`types::has_packet`](super::types::has_packet); else [`Class::KERNEL_READ`], as what
    /// traces holds other people's.
    Packet,
}

/// A helper, and what a call of it takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Helper {
    /// Its name, less the `bpf_` in front.
    pub(crate) name: &'static str,
    pub(crate) rule: Rule,
}

/// The rule that a line of the table names: one of [`Rule`]'s words, or classes.
macro_rules! rule {
    (Refused) => { Rule::Refused };
    (Stack) => { Rule::Stack };
    (Format) => { Rule::Format };
    ($($class:ident)|+) => { Rule::Needs(Class::PLAIN$(.union(rule!(@class $class)))+) };
    (@class Plain) => { Class::PLAIN };
    (@class UserRead) => { Class::USER_READ };
    (@class UserWrite) => { Class::USER_WRITE };
    (@class Control) => { Class::CONTROL };
    (@class KernelRead) => { Class::KERNEL_READ };
    (@class KernelAddress) => { Class::KERNEL_ADDRESS };
    (@class Fields) => { Class::FIELDS };
    (@class Loader) => { Class::LOADER };
}

/// Lines of number, name and rule; each number has to be that of its place.
macro_rules! helpers {
    ($($id:literal $name:ident $($rule:ident)|+;)+) => {
        /// What each helper takes, by `BPF_FUNC_*`. A number past its end is refused: somebody has
        /// to decide first.
        pub(crate) static HELPERS: [Helper; 212] = [
            $(Helper { name: stringify!($name), rule: rule!($($rule)|+) },)+
        ];

        const _: () = assert!(order::are_places(&[$($id,)+]), "helper is not in its place");
    };
}

helpers! {
      0 unspec                         Refused;
      1 map_lookup_elem                Plain;
      2 map_update_elem                Plain;
      3 map_delete_elem                Plain;
      4 probe_read                     KernelRead;    // user or kernel, by address
      5 ktime_get_ns                   Plain;
    // R3 to R5 are not in its prototype, so that pointers pass in them unseen; %s and %pI4 read
    // what they point at.
      6 trace_printk                   KernelRead | KernelAddress;
      7 get_prandom_u32                Plain;
      8 get_smp_processor_id           Plain;
      9 skb_store_bytes                Plain;
     10 l3_csum_replace                Plain;
     11 l4_csum_replace                Plain;
     12 tail_call                      Plain;         // the other program was judged too
     13 clone_redirect                 Plain;
     14 get_current_pid_tgid           Plain;         // of its own task, as the next three
     15 get_current_uid_gid            Plain;
     16 get_current_comm               Plain;
     17 get_cgroup_classid             Plain;
     18 skb_vlan_push                  Plain;
     19 skb_vlan_pop                   Plain;
     20 skb_get_tunnel_key             Plain;
     21 skb_set_tunnel_key             Plain;
     22 perf_event_read                Plain;         // counters
     23 redirect                       Plain;         // where to, within its namespace
     24 get_route_realm                Plain;
    // The program's own bytes, and in packet programs its own packet. What else the
    // sample holds (address, call chain) perf_event_open() has decided.
     25 perf_event_output              Plain;
     26 skb_load_bytes                 Plain;         // own packet; clears on failure
     27 get_stackid                    Stack;
     28 csum_diff                      Plain;
     29 skb_get_tunnel_opt             Plain;         // clears what it does not fill
     30 skb_set_tunnel_opt             Plain;
     31 skb_change_proto               Plain;
     32 skb_change_type                Plain;
     33 skb_under_cgroup               Plain;
     34 get_hash_recalc                Plain;         // keyed hash
     35 get_current_task               KernelAddress; // address of the task, as a number
     36 probe_write_user               UserWrite;
     37 current_task_under_cgroup      Plain;
     38 skb_change_tail                Plain;         // clears what it adds
     39 skb_pull_data                  Plain;
     40 csum_update                    Plain;
     41 set_hash_invalid               Plain;
     42 get_numa_node_id               Plain;
     43 skb_change_head                Plain;         // clears what it adds
    // The bytes in front of the packet are as the driver left them; xdp_adjust_tail clears.
     44 xdp_adjust_head                Plain;
     45 probe_read_str                 KernelRead;    // as probe_read
     46 get_socket_cookie              Plain;         // a counter, not an address
     47 get_socket_uid                 Plain;
     48 set_hash                       Plain;
     49 setsockopt                     Plain;         // of the socket at hand, see the list there
     50 skb_adjust_room                Plain;         // clears what it adds
     51 redirect_map                   Plain;
     52 sk_redirect_map                Plain;
     53 sock_map_update                Plain;
     54 xdp_adjust_meta                Plain;         // as xdp_adjust_head
     55 perf_event_read_value          Plain;         // counters
     56 perf_prog_read_value           Plain;         // counters
     57 getsockopt                     Plain;         // as setsockopt; clears on failure
     58 override_return                Control;
     59 sock_ops_cb_flags_set          Plain;
     60 msg_redirect_map               Plain;
     61 msg_apply_bytes                Plain;
     62 msg_cork_bytes                 Plain;
     63 msg_pull_data                  Plain;
     64 bind                           Plain;         // source address, before connecting
     65 xdp_adjust_tail                Plain;         // clears what it adds
     66 skb_get_xfrm_state             Plain;         // ids and address, no keys
     67 get_stack                      Stack;
     68 skb_load_bytes_relative        Plain;
     69 fib_lookup                     Plain;
     70 sock_hash_update               Plain;
     71 msg_redirect_hash              Plain;
     72 sk_redirect_hash               Plain;
     73 lwt_push_encap                 Plain;
     74 lwt_seg6_store_bytes           Plain;
     75 lwt_seg6_adjust_srh            Plain;
     76 lwt_seg6_action                Plain;
     77 rc_repeat                      Plain;         // as rc_keydown
     78 rc_keydown                     Plain;         // what a lirc decoder is there for
     79 skb_cgroup_id                  Plain;
     80 get_current_cgroup_id          Plain;
     81 get_local_storage              Plain;
     82 sk_select_reuseport            Plain;
     83 skb_ancestor_cgroup_id         Plain;
     84 sk_lookup_tcp                  Plain;         // socket, converted field by field
     85 sk_lookup_udp                  Plain;         // as sk_lookup_tcp
     86 sk_release                     Plain;
     87 map_push_elem                  Plain;
     88 map_pop_elem                   Plain;
     89 map_peek_elem                  Plain;
     90 msg_push_data                  Plain;
     91 msg_pop_data                   Plain;
     92 rc_pointer_rel                 Plain;         // as rc_keydown
     93 spin_lock                      Plain;         // lock in the program's own map
     94 spin_unlock                    Plain;
     95 sk_fullsock                    Plain;         // as sk_lookup_tcp
     96 tcp_sock                       Plain;         // as sk_lookup_tcp
     97 skb_ecn_set_ce                 Plain;
     98 get_listener_sock              Plain;         // as sk_lookup_tcp
     99 skc_lookup_tcp                 Plain;         // as sk_lookup_tcp
    100 tcp_check_syncookie            Plain;
    101 sysctl_get_name                Plain;
    102 sysctl_get_current_value       Plain;         // what the writer could read
    103 sysctl_get_new_value           Plain;
    104 sysctl_set_new_value           Plain;         // still checked by its handler
    105 strtol                         Plain;
    106 strtoul                        Plain;
    107 sk_storage_get                 Plain;         // own value, by socket
    108 sk_storage_delete              Plain;
    109 send_signal                    Control;
    110 tcp_gen_syncookie              Plain;
    111 skb_output                     KernelRead;    // packet of whatever a traced function holds
    112 probe_read_user                UserRead;
    113 probe_read_kernel              KernelRead;
    114 probe_read_user_str            UserRead;
    115 probe_read_kernel_str          KernelRead;
    116 tcp_send_ack                   Fields;        // congestion control: takes a tcp_sock
    117 send_signal_thread             Control;
    118 jiffies64                      Plain;
    119 read_branch_records            KernelAddress; // addresses of branches
    120 get_ns_current_pid_tgid        Plain;
    121 xdp_output                     KernelRead;    // as skb_output
    122 get_netns_cookie               Plain;         // a counter, not an address
    123 get_current_ancestor_cgroup_id Plain;
    124 sk_assign                      Plain;         // who gets its own packet
    125 ktime_get_boot_ns              Plain;
    126 seq_printf                     Format;        // its seq_file is got through Fields
    127 seq_write                      Fields;        // own bytes, to a seq_file
    128 sk_cgroup_id                   Plain;
    129 sk_ancestor_cgroup_id          Plain;
    130 ringbuf_output                 Plain;
    131 ringbuf_reserve                Plain;
    132 ringbuf_submit                 Plain;
    133 ringbuf_discard                Plain;
    134 ringbuf_query                  Plain;         // positions in its own ring
    135 csum_level                     Plain;
    136 skc_to_tcp6_sock               Fields;
    137 skc_to_tcp_sock                Fields;
    138 skc_to_tcp_timewait_sock       Fields;
    139 skc_to_tcp_request_sock        Fields;
    140 skc_to_udp6_sock               Fields;
    141 get_task_stack                 Stack;
    142 load_hdr_opt                   Plain;
    143 store_hdr_opt                  Plain;
    144 reserve_hdr_opt                Plain;
    145 inode_storage_get              Fields;
    146 inode_storage_delete           Fields;
    147 d_path                         KernelRead;    // follows and prints dentries
    148 copy_from_user                 UserRead;
    149 snprintf_btf                   KernelRead;    // any address, as any type
    150 seq_printf_btf                 KernelRead;    // as snprintf_btf
    151 skb_cgroup_classid             Plain;
    152 redirect_neigh                 Plain;
    // Of variables of the kernel, a program names none that is no struct, unless it may read all.
    153 per_cpu_ptr                    Plain;
    154 this_cpu_ptr                   Plain;         // as per_cpu_ptr
    155 redirect_peer                  Plain;
    156 task_storage_get               Fields;
    157 task_storage_delete            Fields;
    158 get_current_task_btf           Fields;
    159 bprm_opts_set                  Control;       // makes an exec a secure one
    160 ktime_get_coarse_ns            Plain;
    161 ima_inode_hash                 KernelRead;    // tells what is in a file
    162 sock_from_file                 Fields;
    163 check_mtu                      Plain;
    164 for_each_map_elem              Plain;
    165 snprintf                       Format;
    166 sys_bpf                        Loader;        // reads any address in its attr
    167 btf_find_by_name_kind          Loader;
    168 sys_close                      Loader;
    169 timer_init                     Plain;
    170 timer_set_callback             Plain;
    171 timer_start                    Plain;
    172 timer_cancel                   Plain;
    173 get_func_ip                    KernelAddress; // of a kernel function, but for uprobes
    174 get_attach_cookie              Plain;         // number given when it was attached
    175 task_pt_regs                   UserRead | Fields; // registers of user space
    176 get_branch_snapshot            KernelAddress; // addresses of branches
    177 trace_vprintk                  KernelRead;    // %s and %pI4, as trace_printk
    178 skc_to_unix_sock               Fields;
    179 kallsyms_lookup_name           Loader | KernelAddress; // for untyped ksyms
    180 find_vma                       Fields;        // callback gets the vma
    181 loop                           Plain;
    182 strncmp                        Plain;
    183 get_func_arg                   KernelAddress; // raw argument, which may be a pointer
    184 get_func_ret                   KernelAddress; // raw returned value
    185 get_func_arg_cnt               Plain;         // a count
    186 get_retval                     Plain;
    187 set_retval                     Plain;         // verdict of its own hook
    188 xdp_get_buff_len               Plain;
    // Leaves the buffer alone on failure, and the verifier takes it as filled; so does dynptr_read.
    189 xdp_load_bytes                 Plain;
    190 xdp_store_bytes                Plain;
    191 copy_from_user_task            UserRead;      // any task, no ptrace check
    192 skb_set_tstamp                 Plain;
    193 ima_file_hash                  KernelRead;    // as ima_inode_hash, and reads the file
    194 kptr_xchg                      Plain;         // of its own map; the pointer is judged
    195 map_lookup_percpu_elem         Plain;
    196 skc_to_mptcp_sock              Fields;
    197 dynptr_from_mem                Plain;
    198 ringbuf_reserve_dynptr         Plain;
    199 ringbuf_submit_dynptr          Plain;
    200 ringbuf_discard_dynptr         Plain;
    201 dynptr_read                    Plain;
    202 dynptr_write                   Plain;
    203 dynptr_data                    Plain;         // program memory only
    204 tcp_raw_gen_syncookie_ipv4     Plain;         // cookie, not its key
    205 tcp_raw_gen_syncookie_ipv6     Plain;         // cookie, not its key
    206 tcp_raw_check_syncookie_ipv4   Plain;
    207 tcp_raw_check_syncookie_ipv6   Plain;
    208 ktime_get_tai_ns               Plain;
    209 user_ringbuf_drain             Plain;         // own ring, written by user space
    210 cgrp_storage_get               Fields;
    211 cgrp_storage_delete            Fields;
}
