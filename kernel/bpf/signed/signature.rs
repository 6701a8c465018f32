// SPDX-License-Identifier: GPL-2.0

//! The form of a signature: PKCS#7 SignedData, detached, in DER, and not a byte besides.
//!
//! The kernel's parser takes out what it needs, and does not look at the rest: tags, parameters
//! of algorithms, bytes that follow. So one signature would come in many spellings. Only one is
//! accepted here. What a field means, the kernel's parser says; this checks the frame, which is
//! RFC 5652, section 5, without what a detached signature does not have.
//!
//! Depends on `core` alone.

const INTEGER: u8 = 0x02;
const OCTET_STRING: u8 = 0x04;
const NULL: u8 = 0x05;
const OID: u8 = 0x06;
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
/// `[0]`, primitive: a key identifier.
const KEY_ID: u8 = 0x80;
/// `[0]`, constructed: explicit content, certificates, signed attributes.
const TAGGED_0: u8 = 0xa0;

/// pkcs7-data, 1.2.840.113549.1.7.1.
const DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01];
/// pkcs7-signedData, 1.2.840.113549.1.7.2.
const SIGNED_DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02];

/// DER that is being read from the front.
#[derive(Clone, Copy)]
struct Der<'a>(&'a [u8]);

impl<'a> Der<'a> {
    /// The tag of the next element.
    fn peek(&self) -> Option<u8> {
        self.0.first().copied()
    }

    /// Takes the next element, which has `tag`, and tells its contents.
    fn take(&mut self, tag: u8) -> Option<&'a [u8]> {
        let (&found, rest) = self.0.split_first()?;
        let (&first, rest) = rest.split_first()?;
        let (len, rest) = match first {
            0..=0x7f => (usize::from(first), rest),
            // Lengths are as short as they can be, and a signature has less than 64 KiB.
            0x81 => {
                let (&low, rest) = rest.split_first()?;
                (low >= 0x80).then_some((usize::from(low), rest))?
            }
            0x82 => {
                let (bytes, rest) = rest.split_first_chunk::<2>()?;
                let len = u16::from_be_bytes(*bytes);
                (len >= 0x100).then_some((usize::from(len), rest))?
            }
            _ => return None,
        };
        let (contents, rest) = rest.split_at_checked(len)?;
        self.0 = rest;
        (found == tag).then_some(contents)
    }

    /// Takes the next element, which has `tag`, to look into it.
    fn enter(&mut self, tag: u8) -> Option<Self> {
        self.take(tag).map(Self)
    }

    /// Takes the next element if it has `tag`.
    fn skip(&mut self, tag: u8) -> Option<()> {
        if self.peek() == Some(tag) {
            self.take(tag)?;
        }
        Some(())
    }

    fn end(&self) -> Option<()> {
        self.0.is_empty().then_some(())
    }

    /// Takes an AlgorithmIdentifier without parameters that say anything, and tells its OID.
    fn algorithm(&mut self) -> Option<&'a [u8]> {
        let mut algorithm = self.enter(SEQUENCE)?;
        let oid = algorithm.take(OID)?;
        if algorithm.peek().is_some() {
            algorithm.take(NULL)?.is_empty().then_some(())?;
        }
        algorithm.end()?;
        Some(oid)
    }
}

/// Whether `signature` has the one form that is accepted.
///
/// Signers that pass through here may still be unknown, and their signatures wrong.
pub(crate) fn is_well_formed(signature: &[u8]) -> bool {
    check(signature).is_some()
}

fn check(signature: &[u8]) -> Option<()> {
    let mut outer = Der(signature);
    let mut info = outer.enter(SEQUENCE)?;
    outer.end()?;
    (info.take(OID)? == SIGNED_DATA).then_some(())?;
    let mut explicit = info.enter(TAGGED_0)?;
    info.end()?;
    let mut signed = explicit.enter(SEQUENCE)?;
    explicit.end()?;

    let version = signed.take(INTEGER)?;
    matches!(version, [1] | [3]).then_some(())?;
    let mut digests = signed.enter(SET)?;
    // Detached: the type of the content, and no content.
    let mut content = signed.enter(SEQUENCE)?;
    (content.take(OID)? == DATA).then_some(())?;
    content.end()?;
    signed.skip(TAGGED_0)?;
    let mut signers = signed.enter(SET)?;
    signed.end()?;

    // One signer: the kernel's parser would hash all of the data for each.
    let by_key_id = Der(signers.0).enter(SEQUENCE)?.take(INTEGER)? == [3];
    let digest = signer(&mut signers)?;
    signers.end()?;
    (digests.algorithm()? == digest).then_some(())?;
    digests.end()?;
    // An issuer and its serial are of version 1, a key identifier makes it 3.
    (by_key_id == (version == [3])).then_some(())
}

/// Takes a SignerInfo, and tells the OID of its digest.
fn signer<'a>(signers: &mut Der<'a>) -> Option<&'a [u8]> {
    let mut signer = signers.enter(SEQUENCE)?;
    match signer.take(INTEGER)? {
        [1] => signer.take(SEQUENCE)?,
        [3] => signer.take(KEY_ID)?,
        _ => return None,
    };
    let digest = signer.algorithm()?;
    signer.skip(TAGGED_0)?;
    signer.algorithm()?;
    signer.take(OCTET_STRING)?;
    // No unsigned attributes follow: they would be what they are called.
    signer.end()?;
    Some(digest)
}
