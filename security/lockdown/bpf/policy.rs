// SPDX-License-Identifier: GPL-2.0

//! What lockdown grants to a BPF program: by who has signed it, in which mode, and by what its
//! annotation asks for.
//!
//! Depends on `core` alone.

use core::ffi::CStr;

/// A set of classes: what helpers, kfuncs and loads do that lockdown cares about.
///
/// The bits are `enum bpf_lockdown_class` of `include/uapi/linux/bpf_image.h`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Class(u32);

impl Class {
    /// Touches only what is the program's own, and tells nothing of the kernel's memory.
    pub(crate) const PLAIN: Self = Self(0);
    /// Reads memory of user space.
    pub(crate) const USER_READ: Self = Self(1 << 0);
    /// Writes memory of user space. Lockdown has never let anybody do that.
    pub(crate) const USER_WRITE: Self = Self(1 << 1);
    /// Changes what others do: tasks, cgroups, other programs.
    pub(crate) const CONTROL: Self = Self(1 << 2);
    /// Hands out contents of kernel memory.
    pub(crate) const KERNEL_READ: Self = Self(1 << 3);
    /// Hands out kernel addresses.
    pub(crate) const KERNEL_ADDRESS: Self = Self(1 << 4);
    /// Deals in typed pointers to kernel objects, of which only selected fields can be read.
    pub(crate) const FIELDS: Self = Self(1 << 5);
    /// What the loader of a light skeleton needs.
    pub(crate) const LOADER: Self = Self(1 << 6);
    /// What no table names.
    pub(crate) const UNLISTED: Self = Self(1 << 31);
    /// All that have a name.
    pub(crate) const NAMED: Self = Self((1 << 7) - 1);
    /// Everything, listed or not.
    pub(crate) const ALL: Self = Self(u32::MAX);

    /// The classes that have a name, in the words of bpftool and of the command line.
    pub(crate) const NAMES: [(&'static CStr, Self); 7] = [
        (c"user-read", Self::USER_READ),
        (c"user-write", Self::USER_WRITE),
        (c"control", Self::CONTROL),
        (c"kernel-read", Self::KERNEL_READ),
        (c"kernel-address", Self::KERNEL_ADDRESS),
        (c"fields", Self::FIELDS),
        (c"loader", Self::LOADER),
    ];

    /// The set with these bits.
    pub(crate) const fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    /// The bits of the set.
    pub(crate) const fn bits(self) -> u32 {
        self.0
    }

    /// Both sets together.
    pub(crate) const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// What is in both sets.
    pub(crate) const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// What is in this set and not in the other.
    pub(crate) const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether all of `other` is in this set.
    pub(crate) const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Adds what cannot be withheld from whoever has these classes.
    pub(crate) const fn closed(self) -> Self {
        let mut all = self;
        if all.has(Self::LOADER) {
            // bpf_sys_bpf() takes kernel addresses for keys and values.
            all = all.union(Self::KERNEL_READ).union(Self::USER_READ);
        }
        if all.has(Self::KERNEL_READ) {
            // There are addresses everywhere in kernel memory.
            all = all.union(Self::KERNEL_ADDRESS).union(Self::FIELDS);
        }
        all
    }

    /// The name of the first class in the set, for messages.
    pub(crate) fn name(self) -> &'static CStr {
        Self::NAMES
            .iter()
            .find(|(_, class)| self.has(*class))
            .map_or(c"none", |(name, _)| name)
    }

    /// Reads names with commas between them. Returns the set of those that are known, and whether
    /// all are.
    pub(crate) fn from_words(words: &[u8]) -> (Self, bool) {
        let mut set = Self::PLAIN;
        let mut known = true;
        for word in words.split(|&c| c == b',') {
            if word.is_empty() || word == b"none" {
                continue;
            }
            match Self::NAMES.iter().find(|(name, _)| name.to_bytes() == word) {
                Some((_, class)) => set = set.union(*class),
                None => known = false,
            }
        }
        (set, known)
    }
}

