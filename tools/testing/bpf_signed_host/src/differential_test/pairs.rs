// SPDX-License-Identifier: GPL-2.0

//! Pairs of BTF objects, and all records that make sense for them.

use super::generate::*;
use super::mutate::*;
use super::reference::*;
use crate::builder::Builder;
use crate::harness::*;
use crate::signed::btf::{Kind, Types};
use crate::signed::core_relo::{Relo, ReloKind};

/// Views BTF that may be split.
pub(super) fn with_split<R>(
    blob: &[u8],
    base: Option<&[u8]>,
    f: impl FnOnce(&Types<'_>) -> R,
) -> R {
    match base {
        Some(base) => with_blob(base, None, |base| with_blob(blob, Some(base), f)),
        None => with_blob(blob, None, f),
    }
}

/// The same types in another order: half of the times sorted by name as those of a kernel are,
/// else shuffled or as they are. Returns the new id of each, `void` included if there is no base.
pub(super) fn reordered(r: &mut Random, blob: Vec<u8>, base: Option<&[u8]>) -> (Vec<u8>, Vec<u32>) {
    let is_sorted = r.one_in(2);
    let is_shuffled = r.one_in(2);
    let mut map = with_split(&blob, base, |types| {
        let own = types.own_ids();
        let mut ids: Vec<u32> = own.clone().collect();
        if is_sorted {
            ids.sort_by_key(|&id| types.name_of(id).unwrap().to_vec());
        } else if is_shuffled {
            for n in 1..ids.len() {
                ids.swap(n, r.below(n + 1));
            }
        }
        let void = usize::from(base.is_none());
        let mut map = vec![0; ids.len() + void];
        for (new, old) in own.clone().zip(ids) {
            map[(old - own.start) as usize + void] = new;
        }
        map
    });
    if !is_sorted && !is_shuffled {
        return (blob, map);
    }

    let c_base = base.map(|base| Reference::new(base, None).expect("libbpf takes what we make"));
    let c = Reference::new(&blob, c_base.as_ref()).expect("libbpf takes what we make");
    let out = c.permuted(&mut map).expect("libbpf can sort what we make");
    with_split(&out, base, |types| assert!(types.is_sorted() || !is_sorted));
    (out, map)
}

/// The BTF of a kernel that holds these types, and of its module.
pub(super) fn finished(
    r: &mut Random,
    vmlinux: &[u8],
    module: Option<Mutant<'_>>,
) -> (Vec<u8>, Option<Vec<u8>>) {
    let (vmlinux, map) = reordered(r, vmlinux.to_vec(), None);
    let module = module.map(|mut module| {
        module.follow(&map);
        reordered(r, module.blob, Some(&vmlinux)).0
    });
    (vmlinux, module)
}

/// Types of extreme sizes are in one of so many pairs.
pub(super) const STRETCHED: usize = 12;

pub(super) fn mutated_pair(r: &mut Random, tally: &mut Tally) {
    let has_module = r.one_in(4);
    let mut vmlinux = Builder::new();
    let size = if has_module { 5 } else { 10 } + r.below(30);
    let names = if has_module { IN_VMLINUX } else { NAMES.len() };
    let made = make(r, &mut vmlinux, size, &NAMES[..names], &[]);
    let mut module = Builder::borrowing(&vmlinux);
    if has_module {
        let size = 5 + r.below(10);
        make(r, &mut module, size, &NAMES[IN_MODULE..], &made);
    }

    // The program knows the types of both.
    let mut local = vmlinux.joined(&module);
    let mut target = Mutant::new(&mut vmlinux, None);
    if r.one_in(STRETCHED) {
        let mut stretched = Mutant::new(&mut local, None);
        (0..=r.below(3)).for_each(|_| stretched.stretch(r));
        let words = stretched.words();
        vmlinux.set_types(words[..target.words().len()].to_vec());
        module.set_types(words[target.words().len()..].to_vec());
        local.set_types(words);
        target = Mutant::new(&mut vmlinux, None);
    }
    let plan = plan(r, &mut local);

    let change = |r: &mut Random, target: &mut Mutant<'_>| {
        (0..=r.below(12)).for_each(|_| target.mutate(r));
        (0..r.below(12)).for_each(|_| target.lose(r));
        if r.one_in(STRETCHED) {
            target.stretch(r);
        }
        target.finish();
    };
    change(r, &mut target);
    let module = has_module.then(|| {
        let mut module = Mutant::new(&mut module, Some(&target));
        change(r, &mut module);
        module
    });
    let (vmlinux, module) = finished(r, &target.blob, module);
    compare_plan(&local.blob(), &vmlinux, module.as_deref(), &plan, tally);
}

