// SPDX-License-Identifier: GPL-2.0

//! Tells the tests what they have to work with: those that lack it are reported as ignored. Builds
//! libbpf of the tree that `LINUX` names, into our own output directory, and `src/reference.c`.
//!
//! This serves the tests and the package in `bench`, each of which has a `src/reference.c`.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

fn named(variable: &str) -> Option<PathBuf> {
    println!("cargo:rerun-if-env-changed={variable}");
    println!(
        "cargo:rustc-check-cfg=cfg(have_{})",
        variable.to_lowercase()
    );
    let path = PathBuf::from(env::var_os(variable)?);
    assert!(path.exists(), "{variable}={}: not there", path.display());
    println!("cargo:rustc-cfg=have_{}", variable.to_lowercase());
    Some(path)
}

fn run(command: &mut Command) {
    let status = command
        .status()
        .unwrap_or_else(|e| panic!("{command:?}: {e}"));
    assert!(status.success(), "{command:?}: {status}");
}

fn main() {
    named("BTF");
    named("BTFS");
    named("BPF_OBJECTS");
    named("CORE_OBJECTS");
    println!("cargo:rustc-check-cfg=cfg(reference_is_fixed)");
    if let Some(linux) = named("LINUX") {
        build_reference(&linux);
    }
}

/// Whether libbpf in `source` has the fixes of our series: the tests have to know which of two
/// results is the right one.
fn is_fixed(source: &Path) -> bool {
    let text = std::fs::read_to_string(source.join("relo_core.c")).expect("libbpf is there");
    text.contains("bpf_core_spec_add_elems(")
}

fn build_reference(linux: &Path) {
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    let source = linux.join("tools/lib/bpf");
    println!("cargo:rerun-if-changed=src/reference.c");
    for file in ["relo_core.c", "libbpf.c", "btf.c"] {
        println!("cargo:rerun-if-changed={}", source.join(file).display());
    }

    if is_fixed(&source) {
        println!("cargo:rustc-cfg=reference_is_fixed");
    }

    let libbpf = out.join("libbpf");
    std::fs::create_dir_all(&libbpf).expect("the output directory can be written");
    run(Command::new("make")
        .arg("-s")
        .arg("-C")
        .arg(&source)
        .arg(format!("OUTPUT={}/", libbpf.display()))
        .arg(libbpf.join("libbpf.a"))
        // Those of the cargo that runs us, or of a kbuild around it.
        .env_remove("MAKEFLAGS")
        .env_remove("MAKELEVEL"));
    let object = out.join("reference.o");
    let compiler = env::var_os("CC").unwrap_or_else(|| "cc".into());
    run(Command::new(compiler)
        .args(["-c", "-O2", "-g", "-Wall", "-fPIC", "src/reference.c", "-o"])
        .arg(&object)
        .arg("-I")
        .arg(&source)
        .arg("-I")
        .arg(&libbpf)
        .arg("-I")
        .arg(linux.join("tools/include"))
        .arg("-I")
        .arg(linux.join("tools/include/uapi")));
    let archive = out.join("libreference.a");
    let _ = std::fs::remove_file(&archive);
    run(Command::new("ar").arg("rcs").arg(&archive).arg(&object));

    println!("cargo:rustc-link-search=native={}", out.display());
    println!("cargo:rustc-link-search=native={}", libbpf.display());
    println!("cargo:rustc-link-lib=static=reference");
    println!("cargo:rustc-link-lib=static=bpf");
    println!("cargo:rustc-link-lib=elf");
    println!("cargo:rustc-link-lib=z");
    // See bench/src/reference.c
    if env::var("CARGO_PKG_NAME").as_deref() == Ok("bpf_signed_bench") {
        for function in ["open64", "faccessat"] {
            println!("cargo:rustc-link-arg-bins=-Wl,--wrap={function}");
        }
    }
}
