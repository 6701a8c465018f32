// SPDX-License-Identifier: GPL-2.0

//! What C calls. Pointers become references here, once; the rest of the crate is safe code.
//!
//! C header: [`include/linux/lockdown_bpf.h`](srctree/include/linux/lockdown_bpf.h).

use super::{
    fields,
    formats,
    helpers::{
        self,
        Rule, //
    },
    kfuncs,
    policy::{
        self,
        Choice,
        Class,
        Mode,
        Program,
        Signer, //
    },
    state,
    tracepoints,
    types, //
};
use core::ptr::null;
use kernel::{
    bindings,
    ffi::{
        c_char,
        c_int, //
    },
    prelude::*, //
};

// The tables and the policy know nothing of C, so this is where the two are compared.
const _: () = {
    // A new helper has to be put into a class before the kernel builds again.
    assert!(helpers::HELPERS.len() == bindings::bpf_func_id___BPF_FUNC_MAX_ID as usize);

    assert!(Class::USER_READ.bits() == bindings::bpf_lockdown_class_BPF_LOCKDOWN_USER_READ);
    assert!(Class::USER_WRITE.bits() == bindings::bpf_lockdown_class_BPF_LOCKDOWN_USER_WRITE);
    assert!(Class::CONTROL.bits() == bindings::bpf_lockdown_class_BPF_LOCKDOWN_CONTROL);
    assert!(Class::KERNEL_READ.bits() == bindings::bpf_lockdown_class_BPF_LOCKDOWN_KERNEL_READ);
    assert!(
        Class::KERNEL_ADDRESS.bits() == bindings::bpf_lockdown_class_BPF_LOCKDOWN_KERNEL_ADDRESS
    );
    assert!(Class::FIELDS.bits() == bindings::bpf_lockdown_class_BPF_LOCKDOWN_FIELDS);
    assert!(Class::LOADER.bits() == bindings::bpf_lockdown_class_BPF_LOCKDOWN_LOADER);
    assert!(Class::NAMED.bits() == bindings::bpf_lockdown_class_BPF_LOCKDOWN_CLASSES);

    assert!(types::SOCKET_FILTER == bindings::bpf_prog_type_BPF_PROG_TYPE_SOCKET_FILTER);
    assert!(types::SCHED_CLS == bindings::bpf_prog_type_BPF_PROG_TYPE_SCHED_CLS);
    assert!(types::SCHED_ACT == bindings::bpf_prog_type_BPF_PROG_TYPE_SCHED_ACT);
    assert!(types::XDP == bindings::bpf_prog_type_BPF_PROG_TYPE_XDP);
    assert!(types::CGROUP_SKB == bindings::bpf_prog_type_BPF_PROG_TYPE_CGROUP_SKB);
    assert!(types::CGROUP_SOCK == bindings::bpf_prog_type_BPF_PROG_TYPE_CGROUP_SOCK);
    assert!(types::LWT_IN == bindings::bpf_prog_type_BPF_PROG_TYPE_LWT_IN);
    assert!(types::LWT_OUT == bindings::bpf_prog_type_BPF_PROG_TYPE_LWT_OUT);
    assert!(types::LWT_XMIT == bindings::bpf_prog_type_BPF_PROG_TYPE_LWT_XMIT);
    assert!(types::SOCK_OPS == bindings::bpf_prog_type_BPF_PROG_TYPE_SOCK_OPS);
    assert!(types::SK_SKB == bindings::bpf_prog_type_BPF_PROG_TYPE_SK_SKB);
    assert!(types::CGROUP_DEVICE == bindings::bpf_prog_type_BPF_PROG_TYPE_CGROUP_DEVICE);
    assert!(types::SK_MSG == bindings::bpf_prog_type_BPF_PROG_TYPE_SK_MSG);
    assert!(types::CGROUP_SOCK_ADDR == bindings::bpf_prog_type_BPF_PROG_TYPE_CGROUP_SOCK_ADDR);
    assert!(types::LWT_SEG6LOCAL == bindings::bpf_prog_type_BPF_PROG_TYPE_LWT_SEG6LOCAL);
    assert!(types::SK_REUSEPORT == bindings::bpf_prog_type_BPF_PROG_TYPE_SK_REUSEPORT);
    assert!(types::FLOW_DISSECTOR == bindings::bpf_prog_type_BPF_PROG_TYPE_FLOW_DISSECTOR);
    assert!(types::CGROUP_SYSCTL == bindings::bpf_prog_type_BPF_PROG_TYPE_CGROUP_SYSCTL);
    assert!(types::CGROUP_SOCKOPT == bindings::bpf_prog_type_BPF_PROG_TYPE_CGROUP_SOCKOPT);
    assert!(types::STRUCT_OPS == bindings::bpf_prog_type_BPF_PROG_TYPE_STRUCT_OPS);
    assert!(types::SK_LOOKUP == bindings::bpf_prog_type_BPF_PROG_TYPE_SK_LOOKUP);
    assert!(types::NETFILTER == bindings::bpf_prog_type_BPF_PROG_TYPE_NETFILTER);
};

