// SPDX-License-Identifier: GPL-2.0

//! Compile once, run everywhere: relocation of BPF programs against the running kernel's types.
//!
//! A record ([`Relo`]) says: this instruction holds something that clang knew of a *local* type,
//! the one in the program's own BTF: a member's offset, an enumerator's value, whether a type is
//! there at all. The engine replaces it with what holds for the *target*, the type of the same
//! name in the kernel's BTF. The way of a record:
//!
//! | step | in | what it does |
//! | --- | --- | --- |
//! | find | [`candidates`] | target types of the same name and kind, once per root type |
//! | parse | [`spec`] | reads the access string `0:1:2` along the local type |
//! | match | [`matching`], [`types`] | walks each candidate by the same names, or compares types |
//! | compute | [`compute`] | what it should hold, what it will hold; candidates must agree |
//! | patch | [`patch`] | checks the instruction and rewrites it, or poisons it |
//!
//! This is the algorithm of tools/lib/bpf/relo_core.c, with the same results. It needs no memory
//! but what the caller lends it, takes a bounded number of steps and a bounded, small stack, and
//! never panics, whatever BTF and records say.
//!
//! # Where it differs from the C engine, and why
//!
//! Results that C gets wrong or leaves to chance:
//!
//! - Access strings are decimal numbers with colons between. `sscanf()` also takes blanks and
//!   signs, and lets numbers beyond `i32::MAX` wrap.
//! - Bit offsets that do not fit 32 bits are refused; in C they wrap.
//! - A member with the right name and the wrong type ends the search in its own struct. In C its
//!   offset stays added up when the search goes on in an enclosing struct.
//! - A 64-bit load whose second half is not within the program is refused; C trusts its caller to
//!   have looked.
//! - Kinds that cannot be relocated (function, variable, section, tag, float) never match, as in
//!   C, which in the kernel writes the words for that to a string constant.
//! - The value of an ENUMVAL candidate is printed only if it is an enum.
//! - A bitfield whose type has no size is refused; C divides by zero. BTF with such a member does
//!   not get past BPF_BTF_LOAD, so that libbpf alone is in danger.
//! - Variables, sections and tags have no size, as in the kernel; libbpf gives them one.
//! - The size of a bitfield's integer may be 512 MiB and more, which in C wraps when it is made
//!   bits. That BTF does not get past BPF_BTF_LOAD either.
//!
//! Results of the kernel's C code (kernel/bpf/btf.c) that differ from libbpf's, where this engine
//! sides with libbpf, so that a program becomes the same whoever relocates it:
//!
//! - An enum of 32 bits and one of 64 are candidates for each other.
//! - Candidates are told apart by kind as well as by name, whatever another program looked for.
//!
//! How deeply types may nest that are compared as wholes is for the caller to say: libbpf goes down
//! 32 levels, the kernel's C code 2. See BPF_CORE_RELO_LEVELS.
//!
//! Details go to the log at level 2 only, and messages lack the name of the program, which the
//! kernel's were always without.
//!
//! One where it sides with the kernel: a record's result does not depend on the records before
//! it. libbpf drops a candidate for good when it does not match one record of an object.
//!
//! libbpf bounds neither names, nor modifiers in a chain, nor dimensions of arrays, and takes sizes
//! of up to 4 GiB; for the elements of a target's array that are larger it says `E2BIG`, where
//! `EINVAL` is said here, as for all sizes.
//!
//! Bounds, all of them errors when hit: [`MAX_STEPS`] and [`MAX_STEPS_PROGRAM`] steps,
//! [`spec::MAX_LEN`] numbers in an access string, [`types::MAX_LEVEL`] levels of nested types,
//! 64 types in a chain of modifiers, [`matching::MAX_DIMENSIONS`] types in one of arrays, names of
//! [`super::btf::MAX_STRING`] bytes, sizes of `i32::MAX`. hostile_test.rs has a test for each, and
//! Documentation/bpf/signed_image.rst a table.

#![deny(clippy::arithmetic_side_effects)]
#![deny(clippy::indexing_slicing)]

use super::btf::{self, Types};
use core::fmt;

pub(crate) mod candidates;
pub(crate) mod compute;
pub(crate) mod matching;
pub(crate) mod patch;
pub(crate) mod spec;
pub(crate) mod types;

pub(crate) use candidates::{Cache, Candidate, List, Slot, Targets};
pub(crate) use compute::Fixup;
pub(crate) use patch::Insn;
use spec::Spec;

/// Most steps that one record may take. A step is what it takes to look at a member or to compare
/// a name, some 10 ns; what takes longer counts for more. Matching `struct task_struct` member by
/// member against itself takes some 40,000. What is written to a log of level 2 is not counted:
/// results must not depend on it.
pub(crate) const MAX_STEPS: u32 = 1 << 22;

