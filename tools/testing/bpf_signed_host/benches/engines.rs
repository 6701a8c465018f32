// SPDX-License-Identifier: GPL-2.0

//! Times the CO-RE engine against libbpf's `relo_core.c` on real objects, side by side in one run,
//! and prints a table in reStructuredText. `make bench` runs it.
//!
//! | column | what is timed |
//! | --- | --- |
//! | Rust | all records of the object with their searches; nothing is kept between programs |
//! | C, cold | the same by C, with one search for each root type of the object |
//! | C, warm | by C with all candidates at hand |
//!
//! Each is the median of many rounds.

#![allow(dead_code, unexpected_cfgs, unused_imports)]

#[path = "../src/builder.rs"]
mod builder;
#[path = "../src/elf.rs"]
mod elf;
#[path = "../src/harness.rs"]
mod harness;

#[path = "../../../../kernel/bpf/signed"]
mod signed {
    pub(crate) mod btf;
    pub(crate) mod core_relo;
}

use harness::{with_blob, Kernel, Lines};
use signed::btf::Types;
use signed::core_relo::{Cache, Candidate, Insn, Relo, Relocator, Slot, Workspace};
use std::ffi::c_void;
use std::time::{Duration, Instant};

#[link(name = "bench", kind = "static")]
extern "C" {
    fn bench_btf(data: *const u8, size: u32) -> *mut c_void;
    fn bench_cache(local: *const c_void) -> *mut c_void;
    fn bench_cache_free(cache: *mut c_void);
    fn bench_relocate(
        cache: *mut c_void,
        local: *const c_void,
        vmlinux: *const c_void,
        relos: *const Relo,
        cnt: u32,
        insns: *mut Insn,
    ) -> i32;
}

#[link(name = "bpf", kind = "static")]
#[link(name = "elf")]
#[link(name = "z")]
extern "C" {
    fn btf__free(btf: *mut c_void);
}

const ROUNDS: usize = 31;

fn median(rounds: usize, mut f: impl FnMut() -> Duration) -> Duration {
    let mut times: Vec<Duration> = (0..rounds).map(|_| f()).collect();
    times.sort();
    times[rounds / 2]
}

/// A program section as the kernel would get it; what the caller brings is not timed.
struct Job<'a> {
    relos: &'a [Relo],
    insns: Vec<Insn>,
}

