// SPDX-License-Identifier: GPL-2.0

//! Kfuncs and ksyms by name.
//!
//! Names are resolved as soon as the image is verified. Whether they are of the type that the
//! program was compiled for is checked when its BTF is there, as libbpf does: a weak one of another
//! type counts as missing.

use crate::{
    btf::{
        self,
        Types, //
    },
    core_relo::{
        matching::Sides,
        types::{
            types_are_compat,
            Stack,
            MAX_LEVEL, //
        },
        Budget,
        MAX_STEPS,
        MAX_STEPS_PROGRAM, //
    },
    core_relo_kernel::types,
    ffi::kallsyms_lookup,
    image::{
        self,
        records::Ksym,
        Kind,
        Resolved,
        Text, //
    },
    load::LoadedImage,
    target, //
};
use kernel::{
    bpf::{
        btf::Btf,
        log::Log, //
    },
    current,
    error::code::*,
    prelude::*,
    sync::aref::ARef,
    task::cond_resched, //
};

/// Lets others run before the next record, and gives up where a signal waits, as the verifier does
/// in its own loops: each of 16384 records may be sought in vmlinux, every module and kallsyms.
pub(crate) fn may_go_on() -> Result {
    if current!().signal_pending() {
        return Err(EAGAIN);
    }
    cond_resched();
    Ok(())
}

/// What `ksym` is in this kernel, or null for a weak one that it does not have.
pub(crate) fn resolve(
    ksym: &Ksym,
    name: &CStr,
    modules: &mut KVec<ARef<Btf>>,
    show_ksyms: bool,
    log: &Log,
) -> Result<Resolved> {
    let found = match ksym.kind {
        Ksym::UNTYPED if !show_ksyms => {
            log.write(format_args!(
                "ksym '{}': its address is hidden from the caller; see kernel.kptr_restrict\n",
                Text(name.to_bytes())
            ));
            return Err(EPERM);
        }
        Ksym::UNTYPED => kallsyms_lookup(name)
            .inspect_err(|_| {
                log.write(format_args!(
                    "ksym '{}': this kernel has several symbols of that name; use one with a \
                     unique name\n",
                    Text(name.to_bytes())
                ));
            })?
            .map(Resolved::Address),
        Ksym::KFUNC => find_btf_id(name, &[target::BTF_FUNC], modules)?,
        _ => find_btf_id(name, &[target::BTF_VAR, target::BTF_FUNC], modules)?,
    };
    match found {
        Some(found) => Ok(found),
        None if ksym.is_weak() => Ok(Resolved::Null),
        None => {
            let what = if ksym.kind == Ksym::KFUNC {
                "kfunc"
            } else {
                "symbol"
            };
            log.write(format_args!(
                "ksym '{}': this kernel has no such {what}; declare it __weak if the program can \
                 do without\n",
                Text(name.to_bytes())
            ));
            Err(ENOENT)
        }
    }
}

/// The first of `kinds` that has `name`; a module's BTF is added to `modules`.
fn find_btf_id(
    name: &CStr,
    kinds: &[u32],
    modules: &mut KVec<ARef<Btf>>,
) -> Result<Option<Resolved>> {
    for &kind in kinds {
        let Some((btf, id)) = Btf::find(name, kind)? else {
            continue;
        };
        let id = i32::try_from(id)?;
        if !btf.is_module() {
            return Ok(Some(Resolved::BtfId { id, module: 0 }));
        }
        let known = modules
            .iter()
            .position(|known| known.as_ptr() == btf.as_ptr());
        let index = match known {
            Some(index) => index,
            None => {
                modules.push(btf, GFP_KERNEL_ACCOUNT)?;
                modules.len().saturating_sub(1)
            }
        };
        let module = index
            .checked_add(1)
            .and_then(|n| i16::try_from(n).ok())
            .ok_or(E2BIG)?;
        return Ok(Some(Resolved::BtfId { id, module }));
    }
    Ok(None)
}