/// Most steps that all records of a program may take together: a second or two at worst.
pub(crate) const MAX_STEPS_PROGRAM: u32 = 1 << 26;

/// Steps for each pair of types, whose modifiers and typedefs have to be skipped.
const STEPS_PER_PAIR: u32 = 16;

/// Steps for each number of an access string, for the same reason.
const STEPS_PER_NUMBER: u32 = 16;

/// Steps for each candidate, whatever it is asked for.
const STEPS_PER_CANDIDATE: u32 = 32;

/// A relocation record, laid out as `struct bpf_core_relo`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Relo {
    pub(crate) insn_off: u32,
    pub(crate) type_id: u32,
    pub(crate) access_str_off: u32,
    pub(crate) kind: u32,
}

impl Relo {
    /// The number of the instruction.
    pub(crate) fn insn_idx(&self) -> u32 {
        self.insn_off / 8
    }
}

/// What a record asks for, `enum bpf_core_relo_kind`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[allow(missing_docs)]
pub(crate) enum ReloKind {
    FieldByteOffset,
    FieldByteSize,
    FieldExists,
    FieldSigned,
    FieldLshiftU64,
    FieldRshiftU64,
    TypeIdLocal,
    TypeIdTarget,
    TypeExists,
    TypeSize,
    EnumvalExists,
    EnumvalValue,
    TypeMatches,
}

/// The three families of relocations.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Family {
    /// About a member or array element, found by an access string.
    Field,
    /// About a type as a whole.
    Type,
    /// About an enumerator.
    Enumval,
}

impl ReloKind {
    pub(crate) const ALL: [ReloKind; 13] = [
        ReloKind::FieldByteOffset,
        ReloKind::FieldByteSize,
        ReloKind::FieldExists,
        ReloKind::FieldSigned,
        ReloKind::FieldLshiftU64,
        ReloKind::FieldRshiftU64,
        ReloKind::TypeIdLocal,
        ReloKind::TypeIdTarget,
        ReloKind::TypeExists,
        ReloKind::TypeSize,
        ReloKind::EnumvalExists,
        ReloKind::EnumvalValue,
        ReloKind::TypeMatches,
    ];

    /// The kind with this number, if there is one.
    pub(crate) fn from_raw(raw: u32) -> Option<Self> {
        Self::ALL.get(usize::try_from(raw).ok()?).copied()
    }

    /// The word by which logs call this kind, the one that libbpf uses.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            ReloKind::FieldByteOffset => "byte_off",
            ReloKind::FieldByteSize => "byte_sz",
            ReloKind::FieldExists => "field_exists",
            ReloKind::FieldSigned => "signed",
            ReloKind::FieldLshiftU64 => "lshift_u64",
            ReloKind::FieldRshiftU64 => "rshift_u64",
            ReloKind::TypeIdLocal => "local_type_id",
            ReloKind::TypeIdTarget => "target_type_id",
            ReloKind::TypeExists => "type_exists",
            ReloKind::TypeSize => "type_size",
            ReloKind::EnumvalExists => "enumval_exists",
            ReloKind::EnumvalValue => "enumval_value",
            ReloKind::TypeMatches => "type_matches",
        }
    }

    /// What it is about.
    pub(crate) fn family(self) -> Family {
        match self {
            ReloKind::FieldByteOffset
            | ReloKind::FieldByteSize
            | ReloKind::FieldExists
            | ReloKind::FieldSigned
            | ReloKind::FieldLshiftU64
            | ReloKind::FieldRshiftU64 => Family::Field,
            ReloKind::TypeIdLocal
            | ReloKind::TypeIdTarget
            | ReloKind::TypeExists
            | ReloKind::TypeSize
            | ReloKind::TypeMatches => Family::Type,
            ReloKind::EnumvalExists | ReloKind::EnumvalValue => Family::Enumval,
        }
    }
}

