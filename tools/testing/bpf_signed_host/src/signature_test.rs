// SPDX-License-Identifier: GPL-2.0

//! The form of a signature.
//!
//! The samples are made by `openssl cms -sign -binary -outform DER`, with `-nocerts -noattr -keyid`
//! as `bpftool sign` does, without these, and with `-nodetach`.

use crate::signed::signature::is_well_formed;

const PLAIN: &[u8] = include_bytes!("../data/signature.p7s");
const WITH_ATTRIBUTES: &[u8] = include_bytes!("../data/with-attributes.p7s");
const ATTACHED: &[u8] = include_bytes!("../data/attached.p7s");

/// What the kernel's parser compares by itself: key id and signature. Everything before is frame.
fn compared_elsewhere(at: usize) -> bool {
    let key_id = PLAIN
        .windows(2)
        .position(|w| w == [0x80, 20])
        .expect("a key id")
        + 2;
    let signature = PLAIN.len() - 256;
    (key_id..key_id + 20).contains(&at) || at >= signature
}

#[test]
fn samples() {
    assert!(is_well_formed(PLAIN));
    assert!(is_well_formed(WITH_ATTRIBUTES));
    assert!(!is_well_formed(ATTACHED));
}

#[test]
fn each_byte_of_the_frame_matters() {
    // The signer's algorithm is for the kernel's parser to know. The digest stands twice, so that
    // neither can change alone.
    let rsa = [
        0x06, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01,
    ];
    let at = PLAIN.windows(rsa.len()).rposition(|w| w == rsa);
    let at = at.expect("an algorithm");
    let rsa = at..at + rsa.len();
    for at in (0..PLAIN.len()).filter(|&at| !compared_elsewhere(at) && !rsa.contains(&at)) {
        for change in 1..=255 {
            let mut bytes = PLAIN.to_vec();
            bytes[at] ^= change;
            assert!(!is_well_formed(&bytes), "byte {at} ^ {change:#x}");
        }
    }
}

#[test]
fn nothing_is_missing_and_nothing_follows() {
    for len in 0..PLAIN.len() {
        assert!(!is_well_formed(&PLAIN[..len]), "{len} bytes");
    }
    assert!(!is_well_formed(&[PLAIN, &[0]].concat()));
    assert!(!is_well_formed(&[PLAIN, PLAIN].concat()));
}