/// The bytes of a string of C, without the NUL.
///
/// # Safety
///
/// `word` is NUL-terminated and lives as long as the returned slice is used.
unsafe fn bytes<'a>(word: *const c_char) -> &'a [u8] {
    // SAFETY: The caller guarantees that `word` is NUL-terminated and lives long enough.
    unsafe { CStr::from_char_ptr(word) }.to_bytes()
}

fn mode(raw: u8) -> Mode {
    match u32::from(raw) {
        0 => Mode::None,
        bindings::bpf_lockdown_mode_BPF_LOCKDOWN_INTEGRITY => Mode::Integrity,
        _ => Mode::Confidentiality,
    }
}

/// Takes the value of `bpf_lockdown=`. What is not known counts as the strictest choice.
///
/// Returns whether the value was known.
///
/// # Safety
///
/// `word` is NUL-terminated.
#[export]
pub(crate) unsafe extern "C" fn lockdown_bpf_choose(word: *const c_char) -> bool {
    // SAFETY: The caller guarantees that `word` is NUL-terminated.
    let choice = Choice::from_word(unsafe { bytes(word) });
    state::choose(choice.unwrap_or(Choice::Signed));
    choice.is_some()
}

/// Takes the ceiling of the configuration or of `bpf_lockdown_ceiling=`. A word that is not known
/// grants nothing.
///
/// Returns whether all words were known.
///
/// # Safety
///
/// `words` is NUL-terminated.
#[export]
pub(crate) unsafe extern "C" fn lockdown_bpf_set_ceiling(words: *const c_char) -> bool {
    // SAFETY: The caller guarantees that `words` is NUL-terminated.
    let (ceiling, known) = Class::from_words(unsafe { bytes(words) });
    state::set_ceiling(ceiling);
    known
}

/// Makes the choice stricter.
///
/// Returns 0, `-EINVAL` if there is no such choice, or `-EPERM` if it would be looser.
///
/// # Safety
///
/// `word` is NUL-terminated.
#[export]
pub(crate) unsafe extern "C" fn lockdown_bpf_tighten(word: *const c_char) -> c_int {
    // SAFETY: The caller guarantees that `word` is NUL-terminated.
    match Choice::from_word(unsafe { bytes(word) }) {
        None => EINVAL.to_errno(),
        Some(choice) if state::tighten(choice) => 0,
        Some(_) => EPERM.to_errno(),
    }
}

/// The name of one choice after the other, and whether it is in force; null behind the last.
///
/// # Safety
///
/// `chosen` is valid for writing.
#[export]
pub(crate) unsafe extern "C" fn lockdown_bpf_choice(
    index: u32,
    chosen: *mut bool,
) -> *const c_char {
    let Some(&choice) = Choice::ALL.get(index as usize) else {
        return null();
    };
    // SAFETY: The caller guarantees that `chosen` is valid.
    unsafe { *chosen = choice == state::choice() };
    choice.name().as_char_ptr()
}

/// The name of one class after the other, and whether the ceiling grants it; null behind the last.
///
/// # Safety
///
/// `granted` is valid for writing.
#[export]
pub(crate) unsafe extern "C" fn lockdown_bpf_class(
    index: u32,
    granted: *mut bool,
) -> *const c_char {
    let Some((name, class)) = Class::NAMES.get(index as usize) else {
        return null();
    };
    // SAFETY: The caller guarantees that `granted` is valid.
    unsafe { *granted = state::ceiling().has(*class) };
    name.as_char_ptr()
}

