// SPDX-License-Identifier: GPL-2.0

//! The engine against libbpf's own: the same input gives the same instruction, or the same error.

mod deliberate;
mod generate;
mod mutate;
mod pairs;
mod reference;

use crate::elf::{objects, Object};
use crate::harness::*;
use crate::signed::core_relo::{Insn, Relo};
use generate::Random;
use pairs::{mutated_pair, random_pair};
use reference::*;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Compares all records of `objects` with the types in `target`.
fn compare_objects(objects: &[(String, Object)], target: &[u8]) -> Tally {
    let c_target = Reference::new(target, None).expect("libbpf takes the target's BTF");
    let mut tally = Tally::default();
    let mut times = [Duration::ZERO; 2];
    with_blob(target, None, |target| {
        for (name, object) in objects {
            let c_local = Reference::new(&object.btf, None).expect("libbpf takes clang's BTF");
            with_blob(&object.btf, None, |local| {
                let case = Case {
                    local,
                    targets: &[*target],
                    c_local: &c_local,
                    c_vmlinux: &c_target,
                    c_module: None,
                };
                for section in &object.sections {
                    for relo in &section.relos {
                        let result = case.compare(relo, &section.insns);
                        if let Err(e) = result {
                            println!("{name} {}: {relo:?}: {e}", section.name);
                        }
                        tally.count(&result, true);
                    }
                    let [ours, theirs] = case.compare_all(&section.relos, &section.insns);
                    times[0] += ours;
                    times[1] += theirs;
                }
            });
        }
    });
    // There each record searches anew, which libbpf does once per type and object.
    let [ours, theirs] = times;
    let count = objects.len();
    println!("{count} objects: {tally:?}, {ours:?} here, {theirs:?} there");
    assert!(count > 0);
    tally
}

fn read(variable: &str) -> Vec<u8> {
    std::fs::read(std::env::var_os(variable).unwrap()).unwrap()
}

/// The records of real programs, against a real kernel.
#[test]
#[cfg_attr(
    not(all(have_btf, have_bpf_objects)),
    ignore = "BTF= and BPF_OBJECTS= name no vmlinux BTF and no objects"
)]
fn real_objects() {
    let tally = compare_objects(&objects("BPF_OBJECTS"), &read("BTF"));
    assert!(tally.relocated > 0);
    assert_eq!(tally.refused, 0);
}

/// Those of the selftests, most of which ask for types that no kernel has.
#[test]
#[cfg_attr(
    not(all(have_btf, have_core_objects)),
    ignore = "BTF= and CORE_OBJECTS= name no vmlinux BTF and no objects"
)]
fn objects_of_the_selftests() {
    let tally = compare_objects(&objects("CORE_OBJECTS"), &read("BTF"));
    assert!(tally.relocated > 0 && tally.poisoned > 0);
}

/// Each program of the selftests against all types that they have for one or the other.
#[test]
#[cfg_attr(not(have_core_objects), ignore = "CORE_OBJECTS= names no objects")]
fn types_of_the_selftests() {
    let (types, programs): (Vec<_>, Vec<_>) = objects("CORE_OBJECTS")
        .into_iter()
        .partition(|(name, _)| name.starts_with("btf__"));
    assert!(types.len() > 50);
    let mut all = Tally::default();
    for (name, types) in types {
        println!("{name}:");
        let tally = compare_objects(&programs, &types.btf);
        all.add(&tally);
    }
    println!("together: {all:?}");
    assert!(all.relocated > 0 && all.poisoned > 0 && all.refused > 0);
}

/// All of them against the kernels of distributions.
#[test]
#[cfg_attr(
    not(all(have_btfs, have_bpf_objects, have_core_objects)),
    ignore = "BTFS=, BPF_OBJECTS= and CORE_OBJECTS= do not name all that it takes"
)]
fn other_kernels() {
    let mut objects = objects("BPF_OBJECTS");
    objects.extend(crate::elf::objects("CORE_OBJECTS"));
    let mut count = 0;
    for entry in std::fs::read_dir(std::env::var_os("BTFS").unwrap()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|e| e == "btf") {
            println!("{}:", path.display());
            let tally = compare_objects(&objects, &std::fs::read(&path).unwrap());
            assert!(tally.relocated > 0);
            count += 1;
        }
    }
    assert!(count > 1, "that is not many kernels");
}

/// A number from the environment, where make hands down a variable that
/// nobody has set as an empty one.
fn number(variable: &str, default: u64) -> u64 {
    match std::env::var(variable) {
        Ok(text) if !text.is_empty() => text
            .parse()
            .unwrap_or_else(|_| panic!("{variable}={text} is no number")),
        _ => default,
    }
}

/// How many pairs of BTF objects to compare.
fn pairs() -> u64 {
    number("PAIRS", 3000)
}

/// Says which pair it was when a comparison fails.
struct Which(u64);

impl Drop for Which {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("that was pair {}: PAIRS=1 SEED={}", self.0, self.0);
        }
    }
}

/// Compares as many pairs as `PAIRS` says from number `SEED` on, on all CPUs.
fn compare_pairs(pair: fn(&mut Random, &mut Tally)) -> Tally {
    let first = number("SEED", 0);
    let next = AtomicU64::new(first);
    let end = first + pairs();
    let run = || {
        let mut tally = Tally::default();
        loop {
            let n = next.fetch_add(1, Ordering::Relaxed);
            if n >= end {
                return tally;
            }
            let which = Which(n);
            let mut r = Random(0x9e37_79b9_7f4a_7c15u64.wrapping_mul(n * 2 + 1) | 1);
            pair(&mut r, &mut tally);
            drop(which);
        }
    };
    let mut tally = Tally::default();
    std::thread::scope(|scope| {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(run)).collect();
        for thread in threads {
            let one = thread.join().expect("all pairs compare equal");
            tally.add(&one);
        }
    });
    // Of what is not refused
    let done = f64::from(tally.relocated + tally.poisoned).max(1.0);
    let share = 100.0 * f64::from(tally.poisoned) / done;
    println!("{} pairs: {tally:?}, {share:.1} % poisoned", pairs());
    assert!(pairs() < 100 || tally.in_modules > 0);
    tally
}

/// Types made by chance, with names in common.
#[test]
fn random_types() {
    let tally = compare_pairs(random_pair);
    assert!(pairs() < 100 || tally.relocated > tally.refused);
    assert!(pairs() < 100 || tally.poisoned * 20 > tally.relocated);
}

/// A kernel that is what the program was compiled for, but for a few changes.
#[test]
fn mutated_types() {
    let tally = compare_pairs(mutated_pair);
    assert!(pairs() < 100 || tally.relocated > tally.refused);
    assert!(pairs() < 100 || tally.poisoned * 40 > tally.relocated);
}