fn ours(
    local: &Types<'_>,
    vmlinux: &Types<'_>,
    jobs: &[Job<'_>],
    work: &mut Workspace,
) -> Duration {
    let mut quiet = Lines {
        quiet: true,
        ..Lines::default()
    };
    let targets = [*vmlinux];
    let mut insns: Vec<_> = jobs.iter().map(|j| j.insns.clone()).collect();
    let start = Instant::now();
    for (job, insns) in jobs.iter().zip(&mut insns) {
        let mut slots = vec![Slot::default(); Cache::<Vec<Candidate>>::slots_for(job.relos.len())];
        let mut relocator = Relocator::new(*local, Kernel(&targets), &mut slots, Vec::new(), work);
        for (relo, n) in job.relos.iter().zip(0..) {
            relocator
                .relocate(n, relo, insns, &mut quiet)
                .expect("a real record");
        }
    }
    start.elapsed()
}

fn theirs(
    cache: *mut c_void,
    local: *const c_void,
    vmlinux: *const c_void,
    jobs: &[Job<'_>],
) -> Duration {
    let mut insns: Vec<_> = jobs.iter().map(|j| j.insns.clone()).collect();
    let start = Instant::now();
    for (job, insns) in jobs.iter().zip(&mut insns) {
        // SAFETY: All of it lives as long as the call.
        let err = unsafe {
            bench_relocate(
                cache,
                local,
                vmlinux,
                job.relos.as_ptr(),
                job.relos.len() as u32,
                insns.as_mut_ptr(),
            )
        };
        assert_eq!(err, 0, "a real record");
    }
    start.elapsed()
}

fn micros(d: Duration) -> f64 {
    d.as_secs_f64() * 1e6
}

fn row(name: &str, records: usize, [ours, cold, warm]: [f64; 3]) {
    println!(
        "{name:<24} {records:>7} {ours:>9.1} {cold:>11.1} {:>9.0} {warm:>10.1} {:>9.1}",
        cold / ours,
        warm / ours
    );
}

fn main() {
    // cargo passes --bench
    let vmlinux = std::fs::read(std::env::var_os("BTF").expect("BTF= names a kernel's BTF"))
        .expect("BTF= can be read");
    let parse = median(5, || {
        let start = Instant::now();
        // SAFETY: libbpf copies the blob.
        let btf = unsafe { bench_btf(vmlinux.as_ptr(), vmlinux.len() as u32) };
        let took = start.elapsed();
        // SAFETY: It is ours.
        unsafe { btf__free(btf) };
        took
    });
    // SAFETY: libbpf copies the blob.
    let c_vmlinux = unsafe { bench_btf(vmlinux.as_ptr(), vmlinux.len() as u32) };
    assert!(!c_vmlinux.is_null(), "libbpf takes the kernel's BTF");

    let line = format!(
        "{} {} {} {} {} {} {}",
        "=".repeat(24),
        "=".repeat(7),
        "=".repeat(9),
        "=".repeat(11),
        "=".repeat(9),
        "=".repeat(10),
        "=".repeat(9)
    );
    println!("{line}");
    println!(
        "{:<24} {:>7} {:>9} {:>11} {:>9} {:>10} {:>9}",
        "object", "records", "Rust, us", "C cold, us", "cold/Rust", "C warm, us", "warm/Rust"
    );
    println!("{line}");

    let mut total = [0.0; 3];
    let mut records = 0;
    let mut work = Workspace::new();
    with_blob(&vmlinux, None, |vmlinux| {
        for (name, object) in elf::objects("BPF_OBJECTS") {
            let jobs: Vec<Job<'_>> = object
                .sections
                .iter()
                .filter(|s| !s.relos.is_empty())
                .map(|s| Job {
                    relos: &s.relos,
                    insns: s.insns.clone(),
                })
                .collect();
            let count: usize = jobs.iter().map(|j| j.relos.len()).sum();
            if count == 0 {
                continue;
            }
            // SAFETY: libbpf copies the blob.
            let c_local = unsafe { bench_btf(object.btf.as_ptr(), object.btf.len() as u32) };
            assert!(!c_local.is_null(), "libbpf takes clang's BTF");
            with_blob(&object.btf, None, |local| {
                let rust = median(ROUNDS, || ours(local, vmlinux, &jobs, &mut work));
                let cold = median(7, || {
                    // SAFETY: The BTF lives; the cache is freed once.
                    unsafe {
                        let cache = bench_cache(c_local);
                        let took = theirs(cache, c_local, c_vmlinux, &jobs);
                        bench_cache_free(cache);
                        took
                    }
                });
                // SAFETY: The BTF lives.
                let cache = unsafe { bench_cache(c_local) };
                let warm = median(ROUNDS, || theirs(cache, c_local, c_vmlinux, &jobs));
                // SAFETY: It is ours.
                unsafe { bench_cache_free(cache) };
                let times = [micros(rust), micros(cold), micros(warm)];
                row(name.trim_end_matches(".bpf.o"), count, times);
                records += count;
                for (sum, t) in total.iter_mut().zip(times) {
                    *sum += t;
                }
            });
            // SAFETY: It is ours.
            unsafe { btf__free(c_local) };
        }
    });
    row("all", records, total);
    println!("{line}");
    println!();
    println!(
        "Before it can search, libbpf reads the kernel's BTF, {:.1} MB, which takes {:.0} us more \
         for\neach tool: {:.0} times what all of these records take in Rust.",
        vmlinux.len() as f64 / 1e6,
        micros(parse),
        micros(parse) / total[0]
    );
    // SAFETY: It is ours.
    unsafe { btf__free(c_vmlinux) };
}
