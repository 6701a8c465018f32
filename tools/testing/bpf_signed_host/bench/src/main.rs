// SPDX-License-Identifier: GPL-2.0

//! Times the CO-RE engine against others on real objects, side by side in one run, and prints a
//! table in reStructuredText. `make bench` runs it, and explains the columns.
//!
//! Each time is the median of several rounds. What takes microseconds is measured by the clock on
//! the wall; what takes milliseconds, and so may be interrupted, by the CPU's time for this thread,
//! which takes too long to be asked for the others. The results of the engine and of relo_core.c
//! are compared on the way.

#![allow(dead_code, unexpected_cfgs, unused_imports)]

#[path = "../../src/builder.rs"]
mod builder;
#[path = "../../src/elf.rs"]
mod elf;
#[path = "../../src/harness.rs"]
mod harness;

#[path = "../../../../../kernel/bpf/signed"]
mod signed {
    pub(crate) mod btf;
    pub(crate) mod core_relo;
}

use harness::{with_blob, Kernel, Lines};
use signed::btf::Types;
use signed::core_relo::types::MAX_LEVEL;
use signed::core_relo::{Cache, Candidate, Insn, Relo, Relocator, Slot, Workspace};
use std::ffi::{c_char, c_void, CString};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::{Duration, Instant};

#[link(name = "reference", kind = "static")]
extern "C" {
    fn bench_btf(data: *const u8, size: u32) -> *mut c_void;
    fn bench_vmlinux(path: *const c_char) -> *mut c_void;
    fn bench_cache(local: *const c_void) -> *mut c_void;
    fn bench_cache_free(cache: *mut c_void);
    fn bench_cpu_time() -> u64;
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
const SLOW_ROUNDS: usize = 7;

fn median(rounds: usize, f: impl FnMut(usize) -> Duration) -> Duration {
    let mut times: Vec<Duration> = (0..rounds).map(f).collect();
    times.sort();
    times[rounds / 2]
}

/// What this thread has taken of a CPU.
fn cpu_time() -> Duration {
    // SAFETY: It takes nothing.
    Duration::from_nanos(unsafe { bench_cpu_time() })
}

/// A program section as the kernel would get it; what the caller brings is not timed.
struct Job<'a> {
    relos: &'a [Relo],
    insns: &'a [Insn],
}

/// What has become of each section.
type Programs = Vec<Vec<Insn>>;