/// Why a program cannot be relocated. What a target merely does not have is no error: it gives
/// a zero or a poisoned instruction.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Error {
    /// The record's type is not in the program's BTF.
    BadTypeId,
    /// The record's kind is unknown.
    BadReloKind,
    /// The access string does not fit the type.
    BadAccess,
    /// The root type has no name to be found by.
    Anonymous,
    /// A type record does not hold what it has to.
    BadType,
    /// The type has no size, or one that is too large.
    NoSize,
    /// An offset exceeds 32 bits.
    OffsetOverflow,
    /// Members nest too deeply.
    TooDeep,
    /// Types nest too deeply to be compared.
    TypesTooDeep,
    /// The relocation makes no sense for an array element.
    ArrayElement,
    /// No load reaches the whole bitfield.
    BitfieldTooWide,
    /// Candidates do not agree.
    Ambiguous,
    /// The instruction is none that can be relocated.
    BadInsn,
    /// The instruction does not hold what clang should have put there.
    UnexpectedValue,
    /// The offset is too large for a load or store.
    OffsetTooLarge,
    /// The access cannot be made as wide as the target's field.
    BadMemSize,
    /// The record takes too many steps.
    TooComplex,
    /// There is no memory.
    NoMemory,
}

/// What kind of error the caller of bpf(2) gets, by its usual name.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Errno {
    /// EINVAL.
    Invalid,
    /// E2BIG.
    TooBig,
    /// ERANGE.
    Range,
    /// ENOMEM.
    NoMemory,
}

impl Error {
    /// The same error as C gives.
    pub(crate) fn errno(self) -> Errno {
        match self {
            Error::BadTypeId
            | Error::BadReloKind
            | Error::BadAccess
            | Error::Anonymous
            | Error::BadType
            | Error::NoSize
            | Error::OffsetOverflow
            | Error::TypesTooDeep
            | Error::ArrayElement
            | Error::Ambiguous
            | Error::BadInsn
            | Error::UnexpectedValue
            | Error::BadMemSize => Errno::Invalid,
            Error::TooDeep | Error::BitfieldTooWide | Error::TooComplex => Errno::TooBig,
            Error::OffsetTooLarge => Errno::Range,
            Error::NoMemory => Errno::NoMemory,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Error::BadTypeId => "the type is not in the program's BTF",
            Error::BadReloKind => {
                "unknown kind of relocation: the program is newer than this kernel"
            }
            Error::BadAccess => "the access string does not fit the type",
            Error::Anonymous => "relocation doesn't support anonymous types, name the type",
            Error::BadType => "malformed type in BTF",
            Error::NoSize => "a type has no size, or one beyond 2 GiB",
            Error::OffsetOverflow => "an offset exceeds 32 bits",
            Error::TooDeep => "members nest too deeply",
            Error::TypesTooDeep => "types nest too deeply",
            Error::ArrayElement => {
                "only offset, size and existence can be asked of an array element"
            }
            Error::BitfieldTooWide => "no load of up to 8 bytes reaches the whole bitfield",
            Error::Ambiguous => "candidates do not agree",
            Error::BadInsn => "the instruction cannot be relocated",
            Error::UnexpectedValue => "the instruction and its record do not agree",
            Error::OffsetTooLarge => "the offset is too large for a load or store",
            Error::BadMemSize => "the size of the access cannot be adjusted",
            Error::TooComplex => "too many types and members to compare",
            Error::NoMemory => "out of memory",
        })
    }
}

/// How important a message is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Level {
    /// Says why a program is refused, or an instruction poisoned.
    Warning,
    /// Says what was done: level 2 of the verifier's log.
    Detail,
}

/// Where messages go. Each is one line, without the newline.
pub(crate) trait Log {
    /// Whether anybody reads messages of this level.
    fn wants(&self, level: Level) -> bool;

    /// Takes one line.
    fn line(&mut self, args: fmt::Arguments<'_>);

    /// Says why a program is refused, or an instruction poisoned.
    fn warn(&mut self, args: fmt::Arguments<'_>) {
        if self.wants(Level::Warning) {
            self.line(args);
        }
    }

    /// Says what was done.
    fn detail(&mut self, args: fmt::Arguments<'_>) {
        if self.wants(Level::Detail) {
            self.line(args);
        }
    }
}

/// What a record may take.
pub(crate) struct Budget {
    /// Steps that are left.
    left: u32,
    /// How many functions, structs and unions may nest that are compared.
    pub(crate) levels: usize,
}

impl Budget {
    /// So many steps, and at most so many levels of types in one another.
    pub(crate) fn new(steps: u32, levels: usize) -> Self {
        Self {
            left: steps,
            levels: levels.min(types::MAX_LEVEL),
        }
    }

    /// Takes one step.
    pub(crate) fn step(&mut self) -> Result<(), Error> {
        self.left = self.left.checked_sub(1).ok_or(Error::TooComplex)?;
        Ok(())
    }

    /// Takes `n` steps.
    pub(crate) fn steps(&mut self, n: u32) -> Result<(), Error> {
        self.left = self.left.checked_sub(n).ok_or(Error::TooComplex)?;
        Ok(())
    }