/// How far the kernel is locked down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Not at all.
    None,
    /// Nobody changes the kernel.
    Integrity,
    /// Nobody reads its memory either.
    Confidentiality,
}

impl Mode {
    /// As it is called in securityfs.
    pub(crate) fn name(self) -> &'static CStr {
        match self {
            Self::None => c"none",
            Self::Integrity => c"integrity",
            Self::Confidentiality => c"confidentiality",
        }
    }
}

/// Who vouches for a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signer {
    /// Nobody.
    None,
    /// Somebody for bare instructions, of which type and target are not signed.
    OfInstructions,
    /// A key of a user's or session's keyring, which root can fill as it likes.
    User,
    /// A key that the system trusts (builtin, secondary or platform), or a loader that such a key
    /// has signed.
    System,
}

/// The choice of `bpf_lockdown=` for programs that no key of the system vouches for. A later one is
/// stricter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(i32)]
pub(crate) enum Choice {
    /// They load; what would be refused is recorded.
    Audit,
    /// They are confined.
    Restricted,
    /// They are refused.
    Signed,
}

impl Choice {
    /// All of them, from loose to strict.
    pub(crate) const ALL: [Self; 3] = [Self::Audit, Self::Restricted, Self::Signed];

    /// As it is called on the command line and in securityfs.
    pub(crate) fn name(self) -> &'static CStr {
        match self {
            Self::Audit => c"audit",
            Self::Restricted => c"restricted",
            Self::Signed => c"signed",
        }
    }

    /// The choice that `word` names, if it is one.
    pub(crate) fn from_word(word: &[u8]) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|choice| choice.name().to_bytes() == word)
    }

    /// The choice with this number; the strictest if there is none.
    pub(crate) fn from_raw(raw: i32) -> Self {
        Self::ALL
            .into_iter()
            .find(|&choice| choice as i32 == raw)
            .unwrap_or(Self::Signed)
    }
}

/// What is asked about a program when it is loaded.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Program {
    /// Who vouches for it.
    pub(crate) signer: Signer,
    /// Whether programs of its type cannot watch the kernel.
    pub(crate) type_listed: bool,
    /// Whether it is the loader of a light skeleton, which has no image and so no annotation.
    pub(crate) loader: bool,
    /// The classes that its annotation asks for in the present mode; `None` if it forbids it.
    pub(crate) asks: Option<Class>,
}

/// What a program that was not refused may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Grant {
    /// What it gets.
    pub(crate) granted: Class,
    /// What it gets without a record.
    pub(crate) silent: Class,
    /// Why the load itself is recorded.
    pub(crate) record: Option<Refusal>,
    /// Whether the verifier has to keep it from leaking by speculation.
    pub(crate) fenced: bool,
    /// Whether it has to be verified once more, to record what would be refused of its pointers.
    pub(crate) rehearse: bool,
}

impl Grant {
    const EVERYTHING: Self = Self {
        granted: Class::ALL,
        silent: Class::ALL,
        record: None,
        fenced: false,
        rehearse: false,
    };

    const fn signed(granted: Class) -> Self {
        let granted = granted.without(Class::USER_WRITE);
        Self {
            granted,
            silent: granted,
            record: None,
            fenced: false,
            rehearse: false,
        }
    }
}

/// Why a program is not loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// Nobody has signed it.
    Unsigned,
    /// Only instructions were signed.
    OfInstructions,
    /// The keyring is one that root can fill.
    UserKey,
    /// Unsigned, and of a type that can watch the kernel.
    Type,
    /// The annotation forbids the present mode.
    Annotation,
}