/// Compares the types of all resolved names with those that the program was compiled for.
pub(crate) fn check_types(image: &LoadedImage, btf: &Btf, insns: &mut [u8], log: &Log) -> Result {
    let ksyms = image.layout().records::<Ksym>(image.bytes(), Kind::Ksyms);
    if ksyms.iter().all(|ksym| ksym.type_id == 0) {
        return Ok(());
    }
    let mut stack = KBox::new(Stack::new(), GFP_KERNEL_ACCOUNT)?;
    let local = types(btf, None);
    let vmlinux = types(Btf::vmlinux()?, None);
    // As for CO-RE records: bounds for each one, and for all.
    let mut steps_left = MAX_STEPS_PROGRAM;

    for ksym in ksyms.iter().filter(|ksym| ksym.type_id != 0) {
        may_go_on()?;
        let Some((id, module)) = image::resolved_id(insns, &ksym) else {
            // Weak, and not in this kernel.
            continue;
        };
        let module = match module {
            0 => None,
            number => Some(image.module_btf(number).ok_or(EINVAL)?),
        };
        let target = module.map_or(vmlinux, |btf| types(btf, Some(&vmlinux)));
        let sides = Sides {
            local: &local,
            target: &target,
        };
        let name = || {
            Text(
                image
                    .layout()
                    .string(image.bytes(), ksym.name)
                    .unwrap_or(&[]),
            )
        };
        let compat = is_compat(sides, ksym.type_id, id, &mut stack, &mut steps_left);
        let compat = compat.inspect_err(|_| {
            log.write(format_args!(
                "ksym '{}': its type cannot be compared with the one in this kernel; it is \
                 malformed, nests too deep, or has too many members\n",
                name()
            ))
        })?;
        if compat {
            continue;
        }
        if ksym.is_weak() {
            image::resolve(insns, &ksym, Resolved::Null).ok_or(EINVAL)?;
            continue;
        }
        log.write(format_args!(
            "ksym '{}': its type in this kernel is not the one that the program was compiled for; \
             declare it __weak if the program can do without\n",
            name()
        ));
        return Err(EINVAL);
    }
    Ok(())
}

/// Whether function or variable `target` is what the program takes it for: the FUNC `local`, or a
/// variable of the type `local`. Takes its steps from `steps_left`.
fn is_compat(
    sides: Sides<'_>,
    local: u32,
    target: u32,
    stack: &mut Stack,
    steps_left: &mut u32,
) -> Result<bool> {
    let inner = |types: &Types<'_>, id, kind| {
        let t = types.by_id(id)?;
        (t.kind() == kind).then(|| t.type_id()).flatten()
    };
    let pair = match inner(sides.local, local, btf::Kind::Func) {
        Some(prototype) => inner(sides.target, target, btf::Kind::Func).map(|t| (prototype, t)),
        None => inner(sides.target, target, btf::Kind::Var).map(|t| (local, t)),
    };
    let Some((local, target)) = pair else {
        return Ok(false);
    };
    let skip = |types: &Types<'_>, id| types.skip_modifiers(id).map(|(id, _)| id).ok_or(EINVAL);
    let (local, target) = (skip(sides.local, local)?, skip(sides.target, target)?);
    let mut budget = Budget::new((*steps_left).min(MAX_STEPS), MAX_LEVEL);
    let before = budget.left();
    let compat = types_are_compat(sides, local, target, stack, &mut budget);
    *steps_left = steps_left.saturating_sub(before.saturating_sub(budget.left()));
    Ok(compat?)
}

#[cfg(CONFIG_BPF_SIGNED_IMAGE_KUNIT_TEST)]
#[kernel::macros::kunit_tests(bpf_signed_ksyms)]
mod tests {
    use super::*;
    use kernel::bindings;

    fn find(kind: u32, name: &CStr, flags: u32, show: bool) -> Result<Resolved> {
        let ksym = Ksym {
            insn: 0,
            kind,
            name: 0,
            type_id: 0,
            flags,
            reserved: 0,
        };
        let mut log = KBox::<bindings::bpf_verifier_log>::zeroed(GFP_KERNEL)?;
        // SAFETY: A log that is all zero is one of level 0; it is used within this function only.
        let log = unsafe { Log::from_raw(&mut *log) };
        resolve(&ksym, name, &mut KVec::new(), show, log)
    }

