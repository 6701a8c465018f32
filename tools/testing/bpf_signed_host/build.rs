// SPDX-License-Identifier: GPL-2.0

//! Tells the tests what they have to work with: those that lack it are reported as ignored.

use std::env;
use std::path::Path;

fn main() {
    for (variable, cfg) in [("BTF", "have_btf"), ("LINUX", "have_linux")] {
        println!("cargo:rerun-if-env-changed={variable}");
        println!("cargo:rustc-check-cfg=cfg({cfg})");
        if env::var_os(variable).is_some_and(|path| Path::new(&path).exists()) {
            println!("cargo:rustc-cfg={cfg}");
        }
    }
}
