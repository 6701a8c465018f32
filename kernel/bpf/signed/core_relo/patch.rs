// SPDX-License-Identifier: GPL-2.0

//! Applies a relocation to its instruction.
//!
//! Instructions that can be relocated are
//!
//! 1. `rX = <imm>`;
//! 2. `rX += <imm>` and other arithmetic with an immediate operand;
//! 3. `rX = <imm64>`;
//! 4. `rX = *(T *)(rY + <off>)`;
//! 5. `*(T *)(rX + <off>) = rY`;
//! 6. `*(T *)(rX + <off>) = <imm>`.

use super::{Error, Fixup, Log, Relo};

/// An instruction, laid out as `struct bpf_insn`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Insn {
    pub(crate) code: u8,
    /// Both registers; which is in which half depends on endianness.
    pub(crate) regs: u8,
    pub(crate) off: i16,
    pub(crate) imm: i32,
}

const CLASS: u8 = 0x07;
const LD: u8 = 0x00;
const LDX: u8 = 0x01;
const ST: u8 = 0x02;
const STX: u8 = 0x03;
const ALU: u8 = 0x04;
const ALU64: u8 = 0x07;
/// Set if the second operand is a register.
const SRC_X: u8 = 0x08;
const SIZE: u8 = 0x18;
const MODE: u8 = 0xe0;
/// `BPF_LD | BPF_IMM | BPF_DW`
const LD_IMM64: u8 = 0x18;
/// `BPF_JMP | BPF_CALL`
const CALL: u8 = 0x85;

/// What a poisoned instruction calls. Where it is reachable, the verifier says
/// "invalid func unknown#195896080": 0xbad2310, a bad relo.
pub(crate) const POISON: i32 = 0xbad_2310;

impl Insn {
    const POISONED: Insn = Insn {
        code: CALL,
        regs: 0,
        off: 0,
        imm: POISON,
    };

    /// Destination and source register.
    fn registers(&self) -> (u8, u8) {
        let (low, high) = (self.regs & 0xf, self.regs >> 4);
        if cfg!(target_endian = "big") {
            (high, low)
        } else {
            (low, high)
        }
    }

    /// Bytes that a load or store accesses.
    fn access_size(&self) -> u32 {
        match self.code & SIZE {
            0x00 => 4,
            0x08 => 2,
            0x10 => 1,
            _ => 8,
        }
    }

    fn set_access_size(&mut self, bytes: u32) -> Option<()> {
        let size = match bytes {
            4 => 0x00,
            2 => 0x08,
            1 => 0x10,
            8 => 0x18,
            _ => return None,
        };
        self.code = (self.code & (MODE | CLASS)) | size;
        Some(())
    }
}

/// A signed field of an instruction, as C compares it with a 64-bit value.
fn extend(value: impl Into<i64>) -> u64 {
    u64::from_ne_bytes(value.into().to_ne_bytes())
}

/// The low half.
fn low(value: u64) -> i32 {
    // CAST: the rest is meant to go.
    value as i32
}

/// Which instruction of which record, for messages.
struct Place<'a> {
    n: u32,
    idx: u32,
    fixup: &'a Fixup,
}

impl Place<'_> {
    /// Compares what is there with what clang should have put there.
    fn check(&self, form: &str, value: u64, log: &mut dyn Log) -> Result<(), Error> {
        let Fixup {
            local,
            target,
            validate,
            ..
        } = *self.fixup;
        if !validate || value == local {
            return Ok(());
        }
        log.warn(format_args!(
            "relo #{}: unexpected insn #{} ({form}) value: got {}, exp {local} -> {target}: \
             was the record made for this program?",
            self.n,
            self.idx,
            // As the signed number that it mostly is.
            i64::from_ne_bytes(value.to_ne_bytes()),
        ));
        Err(Error::UnexpectedValue)
    }

    fn patched(&self, form: &str, what: &str, value: u64, log: &mut dyn Log) {
        log.detail(format_args!(
            "relo #{}: patched insn #{} ({form}) {what} {} -> {}",
            self.n,
            self.idx,
            i64::from_ne_bytes(value.to_ne_bytes()),
            self.fixup.target
        ));
    }

    fn poison(&self, insns: &mut [Insn], log: &mut dyn Log) {
        for (insn, idx) in insns.iter_mut().zip(self.idx..) {
            log.detail(format_args!(
                "relo #{}: substituting insn #{idx} w/ invalid insn",
                self.n
            ));
            *insn = Insn::POISONED;
        }
    }
}