    /// Takes what it takes to read a name of the program's, which may be long, to its end.
    pub(crate) fn name(&mut self, name: &[u8]) -> Result<(), Error> {
        let more = u32::try_from(name.len() / 8).map_err(|_| Error::TooComplex)?;
        self.steps(more.saturating_add(1))
    }

    /// Steps that are left.
    #[allow(dead_code)] // The host does not compile `ksyms.rs`.
    pub(crate) fn left(&self) -> u32 {
        self.left
    }
}

/// Scratch memory, too large for a kernel stack: allocate one for all records of a program.
///
/// What it holds between two records does not matter.
///
/// # Invariants
///
/// It and what is in it consist of integers and `bool`s, so that all bits zero are a valid value,
/// as good as [`Workspace::new`].
pub(crate) struct Workspace {
    local: Spec,
    target: Spec,
    scratch: matching::Scratch,
}

impl Workspace {
    #[allow(dead_code)] // The kernel takes zeroed memory.
    pub(crate) const fn new() -> Self {
        Self {
            local: Spec::new(),
            target: Spec::new(),
            scratch: matching::Scratch::new(),
        }
    }
}

/// Shows a name from BTF: what is not printable ASCII is escaped.
pub(crate) struct Name<'a>(pub(crate) Option<&'a [u8]>);

impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            None => f.write_str("<?>"),
            Some(b"") => f.write_str("<anon>"),
            Some(name) => fmt::Display::fmt(&name.escape_ascii(), f),
        }
    }
}

/// Relocates the records of one program.
pub(crate) struct Relocator<'a, T, L> {
    local: Types<'a>,
    targets: T,
    cache: Cache<'a, L>,
    work: &'a mut Workspace,
    levels: usize,
    steps_left: u32,
}

impl<'a, T: Targets, L: List> Relocator<'a, T, L> {
    /// `local` is the program's BTF; `slots` hold one entry for each root type, so there have to
    /// be more than records, and `found` takes the candidates. Types that are compared as wholes
    /// may nest `levels` deep, at most [`types::MAX_LEVEL`].
    pub(crate) fn new(
        local: Types<'a>,
        targets: T,
        slots: &'a mut [Slot],
        found: L,
        work: &'a mut Workspace,
        levels: usize,
    ) -> Self {
        Self {
            local,
            targets,
            cache: Cache::new(slots, found),
            work,
            levels,
            steps_left: MAX_STEPS_PROGRAM,
        }
    }

    /// Relocates one instruction of `insns` by record `relo`, the program's record number `n`.
    pub(crate) fn relocate(
        &mut self,
        n: u32,
        relo: &Relo,
        insns: &mut [Insn],
        log: &mut dyn Log,
    ) -> Result<(), Error> {
        let mut budget = Budget::new(self.steps_left.min(MAX_STEPS), self.levels);
        let before = budget.left;
        let fixup = self.compute(n, relo, &mut budget, log);
        self.steps_left = self
            .steps_left
            .saturating_sub(before.saturating_sub(budget.left));
        if fixup == Err(Error::TooComplex) {
            log.warn(format_args!(
                "relo #{n}: {}: split the program or its types",
                Error::TooComplex
            ));
        }
        patch::apply(&fixup?, n, relo, insns, log)
    }

    fn compute(
        &mut self,
        n: u32,
        relo: &Relo,
        budget: &mut Budget,
        log: &mut dyn Log,
    ) -> Result<Fixup, Error> {
        let Some(root) = self.local.by_id(relo.type_id) else {
            log.warn(format_args!("relo #{n}: bad type id {}", relo.type_id));
            return Err(Error::BadTypeId);
        };
        let Some(kind) = ReloKind::from_raw(relo.kind) else {
            log.warn(format_args!(
                "relo #{n}: unrecognized CO-RE relocation ({}) at insn #{}: {}",
                relo.kind,
                relo.insn_idx(),
                Error::BadReloKind
            ));
            return Err(Error::BadReloKind);
        };
        let range = if kind == ReloKind::TypeIdLocal {
            0..0
        } else {
            match self
                .cache
                .find(&self.local, relo.type_id, &root, &mut self.targets, budget)
            {
                Ok(range) => range,
                Err(e) => {
                    log.warn(format_args!(
                        "relo #{n}: target candidate search failed for [{}] {} {}: {e}",
                        relo.type_id,
                        root.kind().as_str(),
                        Name(self.local.string(root.name_off()))
                    ));
                    return Err(e);
                }
            }
        };
        let job = compute::Job {
            n,
            relo,
            root: &root,
            kind,
            local: &self.local,
        };
        compute::compute(
            &job,
            self.cache.candidates(range),
            &self.targets,
            self.work,
            budget,
            log,
        )
    }
}