/// Decides about the load of a program.
///
/// Returns null and fills in `out`, or the reason of a refusal, with the remedy. With `record` set
/// the reason is only to be recorded.
///
/// # Safety
///
/// `load` is valid for reading. `out` is initialised, valid for reading and writing, and used by
/// nobody else during the call. `record` is valid for writing.
#[export]
pub(crate) unsafe extern "C" fn lockdown_bpf_judge(
    load: *const bindings::lockdown_bpf_load,
    out: *mut bindings::bpf_lockdown,
    record: *mut bool,
) -> *const c_char {
    // SAFETY: The caller guarantees that both are valid and initialised, and `out` ours alone.
    let (load, out) = unsafe { (&*load, &mut *out) };
    let only_record = |yes| {
        // SAFETY: The caller guarantees that `record` is valid for writing.
        unsafe { record.write(yes) }
    };
    let signer = match (load.verdict, load.keyring) {
        // What a signed loader loads was signed with it.
        _ if load.by_signed => Signer::System,
        (bindings::bpf_sig_verdict_BPF_SIG_VERIFIED, _) if !load.covers_all => {
            Signer::OfInstructions
        }
        (
            bindings::bpf_sig_verdict_BPF_SIG_VERIFIED,
            bindings::bpf_sig_keyring_BPF_SIG_KEYRING_BUILTIN
            | bindings::bpf_sig_keyring_BPF_SIG_KEYRING_SECONDARY
            | bindings::bpf_sig_keyring_BPF_SIG_KEYRING_PLATFORM,
        ) => Signer::System,
        (bindings::bpf_sig_verdict_BPF_SIG_VERIFIED, _) => Signer::User,
        _ => Signer::None,
    };
    let prog = Program {
        signer,
        type_listed: types::is_listed(load.prog_type),
        loader: load.verdict == bindings::bpf_sig_verdict_BPF_SIG_VERIFIED
            && !load.image
            && load.prog_type == bindings::bpf_prog_type_BPF_PROG_TYPE_SYSCALL,
        asks: (!load.forbidden).then_some(Class::from_bits(load.asks)),
    };
    only_record(false);
    let choice = if load.rehearsal {
        Choice::Restricted
    } else {
        state::choice()
    };
    match policy::judge(mode(load.mode), choice, state::ceiling(), &prog) {
        Err(refusal) => refusal.words().as_char_ptr(),
        Ok(grant) => {
            out.granted = grant.granted.bits();
            out.silent = grant.silent.bits();
            out.asks = load.asks;
            out.mode = load.mode;
            out.trusted = signer == Signer::System;
            out.fenced = grant.fenced;
            out.rehearse = grant.rehearse;
            only_record(grant.record.is_some());
            grant
                .record
                .map_or(null(), |refusal| refusal.words().as_char_ptr())
        }
    }
}

/// Says why a program that was loaded does not get some classes.
///
/// # Safety
///
/// `who` is valid for reading, `words` for writing.
#[export]
pub(crate) unsafe extern "C" fn lockdown_bpf_withheld(
    who: *const bindings::bpf_lockdown,
    missing: u32,
    words: *mut bindings::lockdown_bpf_words,
) {
    // SAFETY: The caller guarantees that `who` is valid.
    let who = unsafe { &*who };
    let missing = Class::from_bits(missing);
    let rule = policy::withheld(who.trusted, Class::from_bits(who.asks), missing);
    let found = bindings::lockdown_bpf_words {
        mode: mode(who.mode).name().as_char_ptr(),
        class: missing.name().as_char_ptr(),
        rule: rule.as_char_ptr(),
    };
    // SAFETY: The caller guarantees that `words` is valid for writing.
    unsafe { words.write(found) };
}

fn class_of(rule: &Rule, prog_type: u32, flags: Option<u64>, format: Option<&[u8]>) -> Class {
    match rule {
        Rule::Refused => Class::UNLISTED,
        Rule::Needs(class) => *class,
        Rule::Stack => match flags {
            Some(flags) if flags & u64::from(bindings::BPF_F_USER_STACK) != 0 => Class::USER_READ,
            _ => Class::KERNEL_ADDRESS,
        },
        Rule::Format => format.map_or(Class::KERNEL_READ, formats::class_of),
        Rule::Packet if types::has_packet(prog_type) => Class::PLAIN,
        Rule::Packet => Class::KERNEL_READ,
    }
}