/// Applies `fixup` to the instruction of record `relo`, the program's record number `n`.
pub(crate) fn apply(
    fixup: &Fixup,
    n: u32,
    relo: &Relo,
    insns: &mut [Insn],
    log: &mut dyn Log,
) -> Result<(), Error> {
    let idx = relo.insn_idx();
    let place = Place { n, idx, fixup };
    let from = usize::try_from(idx)
        .ok()
        .filter(|_| relo.insn_off % 8 == 0)
        .and_then(|start| insns.get_mut(start..))
        .unwrap_or(&mut []);
    match from {
        [] => {
            log.warn(format_args!(
                "relo #{n}: invalid insn_off {}: not an instruction of the program",
                relo.insn_off
            ));
            Err(Error::BadInsn)
        }
        [insn, ..] => match insn.code & CLASS {
            ALU | ALU64 if insn.code & SRC_X == 0 => apply_alu(&place, insn, log),
            LDX | ST | STX => apply_mem(&place, insn, log),
            LD => apply_ld(&place, from, log),
            _ => {
                let (dst, src) = insn.registers();
                log.warn(format_args!(
                    "relo #{n}: trying to relocate unrecognized insn #{idx}, code:{:#x}, \
                     src:{src:#x}, dst:{dst:#x}, off:{:#x}, imm:{:#x}",
                    insn.code, insn.off, insn.imm
                ));
                Err(Error::BadInsn)
            }
        },
    }
}

fn apply_alu(place: &Place<'_>, insn: &mut Insn, log: &mut dyn Log) -> Result<(), Error> {
    const FORM: &str = "ALU/ALU64";
    if place.fixup.poison {
        place.poison(core::slice::from_mut(insn), log);
        return Ok(());
    }
    let value = extend(insn.imm);
    place.check(FORM, value, log)?;
    insn.imm = low(place.fixup.target);
    place.patched(FORM, "imm", value, log);
    Ok(())
}

fn apply_mem(place: &Place<'_>, insn: &mut Insn, log: &mut dyn Log) -> Result<(), Error> {
    const FORM: &str = "LDX/ST/STX";
    let &Place { n, idx, fixup } = place;
    if fixup.poison {
        place.poison(core::slice::from_mut(insn), log);
        return Ok(());
    }
    let value = extend(insn.off);
    place.check(FORM, value, log)?;
    let Ok(off) = i16::try_from(fixup.target) else {
        log.warn(format_args!(
            "relo #{n}: insn #{idx} ({FORM}) value too big: {}",
            fixup.target
        ));
        return Err(Error::OffsetTooLarge);
    };
    if fixup.fail_size {
        log.warn(format_args!(
            "relo #{n}: insn #{idx} ({FORM}) accesses field incorrectly. Make sure you are \
             accessing pointers, unsigned integers, or fields of matching type and size."
        ));
        place.poison(core::slice::from_mut(insn), log);
        return Ok(());
    }

    let mut patched = *insn;
    patched.off = off;
    if fixup.local_size != fixup.target_size {
        let size = insn.access_size();
        if size != fixup.local_size {
            log.warn(format_args!(
                "relo #{n}: insn #{idx} ({FORM}) unexpected mem size: got {size}, exp {}",
                fixup.local_size
            ));
            return Err(Error::BadMemSize);
        }
        if patched.set_access_size(fixup.target_size).is_none() {
            log.warn(format_args!(
                "relo #{n}: insn #{idx} ({FORM}) invalid new mem size: {}",
                fixup.target_size
            ));
            return Err(Error::BadMemSize);
        }
    }
    *insn = patched;
    place.patched(FORM, "off", value, log);
    if fixup.local_size != fixup.target_size {
        log.detail(format_args!(
            "relo #{n}: patched insn #{idx} ({FORM}) mem_sz {} -> {}",
            fixup.local_size, fixup.target_size
        ));
    }
    Ok(())
}

fn apply_ld(place: &Place<'_>, insns: &mut [Insn], log: &mut dyn Log) -> Result<(), Error> {
    const FORM: &str = "LDIMM64";
    let pair = match insns {
        [a, b, ..]
            if a.code == LD_IMM64
                && (a.registers().1, a.off) == (0, 0)
                && (b.code, b.regs, b.off) == (0, 0, 0) =>
        {
            (a, b)
        }
        _ => {
            log.warn(format_args!(
                "relo #{}: insn #{} ({FORM}) has unexpected form",
                place.n, place.idx
            ));
            return Err(Error::BadInsn);
        }
    };
    let (a, b) = pair;
    if place.fixup.poison {
        place.poison(insns.get_mut(..2).unwrap_or(&mut []), log);
        return Ok(());
    }
    let value = (extend(b.imm) << 32) | (extend(a.imm) & 0xffff_ffff);
    place.check(FORM, value, log)?;
    a.imm = low(place.fixup.target);
    b.imm = low(place.fixup.target >> 32);
    place.patched(FORM, "imm64", value, log);
    Ok(())
}