fn originals(jobs: &[Job<'_>]) -> Programs {
    jobs.iter().map(|j| j.insns.to_vec()).collect()
}

/// How long the engine takes with all that it does for a program, and how long for the same
/// records once more.
fn ours(local: &Types<'_>, vmlinux: &Types<'_>, jobs: &[Job<'_>]) -> (Programs, [Duration; 2]) {
    let mut quiet = Lines {
        quiet: true,
        ..Lines::default()
    };
    let targets = [*vmlinux];
    let mut done = Vec::new();
    let mut times = [Duration::ZERO; 2];
    for job in jobs {
        let mut insns = job.insns.to_vec();
        let mut again = job.insns.to_vec();

        let start = Instant::now();
        let mut work = Box::new(Workspace::new());
        let mut slots = vec![Slot::default(); Cache::<Vec<Candidate>>::slots_for(job.relos.len())];
        let (found, targets) = (Vec::with_capacity(job.relos.len()), Kernel(&targets));
        let mut relocator =
            Relocator::new(*local, targets, &mut slots, found, &mut work, MAX_LEVEL);
        let mut run = |insns: &mut [Insn]| {
            for (relo, n) in job.relos.iter().zip(0..) {
                relocator
                    .relocate(n, relo, insns, &mut quiet)
                    .expect("a real record");
            }
        };
        run(&mut insns);
        times[0] += start.elapsed();

        let start = Instant::now();
        run(&mut again);
        times[1] += start.elapsed();
        assert_eq!(insns, again);
        done.push(insns);
    }
    (done, times)
}

/// BTF as libbpf has it.
struct CBtf(*mut c_void);

impl CBtf {
    fn new(blob: &[u8]) -> Self {
        // SAFETY: libbpf copies the blob.
        let btf = unsafe { bench_btf(blob.as_ptr(), blob.len() as u32) };
        assert!(!btf.is_null(), "libbpf takes clang's BTF");
        Self(btf)
    }

    /// The kernel's, read in libbpf's own way.
    fn vmlinux(path: &Path) -> Self {
        let path = CString::new(path.as_os_str().as_bytes()).expect("a path");
        let path = path.as_bytes_with_nul();
        // SAFETY: The path is terminated, and lives as long as the call.
        let btf = unsafe { bench_vmlinux(path.as_ptr().cast()) };
        assert!(!btf.is_null(), "libbpf takes the kernel's BTF");
        Self(btf)
    }
}

impl Drop for CBtf {
    fn drop(&mut self) {
        // SAFETY: It is ours.
        unsafe { btf__free(self.0) };
    }
}

/// relo_core.c, and the candidates of one object.
struct Theirs<'a> {
    cache: *mut c_void,
    local: &'a CBtf,
}

impl<'a> Theirs<'a> {
    fn new(local: &'a CBtf) -> Self {
        Self {
            // SAFETY: The BTF lives.
            cache: unsafe { bench_cache(local.0) },
            local,
        }
    }

    /// What has become of the programs, and how long it took: by the wall, by the CPU.
    fn run(&self, vmlinux: &CBtf, jobs: &[Job<'_>]) -> (Programs, [Duration; 2]) {
        let mut done = originals(jobs);
        let cpu = cpu_time();
        let start = Instant::now();
        for (job, insns) in jobs.iter().zip(&mut done) {
            // SAFETY: All of it lives as long as the call.
            let err = unsafe {
                bench_relocate(
                    self.cache,
                    self.local.0,
                    vmlinux.0,
                    job.relos.as_ptr(),
                    job.relos.len() as u32,
                    insns.as_mut_ptr(),
                )
            };
            assert_eq!(err, 0, "a real record");
        }
        let wall = start.elapsed();
        (done, [wall, cpu_time() - cpu])
    }
}

impl Drop for Theirs<'_> {
    fn drop(&mut self) {
        // SAFETY: It is ours.
        unsafe { bench_cache_free(self.cache) };
    }
}

/// How long aya-obj takes to read the kernel's BTF, and how long to relocate.
fn aya(object: &[u8], vmlinux: &Path) -> Result<[Duration; 2], Box<dyn std::error::Error>> {
    let mut object = aya_obj::Object::parse(object)?;
    let start = cpu_time();
    let btf = std::fs::read(vmlinux)?;
    let btf = aya_obj::btf::Btf::parse(&btf, object.endianness)?;
    let read = cpu_time();
    object.relocate_btf(&btf)?;
    Ok([read - start, cpu_time() - read])
}

/// What one object takes, in microseconds.
#[derive(Clone, Copy, Default)]
struct Row {
    records: usize,
    /// Rust with all searches and without, C with all searches and without.
    cold: f64,
    warm: f64,
    c_cold: f64,
    c_warm: f64,
    /// With the kernel's BTF read.
    libbpf: f64,
    aya: Option<f64>,
}

const WIDTHS: [usize; 12] = [18, 7, 6, 8, 6, 6, 6, 6, 8, 6, 9, 7];

fn rule(c: char) -> String {
    WIDTHS.map(|w| String::from(c).repeat(w)).join(" ")
}

fn line(cells: [String; 12]) {
    let mut out = String::new();
    for (n, (cell, w)) in cells.iter().zip(WIDTHS).enumerate() {
        out += &match n {
            0 => format!("{cell:<w$}"),
            _ => format!(" {cell:>w$}"),
        };
    }
    println!("{}", out.trim_end());
}

/// A heading over some columns.
fn spans(of: &[(usize, &str)]) {
    let mut text = String::new();
    let mut under = String::new();
    let mut at = 0;
    for &(columns, heading) in of {
        let width = WIDTHS[at..at + columns].iter().sum::<usize>() + columns - 1;
        text += &format!("{heading:<width$} ");
        under += &format!("{} ", "-".repeat(width));
        at += columns;
    }
    println!("{}\n{}", text.trim_end(), under.trim_end());
}

impl Row {
    fn print(&self, name: &str) {
        // Of what aya-obj does not take there is no ratio.
        let aya = self.aya.map_or(["-".into(), "-".into()], |aya| {
            [format!("{aya:.0}"), format!("{:.0}", aya / self.cold)]
        });
        let [aya, aya_ratio] = aya;
        line([
            name.into(),
            self.records.to_string(),
            format!("{:.1}", self.cold),
            format!("{:.0}", self.c_cold),
            format!("{:.0}", self.c_cold / self.cold),
            format!("{:.1}", self.warm),
            format!("{:.1}", self.c_warm),
            format!("{:.1}", self.c_warm / self.warm),
            format!("{:.0}", self.libbpf),
            format!("{:.0}", self.libbpf / self.cold),
            aya,
            aya_ratio,
        ]);
    }

    /// How many times as long a search takes C: what the searches add to the rest.
    fn search(&self) -> f64 {
        (self.c_cold - self.c_warm) / (self.cold - self.warm)
    }

    fn add(&mut self, other: &Row) {
        self.records += other.records;
        self.cold += other.cold;
        self.warm += other.warm;
        self.c_cold += other.c_cold;
        self.c_warm += other.c_warm;
        self.libbpf += other.libbpf;
        self.aya = self.aya.zip(other.aya).map(|(a, b)| a + b);
    }
}

fn micros(d: Duration) -> f64 {
    d.as_secs_f64() * 1e6
}

fn named(variable: &str) -> std::path::PathBuf {
    std::env::var_os(variable)
        .unwrap_or_else(|| panic!("{variable}= is set"))
        .into()
}

fn main() {
    let vmlinux_path = named("BTF");
    let objects = named("BPF_OBJECTS");
    let vmlinux = std::fs::read(&vmlinux_path).expect("BTF= can be read");
    let c_vmlinux = CBtf::vmlinux(&vmlinux_path);

    println!("{}", rule('='));
    spans(&[
        (2, ""),
        (3, "with searches, us"),
        (3, "without, us"),
        (4, "with the kernel's BTF read, us"),
    ]);
    line(
        [
            "object", "records", "Rust", "C", "C/Rust", "Rust", "C", "C/Rust", "libbpf", "/Rust",
            "aya-obj", "/Rust",
        ]
        .map(String::from),
    );
    println!("{}", rule('='));

    let mut all = Row {
        aya: Some(0.0),
        ..Row::default()
    };
    // What aya-obj takes.
    let mut common = all;
    let mut refused = Vec::new();
    let mut least = (f64::INFINITY, String::new());
    let mut missed = Vec::new();
    let mut aya_read = Vec::new();
    with_blob(&vmlinux, None, |vmlinux| {
        for (name, object) in elf::objects("BPF_OBJECTS") {
            let jobs: Vec<Job<'_>> = object
                .sections
                .iter()
                .filter(|s| !s.relos.is_empty())
                .map(|s| Job {
                    relos: &s.relos,
                    insns: &s.insns,
                })
                .collect();
            let mut row = Row {
                records: jobs.iter().map(|j| j.relos.len()).sum(),
                ..Row::default()
            };
            if row.records == 0 {
                continue;
            }
            let c_local = CBtf::new(&object.btf);
            with_blob(&object.btf, None, |local| {
                let (results, _) = ours(local, vmlinux, &jobs);
                let rounds: Vec<_> = (0..ROUNDS).map(|_| ours(local, vmlinux, &jobs).1).collect();
                row.cold = micros(median(ROUNDS, |n| rounds[n][0]));
                row.warm = micros(median(ROUNDS, |n| rounds[n][1]));

                row.c_cold = micros(median(SLOW_ROUNDS, |_| {
                    Theirs::new(&c_local).run(&c_vmlinux, &jobs).1[1]
                }));
                let c = Theirs::new(&c_local);
                assert!(c.run(&c_vmlinux, &jobs).0 == results, "{name}");
                row.c_warm = micros(median(ROUNDS, |_| c.run(&c_vmlinux, &jobs).1[0]));

                row.libbpf = micros(median(SLOW_ROUNDS, |_| {
                    let start = cpu_time();
                    let vmlinux = CBtf::vmlinux(&vmlinux_path);
                    let read = cpu_time() - start;
                    read + Theirs::new(&c_local).run(&vmlinux, &jobs).1[1]
                }));
            });

            let file = std::fs::read(objects.join(&name)).expect("the object can be read");
            let name = name.trim_end_matches(".bpf.o");
            match aya(&file, &vmlinux_path) {
                Ok(_) => {
                    row.aya = Some(micros(median(SLOW_ROUNDS, |_| {
                        let [read, relocate] = aya(&file, &vmlinux_path).expect("as before");
                        aya_read.push(read);
                        read + relocate
                    })));
                    common.add(&row);
                }
                Err(e) => refused.push((name.to_string(), e)),
            }
            row.print(name);
            all.add(&row);
            if row.c_warm < 3.0 * row.warm {
                missed.push(name.to_string());
            }
            if row.search() < least.0 {
                least = (row.search(), name.to_string());
            }
        }
    });
    all.print("all");
    if !refused.is_empty() {
        common.print("those of aya-obj");
    }
    println!("{}\n", rule('='));

    let read = median(SLOW_ROUNDS, |_| {
        let start = cpu_time();
        let btf = CBtf::vmlinux(&vmlinux_path);
        let took = cpu_time() - start;
        drop(btf);
        took
    });
    println!(
        "Of what libbpf takes for an object, {:.0} us go by while it reads the kernel's BTF, of \
         {:.1} MB;\nof what aya-obj takes, {:.0} us.",
        micros(read),
        vmlinux.len() as f64 / 1e6,
        micros(median(aya_read.len(), |n| aya_read[n])),
    );
    let (ratio, name) = least;
    println!(
        "\nThe searches alone, which are the difference of the first two pairs, take C {:.0}\n\
         times as long as Rust for all objects, and at least {ratio:.0} times for each ({name}).\n\
         The aim was 100. Without searches it was 3, which {}.",
        all.search(),
        match missed.as_slice() {
            [] => "each keeps".to_string(),
            names => format!("all keep but {}", names.join(", ")),
        },
    );
    for (name, error) in refused {
        let mut said = error.to_string();
        let mut source = error.source();
        while let Some(error) = source {
            said += &format!(": {error}");
            source = error.source();
        }
        println!("\naya-obj does not take ``{name}``: {said}.");
    }
}