/// Says which registers hold what the class of a helper depends on.
///
/// # Safety
///
/// `call` is initialised, valid for reading and writing, and used by nobody else during the call;
/// its `func_id` is set.
#[export]
pub(crate) unsafe extern "C" fn lockdown_bpf_helper_regs(call: *mut bindings::lockdown_bpf_call) {
    // SAFETY: The caller guarantees that `call` is valid, initialised, and ours alone.
    let call = unsafe { &mut *call };
    let id = call.func_id;
    match helpers::HELPERS.get(id as usize).map(|helper| helper.rule) {
        Some(Rule::Stack) => {
            call.flags_reg = if id == bindings::bpf_func_id_BPF_FUNC_get_stackid {
                bindings::BPF_REG_3
            } else {
                bindings::BPF_REG_4
            }
        }
        Some(Rule::Format) => {
            call.format_reg = if id == bindings::bpf_func_id_BPF_FUNC_snprintf {
                bindings::BPF_REG_3
            } else {
                bindings::BPF_REG_2
            }
        }
        _ => {}
    }
}

/// The class of a call of a helper.
///
/// # Safety
///
/// `call` is valid; its format is null or NUL-terminated.
#[export]
pub(crate) unsafe extern "C" fn lockdown_bpf_helper_class(
    call: *const bindings::lockdown_bpf_call,
) -> u32 {
    // SAFETY: The caller guarantees that `call` is valid.
    let call = unsafe { &*call };
    // SAFETY: The caller guarantees that the format is NUL-terminated if it is not null.
    let format = (!call.format.is_null()).then(|| unsafe { bytes(call.format) });
    helpers::HELPERS
        .get(call.func_id as usize)
        .map_or(Class::UNLISTED, |helper| {
            let flags = call.flags_known.then_some(call.flags);
            class_of(&helper.rule, call.prog_type, flags, format)
        })
        .bits()
}

/// The class of a kfunc that a program of type `prog_type` calls.
///
/// # Safety
///
/// `name` is NUL-terminated.
#[export]
pub(crate) unsafe extern "C" fn lockdown_bpf_kfunc_class(
    name: *const c_char,
    prog_type: u32,
) -> u32 {
    // SAFETY: The caller guarantees that `name` is NUL-terminated.
    kfuncs::find(unsafe { bytes(name) })
        .map_or(Class::UNLISTED, |kfunc| {
            class_of(&kfunc.rule, prog_type, None, None)
        })
        .bits()
}

/// Whether unsigned programs that are loaded from now on are kept from leaking by speculation.
///
/// # Safety
///
/// Nothing is asked of the caller.
#[export]
pub(crate) unsafe extern "C" fn lockdown_bpf_fences(raw: u8) -> bool {
    policy::fences(mode(raw), state::choice())
}

/// The class of reading a value from the context.
///
/// # Safety
///
/// `ctx` is valid.
#[export]
pub(crate) unsafe extern "C" fn lockdown_bpf_ctx_class(
    ctx: *const bindings::lockdown_bpf_ctx,
) -> u32 {
    // SAFETY: The caller guarantees that `ctx` is valid.
    let ctx = unsafe { &*ctx };
    let class = match ctx.prog_type {
        bindings::bpf_prog_type_BPF_PROG_TYPE_KPROBE if ctx.user_events => Class::USER_READ,
        bindings::bpf_prog_type_BPF_PROG_TYPE_PERF_EVENT if ctx.sample_period => Class::PLAIN,
        bindings::bpf_prog_type_BPF_PROG_TYPE_KPROBE
        | bindings::bpf_prog_type_BPF_PROG_TYPE_PERF_EVENT
        | bindings::bpf_prog_type_BPF_PROG_TYPE_RAW_TRACEPOINT => Class::KERNEL_ADDRESS,
        bindings::bpf_prog_type_BPF_PROG_TYPE_RAW_TRACEPOINT_WRITABLE => Class::KERNEL_READ,
        bindings::bpf_prog_type_BPF_PROG_TYPE_TRACEPOINT if ctx.user_events => Class::USER_READ,
        bindings::bpf_prog_type_BPF_PROG_TYPE_TRACEPOINT if ctx.listed_events => Class::FIELDS,
        bindings::bpf_prog_type_BPF_PROG_TYPE_TRACEPOINT => Class::KERNEL_READ,
        _ if ctx.object => Class::FIELDS,
        bindings::bpf_prog_type_BPF_PROG_TYPE_TRACING
        | bindings::bpf_prog_type_BPF_PROG_TYPE_LSM
        | bindings::bpf_prog_type_BPF_PROG_TYPE_STRUCT_OPS
            if ctx.scalar =>
        {
            if ctx.plain_scalar {
                Class::FIELDS
            } else {
                Class::KERNEL_ADDRESS
            }
        }
        _ => Class::PLAIN,
    };
    class.bits()
}