pub(super) fn random_pair(r: &mut Random, tally: &mut Tally) {
    let is_stretched = r.one_in(STRETCHED);
    let stretch = |r: &mut Random, types: &mut Mutant<'_>| {
        if is_stretched {
            (0..=r.below(3)).for_each(|_| types.stretch(r));
        }
    };
    let mut local = Builder::new();
    let size = 10 + r.below(20);
    make(r, &mut local, size, &NAMES, &[]);
    let mut vmlinux = if r.one_in(3) {
        local.clone()
    } else {
        Builder::new()
    };
    let size = 10 + r.below(20);
    let has_module = r.one_in(4);
    let names = if has_module { IN_VMLINUX } else { NAMES.len() };
    let made = make(r, &mut vmlinux, size, &NAMES[..names], &[]);
    let mut module = Builder::borrowing(&vmlinux);
    make(r, &mut module, 8, &NAMES[IN_MODULE..], &made);

    let mut stretched = Mutant::new(&mut local, None);
    stretch(r, &mut stretched);
    local.set_types(stretched.words());
    let plan = plan(r, &mut local);
    let mut vmlinux = Mutant::new(&mut vmlinux, None);
    stretch(r, &mut vmlinux);
    let module = has_module.then(|| {
        let mut module = Mutant::new(&mut module, Some(&vmlinux));
        stretch(r, &mut module);
        module
    });
    let (vmlinux, module) = finished(r, &vmlinux.blob, module);
    compare_plan(&local.blob(), &vmlinux, module.as_deref(), &plan, tally);
}

/// Records that ask for the types in `local`. Their strings become part of it.
pub(super) fn plan(r: &mut Random, local: &mut Builder) -> Vec<(Relo, usize)> {
    let plan: Vec<(ReloKind, u32, String, usize)> = with(local, |types| {
        let ids: Vec<u32> = types
            .own_ids()
            .filter(|&id| r.one_in(10) || !types.name_of(id).unwrap().is_empty())
            .collect();
        (0..60)
            .map(|_| {
                let kind = r.of(&ReloKind::ALL);
                let root = r.of(&ids);
                let way = match kind {
                    ReloKind::TypeIdLocal
                    | ReloKind::TypeIdTarget
                    | ReloKind::TypeExists
                    | ReloKind::TypeSize
                    | ReloKind::TypeMatches => "0".into(),
                    _ => access(r, types, root),
                };
                (kind, root, way, r.below(6))
            })
            .collect()
    });
    plan.into_iter()
        .map(|(kind, root, way, form)| (relo(kind, root, local.string(&way)), form))
        .collect()
}

pub(super) fn compare_plan(
    local: &[u8],
    vmlinux: &[u8],
    module: Option<&[u8]>,
    plan: &[(Relo, usize)],
    tally: &mut Tally,
) {
    let c_local = Reference::new(local, None).expect("libbpf takes what we make");
    let c_vmlinux = Reference::new(vmlinux, None).expect("libbpf takes what we make");
    let c_module =
        module.map(|m| Reference::new(m, Some(&c_vmlinux)).expect("libbpf takes what we make"));
    let mut run = |local: &Types<'_>, targets: &[Types<'_>]| {
        let case = Case {
            local,
            targets,
            c_local: &c_local,
            c_vmlinux: &c_vmlinux,
            c_module: c_module.as_ref(),
        };
        let mut program = Program::default();
        for (relo, form) in plan {
            case.compare_forms(relo, *form, tally, &mut program);
        }
        // Each alone is what the reference makes of it. So it has to be of all together.
        let out = relocate_quietly(local, targets, &program.relos, &program.before);
        assert_eq!(out.result, Ok(()));
        assert!(out.insns == program.after, "all records together");
    };
    with_blob(local, None, |local| {
        with_blob(vmlinux, None, |vmlinux| match module {
            Some(module) => with_blob(module, Some(vmlinux), |module| {
                run(local, &[*vmlinux, *module]);
            }),
            None => run(local, &[*vmlinux]),
        });
    });
}