impl Refusal {
    /// The rule, and what would make the program pass.
    pub(crate) fn words(self) -> &'static CStr {
        match self {
            Self::Unsigned => {
                c"unsigned program is refused (bpf_lockdown=signed); sign its object with \
                  'bpftool sign file' and a key of the system's keyrings"
            }
            Self::OfInstructions => {
                c"signature over bare instructions says nothing of type and target, so the program \
                  is refused (bpf_lockdown=signed); sign its object with 'bpftool sign file'"
            }
            Self::UserKey => {
                c"program that a user's keyring vouches for is refused (bpf_lockdown=signed); sign \
                  it with a key of the system's keyrings"
            }
            Self::Type => {
                c"programs of this type can watch the kernel and have to be signed \
                  (bpf_lockdown=restricted); sign the object with 'bpftool sign file' and a key of \
                  the system's keyrings"
            }
            Self::Annotation => {
                c"the program's own annotation forbids this mode; who signs it can allow it with \
                  'bpftool sign file --lockdown'"
            }
        }
    }
}

/// Decides about the load of a program, and about what it may do.
pub(crate) fn judge(
    mode: Mode,
    choice: Choice,
    ceiling: Class,
    prog: &Program,
) -> Result<Grant, Refusal> {
    if mode == Mode::None {
        return Ok(Grant::EVERYTHING);
    }
    if prog.signer != Signer::System {
        return unsigned(mode, choice, prog);
    }
    let asks = prog.asks.ok_or(Refusal::Annotation)?;
    if mode == Mode::Integrity {
        // Who gets all that has a name also gets what has none yet.
        return Ok(Grant::signed(if asks.has(Class::NAMED) {
            Class::ALL
        } else {
            asks.closed()
        }));
    }
    let asks = if prog.loader { Class::LOADER } else { asks };
    Ok(Grant::signed(asks.and(ceiling).closed()))
}

/// Whether unsigned programs may be loaded and are verified against speculation. The maps that they
/// are given have to be made for that.
pub(crate) fn fences(mode: Mode, choice: Choice) -> bool {
    mode != Mode::None && choice == Choice::Restricted
}

fn unsigned(mode: Mode, choice: Choice, prog: &Program) -> Result<Grant, Refusal> {
    let type_refused = (!prog.type_listed).then_some(Refusal::Type);
    match choice {
        Choice::Signed => Err(match prog.signer {
            Signer::OfInstructions => Refusal::OfInstructions,
            Signer::User => Refusal::UserKey,
            _ => Refusal::Unsigned,
        }),
        Choice::Restricted => match type_refused {
            Some(refusal) => Err(refusal),
            None => Ok(Grant {
                granted: Class::PLAIN,
                silent: Class::PLAIN,
                record: None,
                fenced: fences(mode, choice),
                rehearse: false,
            }),
        },
        Choice::Audit => Ok(Grant {
            granted: if mode == Mode::Confidentiality {
                // What reads kernel memory is not for the unsigned, whatever was chosen.
                Class::USER_READ.union(Class::CONTROL)
            } else {
                Class::ALL.without(Class::USER_WRITE)
            },
            silent: Class::PLAIN,
            record: type_refused,
            fenced: false,
            // Elsewhere it is either held to the rules for pointers, or its type was recorded.
            rehearse: mode == Mode::Integrity && type_refused.is_none(),
        }),
    }
}

/// By which rule a class is withheld from a program that was loaded, and what would help.
pub(crate) fn withheld(trusted: bool, asks: Class, missing: Class) -> &'static CStr {
    if missing.has(Class::USER_WRITE) {
        c"which lockdown withholds from everybody"
    } else if missing.has(Class::UNLISTED) {
        c"as no table of security/lockdown/bpf names it; it has to be listed there first"
    } else if !trusted {
        c"which unsigned programs do not get; sign the object with 'bpftool sign file' and a key \
          of the system's keyrings"
    } else if asks.has(missing) {
        c"which the kernel's ceiling does not grant; boot with it in bpf_lockdown_ceiling="
    } else {
        c"for which the program's annotation does not ask; sign it with 'bpftool sign file \
          --lockdown MODE=CLASS'"
    }
}
