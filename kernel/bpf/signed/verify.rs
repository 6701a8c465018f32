// SPDX-License-Identifier: GPL-2.0

//! Who vouches for an image.
//!
//! The keyrings are those of modules: builtin and secondary, then the platform's; or one that the
//! caller names. The answer is what `prog->aux->sig` records.

use crate::{
    image::Verified,
    signature::is_well_formed, //
};
use kernel::{
    bindings,
    bpf::log::Log,
    error::code::*,
    key::Key,
    prelude::*,
    sync::aref::ARef,
    verification::{
        verify_pkcs7,
        Keyring,
        Usage, //
    }, //
};

/// The keyring that a verified signature was found in.
#[derive(Clone, Copy)]
pub(crate) struct Signer {
    /// `enum bpf_sig_keyring`.
    pub(crate) keyring_type: u8,
    /// Serial of a user's key or keyring, else zero.
    pub(crate) serial: i32,
}

impl Signer {
    fn system(keyring_type: bindings::bpf_sig_keyring) -> Self {
        // The enumeration's values are small; `bpf_prog_aux` has a byte for them.
        Self {
            keyring_type: keyring_type as u8,
            serial: 0,
        }
    }
}

/// Where the caller wants the key to be sought: `bpf_attr::keyring_id`.
enum Trust {
    Builtin,
    /// As modules: builtin and secondary, then platform.
    Secondary,
    Platform,
    User(ARef<Key>),
}

impl Trust {
    // As for bare instructions. In C they are pointers to keys, the last two made of numbers.
    const BUILTIN: i32 = 0;
    const SECONDARY: i32 = bindings::VERIFY_USE_SECONDARY_KEYRING as i32;
    const PLATFORM: i32 = bindings::VERIFY_USE_PLATFORM_KEYRING as i32;

    fn from_id(keyring_id: i32, log: &Log) -> Result<Self> {
        Ok(match keyring_id {
            Self::BUILTIN => Self::Builtin,
            Self::SECONDARY => Self::Secondary,
            Self::PLATFORM => Self::Platform,
            serial => {
                let key = Key::lookup(serial).and_then(|key| key.validate().map(|()| key));
                Self::User(key.inspect_err(|_| {
                    log.write(format_args!(
                        "signature: keyring_id {serial} is no usable key or keyring; name one, or \
                         leave it at 1 for the system's keyrings\n"
                    ))
                })?)
            }
        })
    }

    fn verify(&self, data: &[u8], signature: &[u8]) -> Result<Signer> {
        let by = |keyring| verify_pkcs7(data, signature, keyring, Usage::Bpf);
        match self {
            Self::Builtin => {
                by(Keyring::Builtin)?;
                Ok(Signer::system(
                    bindings::bpf_sig_keyring_BPF_SIG_KEYRING_BUILTIN,
                ))
            }
            Self::Secondary => match by(Keyring::Secondary) {
                Err(e) if e == ENOKEY && cfg!(CONFIG_INTEGRITY_PLATFORM_KEYRING) => {
                    Self::Platform.verify(data, signature)
                }
                Err(e) => Err(e),
                Ok(()) => Ok(Signer::system(
                    bindings::bpf_sig_keyring_BPF_SIG_KEYRING_SECONDARY,
                )),
            },
            Self::Platform => {
                by(Keyring::Platform)?;
                Ok(Signer::system(
                    bindings::bpf_sig_keyring_BPF_SIG_KEYRING_PLATFORM,
                ))
            }
            Self::User(key) => {
                by(Keyring::Key(key))?;
                Ok(Signer {
                    keyring_type: bindings::bpf_sig_keyring_BPF_SIG_KEYRING_USER as u8,
                    serial: key.serial(),
                })
            }
        }
    }
}

/// Verifies `signature` over all bytes of `image`, before anything looks at them.
///
/// # Errors
///
/// `EKEYREJECTED`, `ENOKEY`, `EBADMSG` as the error table says; `ENOPKG` where the kernel lacks the
/// algorithm; `EKEYEXPIRED` and `EKEYREVOKED` for a key that the caller names.
pub(crate) fn verify<'a>(
    image: &'a [u8],
    signature: &[u8],
    keyring_id: i32,
    log: &Log,
) -> Result<(Verified<'a>, Signer)> {
    if !is_well_formed(signature) {
        return Err(explain(EBADMSG, log));
    }
    let signer = Trust::from_id(keyring_id, log)?
        .verify(image, signature)
        .map_err(|e| explain(e, log))?;
    Ok((Verified::assume(image), signer))
}

/// Says what is wrong with a signature, and makes one errno of all that say it cannot be parsed.
fn explain(error: Error, log: &Log) -> Error {
    let (error, words) = if error == ENOKEY {
        (
            ENOKEY,
            "no key in the keyring is its signer's; add the certificate, or sign with another key",
        )
    } else if error == EKEYREJECTED {
        (
            EKEYREJECTED,
            "it does not match the image, or its key was revoked; sign the object again, or with \
             another key",
        )
    } else if error == EKEYEXPIRED || error == EKEYREVOKED {
        (
            error,
            "the key has expired or was revoked; sign with another key",
        )
    } else if error == ENOPKG {
        (
            ENOPKG,
            "it uses an algorithm that this kernel does not have",
        )
    } else if error == ENOMEM {
        (ENOMEM, "not enough memory to verify it")
    } else {
        (
            EBADMSG,
            "it is no detached PKCS#7 signature; sign the object with 'bpftool sign file'",
        )
    };
    log.write(format_args!("signature: {words}\n"));
    error
}
