// SPDX-License-Identifier: GPL-2.0

//! What was chosen at boot, and since: the choice for unsigned programs, which only ever gets
//! stricter, and the ceiling, which never changes.

use super::policy::{
    Choice,
    Class, //
};
use kernel::sync::atomic::{
    Atomic,
    Relaxed, //
};

/// A [`Choice`], at first the one of the kernel's configuration.
static CHOICE: Atomic<i32> = Atomic::new(if cfg!(CONFIG_LOCK_DOWN_BPF_AUDIT) {
    Choice::Audit as i32
} else if cfg!(CONFIG_LOCK_DOWN_BPF_SIGNED) {
    Choice::Signed as i32
} else {
    Choice::Restricted as i32
});

/// A [`Class`]. Written while the command line is parsed, before there are other threads, and
/// read-only from then on.
#[link_section = ".data..ro_after_init"]
static CEILING: Atomic<u32> = Atomic::new(0);

/// The choice in force.
pub(crate) fn choice() -> Choice {
    Choice::from_raw(CHOICE.load(Relaxed))
}

/// Takes the choice of the command line, in place of the one of the configuration.
pub(crate) fn choose(choice: Choice) {
    CHOICE.store(choice as i32, Relaxed);
}

/// Makes the choice stricter. Returns whether it was not stricter before.
pub(crate) fn tighten(to: Choice) -> bool {
    let mut now = CHOICE.load(Relaxed);
    while Choice::from_raw(now) <= to {
        match CHOICE.cmpxchg(now, to as i32, Relaxed) {
            Ok(_) => return true,
            Err(other) => now = other,
        }
    }
    false
}

/// What may be granted to signed programs under confidentiality.
pub(crate) fn ceiling() -> Class {
    Class::from_bits(CEILING.load(Relaxed))
}

/// Sets the ceiling, while the kernel boots; later it cannot be written any more.
pub(crate) fn set_ceiling(ceiling: Class) {
    CEILING.store(ceiling.bits(), Relaxed);
}