    /// Names of this kernel resolve as `bpf_find_btf_id()` and kallsyms have them.
    #[test]
    fn names_of_this_kernel() -> Result {
        let id = |name: &CStr, kind| -> Result<i32> {
            Ok(i32::try_from(
                Btf::vmlinux()?
                    .find_by_name_kind(name, kind)
                    .ok_or(ENOENT)?,
            )?)
        };
        let kfunc = find(Ksym::KFUNC, c"bpf_task_acquire", 0, false)?;
        let want = id(c"bpf_task_acquire", target::BTF_FUNC)?;
        assert_eq!(
            kfunc,
            Resolved::BtfId {
                id: want,
                module: 0
            }
        );
        let var = find(Ksym::TYPED, c"runqueues", 0, false)?;
        let want = id(c"runqueues", target::BTF_VAR)?;
        assert_eq!(
            var,
            Resolved::BtfId {
                id: want,
                module: 0
            }
        );
        let addr = kallsyms_lookup(c"init_task")?.ok_or(ENOENT)?;
        assert_eq!(
            find(Ksym::UNTYPED, c"init_task", 0, true)?,
            Resolved::Address(addr)
        );
        Ok(())
    }

    /// What this kernel does not have is an error, or null if it is weak.
    #[test]
    fn names_of_no_kernel() -> Result {
        for kind in [Ksym::KFUNC, Ksym::TYPED, Ksym::UNTYPED] {
            assert_eq!(find(kind, c"bpf_no_such_name", 0, true), Err(ENOENT));
            let weak = find(kind, c"bpf_no_such_name", Ksym::WEAK, true)?;
            assert_eq!(weak, Resolved::Null);
        }
        Ok(())
    }

    /// Each cache of inodes is made with an `init_once()` of its own.
    #[test]
    fn ambiguous_names() {
        assert_eq!(find(Ksym::UNTYPED, c"init_once", 0, true), Err(EINVAL));
        assert_eq!(
            find(Ksym::UNTYPED, c"init_once", Ksym::WEAK, true),
            Err(EINVAL)
        );
    }

    /// Addresses that kallsyms would hide from the caller are not given to its programs.
    #[test]
    fn hidden_addresses() {
        assert_eq!(find(Ksym::UNTYPED, c"init_task", 0, false), Err(EPERM));
        assert_eq!(
            find(Ksym::UNTYPED, c"init_task", Ksym::WEAK, false),
            Err(EPERM)
        );
    }

    /// A function is compatible with itself, and with no other prototype or kind.
    #[test]
    fn prototypes() -> Result {
        let btf = Btf::vmlinux()?;
        let vmlinux = types(btf, None);
        let sides = Sides {
            local: &vmlinux,
            target: &vmlinux,
        };
        let id = |name, kind| btf.find_by_name_kind(name, kind).ok_or(ENOENT);
        let acquire = id(c"bpf_task_acquire", target::BTF_FUNC)?;
        let release = id(c"bpf_task_release", target::BTF_FUNC)?;
        let lock = id(c"bpf_rcu_read_lock", target::BTF_FUNC)?;
        let runqueues = id(c"runqueues", target::BTF_VAR)?;
        let mut stack = KBox::new(Stack::new(), GFP_KERNEL)?;
        let mut left = MAX_STEPS_PROGRAM;
        let mut compat = |local, target| is_compat(sides, local, target, &mut stack, &mut left);
        assert!(compat(acquire, acquire)?);
        assert!(!compat(acquire, release)?);
        assert!(!compat(lock, acquire)?);
        assert!(!compat(acquire, runqueues)?);

        // All records of a program share their steps.
        let mut left = 1000;
        let mut compat = |local, target| is_compat(sides, local, target, &mut stack, &mut left);
        assert!(compat(acquire, acquire)?);
        let mut spent = Ok(true);
        for _ in 0..1000 {
            spent = compat(acquire, acquire);
            if spent.is_err() {
                break;
            }
        }
        assert_eq!(spent, Err(E2BIG));
        Ok(())
    }
}
