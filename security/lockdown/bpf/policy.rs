// SPDX-License-Identifier: GPL-2.0

//! What lockdown makes of a BPF program, by who has signed it.
//!
//! Depends on `core` alone.

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

/// The choice of `bpf_lockdown=` for programs that no key of the system vouches for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Choice {
    /// They load as they do without lockdown.
    Unrestricted,
    /// They are refused.
    Signed,
}

impl Choice {
    /// The choice that `word` names, if it is one.
    pub(crate) fn from_word(word: &[u8]) -> Option<Self> {
        match word {
            b"signed" => Some(Self::Signed),
            _ => None,
        }
    }

    /// Why a program is refused while the kernel is locked down, and what would make it pass.
    pub(crate) fn refusal(self, signer: Signer) -> Option<&'static core::ffi::CStr> {
        match (self, signer) {
            (Self::Unrestricted, _) | (_, Signer::System) => None,
            (Self::Signed, Signer::None) => Some(
                c"unsigned program is refused (bpf_lockdown=signed); sign its object with \
                  'bpftool sign file' and a key of the system's keyrings",
            ),
            (Self::Signed, Signer::OfInstructions) => Some(
                c"signature over bare instructions says nothing of type and target, so the program \
                  is refused (bpf_lockdown=signed); sign its object with 'bpftool sign file'",
            ),
            (Self::Signed, Signer::User) => Some(
                c"program that a user's keyring vouches for is refused (bpf_lockdown=signed); sign \
                  it with a key of the system's keyrings",
            ),
        }
    }
}
