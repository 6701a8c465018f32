// SPDX-License-Identifier: GPL-2.0

//! The environment that the engine has in the kernel, made of vectors.

use crate::builder::Builder;
use crate::signed::btf::{Blob, Types};
use crate::signed::core_relo::types::MAX_LEVEL;
use crate::signed::core_relo::{
    Cache, Candidate, Error, Insn, Level, List, Log, Relo, ReloKind, Relocator, Slot, Targets,
    Workspace,
};
use std::fmt;

/// Views a raw BTF section for the length of a call.
pub(crate) fn with_blob<R>(
    blob: &[u8],
    base: Option<&Types<'_>>,
    f: impl FnOnce(&Types<'_>) -> R,
) -> R {
    let blob = Blob::parse(blob).expect("BTF header");
    let mut index = vec![0; blob.index_len(base).expect("BTF types")];
    // Shortens the base's lifetime to that of the index.
    let base: Option<Types<'_>> = base.copied();
    let types = blob.types(&mut index, base.as_ref()).expect("BTF types");
    f(&types)
}

/// Views the BTF that `builder` makes.
pub(crate) fn with<R>(builder: &Builder, f: impl FnOnce(&Types<'_>) -> R) -> R {
    with_blob(&builder.blob(), None, f)
}

/// Keeps the lines.
#[derive(Default)]
pub(crate) struct Lines {
    pub(crate) lines: Vec<String>,
    pub(crate) quiet: bool,
}

impl Log for Lines {
    fn wants(&self, _level: Level) -> bool {
        !self.quiet
    }

    fn line(&mut self, args: fmt::Arguments<'_>) {
        self.lines.push(args.to_string());
    }
}

impl List for Vec<Candidate> {
    fn push(&mut self, candidate: Candidate) -> Result<(), Error> {
        Vec::push(self, candidate);
        Ok(())
    }

    fn as_slice(&self) -> &[Candidate] {
        self
    }
}

/// vmlinux and modules.
pub(crate) struct Kernel<'a>(pub(crate) &'a [Types<'a>]);

impl Targets for Kernel<'_> {
    fn types(&self, btf: u32) -> Option<Types<'_>> {
        self.0.get(btf as usize).copied()
    }

    fn modules(&mut self) -> Result<u32, Error> {
        Ok(self.0.len() as u32 - 1)
    }
}

/// What became of a program.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) result: Result<(), Error>,
    pub(crate) insns: Vec<Insn>,
    pub(crate) log: Vec<String>,
}

impl Outcome {
    pub(crate) fn says(&self, what: &str) -> bool {
        self.log.iter().any(|line| line.contains(what))
    }
}

/// Relocates a program.
pub(crate) fn relocate(
    local: &Types<'_>,
    targets: &[Types<'_>],
    relos: &[Relo],
    insns: &[Insn],
) -> Outcome {
    relocate_levels(local, targets, relos, insns, MAX_LEVEL)
}

/// The same, with types compared so many levels deep.
pub(crate) fn relocate_levels(
    local: &Types<'_>,
    targets: &[Types<'_>],
    relos: &[Relo],
    insns: &[Insn],
    levels: usize,
) -> Outcome {
    relocate_to(local, targets, relos, insns, levels, Lines::default())
}

/// The same without a log.
pub(crate) fn relocate_quietly(
    local: &Types<'_>,
    targets: &[Types<'_>],
    relos: &[Relo],
    insns: &[Insn],
) -> Outcome {
    let log = Lines {
        quiet: true,
        ..Lines::default()
    };
    relocate_to(local, targets, relos, insns, MAX_LEVEL, log)
}

fn relocate_to(
    local: &Types<'_>,
    targets: &[Types<'_>],
    relos: &[Relo],
    insns: &[Insn],
    levels: usize,
    mut log: Lines,
) -> Outcome {
    let mut insns = insns.to_vec();
    let mut work = Workspace::new();
    let mut slots = vec![Slot::default(); Cache::<Vec<Candidate>>::slots_for(relos.len())];
    let (found, targets) = (Vec::new(), Kernel(targets));
    let mut relocator = Relocator::new(*local, targets, &mut slots, found, &mut work, levels);
    let result = relos
        .iter()
        .zip(0..)
        .try_for_each(|(relo, n)| relocator.relocate(n, relo, &mut insns, &mut log));
    Outcome {
        result,
        insns,
        log: log.lines,
    }
}

pub(crate) fn relo(kind: ReloKind, type_id: u32, access_str_off: u32) -> Relo {
    Relo {
        insn_off: 0,
        type_id,
        access_str_off,
        kind: kind as u32,
    }
}

/// `r1 = imm`
pub(crate) fn mov(imm: i32) -> Insn {
    Insn {
        code: 0xb7,
        regs: 1,
        off: 0,
        imm,
    }
}

/// `r1 = imm64`
pub(crate) fn ld_imm64(imm: u64) -> [Insn; 2] {
    let insn = |code, regs, imm| Insn {
        code,
        regs,
        off: 0,
        imm,
    };
    [insn(0x18, 1, imm as i32), insn(0, 0, (imm >> 32) as i32)]
}

/// `r1 = *(T *)(r2 + off)`
pub(crate) fn ldx(size: u32, off: i16) -> Insn {
    let size = match size {
        1 => 0x10,
        2 => 0x08,
        4 => 0x00,
        _ => 0x18,
    };
    Insn {
        code: 0x61 | size,
        regs: 0x21,
        off,
        imm: 0,
    }
}

pub(crate) fn imm64(insns: &[Insn]) -> u64 {
    (u64::from(insns[1].imm as u32) << 32) | u64::from(insns[0].imm as u32)
}