/// The class of reading an object in memory, or of writing to it.
///
/// # Safety
///
/// `object` is valid.
#[export]
pub(crate) unsafe extern "C" fn lockdown_bpf_object_class(
    object: *const bindings::lockdown_bpf_object,
) -> u32 {
    // SAFETY: The caller guarantees that `object` is valid.
    let object = unsafe { &*object };
    if object.write {
        // What struct_ops programs implement consists in such writes.
        let own = object.prog_type == bindings::bpf_prog_type_BPF_PROG_TYPE_STRUCT_OPS;
        let class = if object.kernel && !own {
            Class::CONTROL
        } else {
            Class::PLAIN
        };
        return class.bits();
    }
    let class = match (object.kernel, object.alive, object.listed) {
        (true, true, true) => Class::FIELDS,
        (false, true, _) => Class::PLAIN,
        // What is no longer, or never was, of that type is any memory.
        _ => Class::KERNEL_READ,
    };
    class.bits()
}

/// The class of a variable of the kernel: of a struct the fields are asked about when they are
/// read.
///
/// # Safety
///
/// Nothing is asked of the caller.
#[export]
pub(crate) unsafe extern "C" fn lockdown_bpf_ksym_class(is_struct: bool) -> u32 {
    let class = if is_struct {
        Class::FIELDS
    } else {
        Class::KERNEL_READ
    };
    class.bits()
}

/// Whether a field is one of those that are no secret.
///
/// # Safety
///
/// `strct` and `member` are valid for reading `strct_len` and `member_len` bytes, which nobody
/// changes during the call; neither is null.
#[export]
pub(crate) unsafe extern "C" fn lockdown_bpf_field_listed(
    strct: *const c_char,
    strct_len: usize,
    member: *const c_char,
    member_len: usize,
) -> bool {
    // SAFETY: The caller guarantees that both are valid for their lengths, and that the bytes
    // stay as they are.
    let (strct, member) = unsafe {
        (
            core::slice::from_raw_parts(strct.cast(), strct_len),
            core::slice::from_raw_parts(member.cast(), member_len),
        )
    };
    fields::is_listed(strct, member)
}

/// Whether numbers of this type are no addresses, although they have 64 bits.
///
/// # Safety
///
/// `name` is not null, and valid for reading `len` bytes, which nobody changes during the call.
#[export]
pub(crate) unsafe extern "C" fn lockdown_bpf_scalar_listed(
    name: *const c_char,
    len: usize,
) -> bool {
    // SAFETY: The caller guarantees that `name` is valid for `len` bytes, and that they stay.
    let name = unsafe { core::slice::from_raw_parts(name.cast(), len) };
    fields::is_scalar(name)
}

/// Whether the record of a tracepoint, `category/name`, holds no secret.
///
/// # Safety
///
/// `name` is not null, and valid for reading `len` bytes, which nobody changes during the call.
#[export]
pub(crate) unsafe extern "C" fn lockdown_bpf_tracepoint_listed(
    name: *const c_char,
    len: usize,
) -> bool {
    // SAFETY: The caller guarantees that `name` is valid for `len` bytes, and that they stay.
    tracepoints::is_listed(unsafe { core::slice::from_raw_parts(name.cast(), len) })
}

/// Whether the record of a tracepoint holds what user space has passed, and no more.
///
/// # Safety
///
/// `name` is not null, and valid for reading `len` bytes, which nobody changes during the call.
#[export]
pub(crate) unsafe extern "C" fn lockdown_bpf_user_tracepoint(
    name: *const c_char,
    len: usize,
) -> bool {
    // SAFETY: The caller guarantees that `name` is valid for `len` bytes, and that they stay.
    tracepoints::is_of_user(unsafe { core::slice::from_raw_parts(name.cast(), len) })
}
