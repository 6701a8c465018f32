// SPDX-License-Identifier: GPL-2.0

//! Attach targets by name.

use crate::{
    image_builder::*,
    signed::{
        image::{
            records::Attach,
            Kind,
            PROG_TYPE_STRUCT_OPS, //
        },
        target::{
            glob_match,
            select,
            Name,
            Refusal, //
        },
    },
};

const GLOB: u32 = Attach::GLOB;

fn image(prog_type: u32, targets: &[(&str, &str, u32)]) -> Vec<u8> {
    let mut b = Builder::new();
    b.header.prog_type = prog_type;
    let records: Vec<Attach> = targets
        .iter()
        .map(|(name, member, flags)| Attach {
            name: b.string(name),
            member: if member.is_empty() {
                0
            } else {
                b.string(member)
            },
            flags: *flags,
            reserved: 0,
        })
        .collect();
    if !records.is_empty() {
        b.records(Kind::Attach, &records);
    }
    b.build()
}

/// Name and member that were selected, or what was refused.
fn selected(bytes: &[u8], chosen: Option<&str>) -> Result<Option<(String, String)>, Refusal> {
    let image = parse(bytes).map_err(|f| f.to_string()).unwrap();
    let text = |b: &[u8]| String::from_utf8_lossy(b).into_owned();
    Ok(select(&image.layout(), bytes, chosen.map(str::as_bytes))?
        .map(|target| (text(target.name), text(target.member))))
}

fn some(name: &str, member: &str) -> Result<Option<(String, String)>, Refusal> {
    Ok(Some((name.into(), member.into())))
}

#[test]
fn default_is_the_first() {
    let bytes = image(26, &[("a", "", 0), ("b", "", 0)]);
    assert_eq!(selected(&bytes, None), some("a", ""));
    assert_eq!(selected(&bytes, Some("b")), some("b", ""));
    assert_eq!(selected(&bytes, Some("c")), Err(Refusal::NotAllowed));
    assert_eq!(selected(&bytes, Some("")), Err(Refusal::NotAllowed));
}

#[test]
fn no_target_is_none_and_allows_none() {
    let bytes = image(2, &[]);
    assert_eq!(selected(&bytes, None), Ok(None));
    assert_eq!(selected(&bytes, Some("a")), Err(Refusal::NotAllowed));
}

#[test]
fn pattern_allows_but_is_no_default() {
    let bytes = image(26, &[("ext4_file_*", "", GLOB), ("do_exit", "", 0)]);
    assert_eq!(selected(&bytes, None), Err(Refusal::NoDefault));
    assert_eq!(
        selected(&bytes, Some("ext4_file_open")),
        some("ext4_file_open", "")
    );
    assert_eq!(
        selected(&bytes, Some("xfs_file_open")),
        Err(Refusal::NotAllowed)
    );
    // Without the flag a star is a star.
    let plain = image(26, &[("ext4_file_*", "", 0)]);
    assert_eq!(
        selected(&plain, Some("ext4_file_open")),
        Err(Refusal::NotAllowed)
    );
}

#[test]
fn pattern_stays_in_its_module() {
    let bytes = image(26, &[("tcp_*", "", GLOB), ("nf_*:nf_*", "", GLOB)]);
    assert_eq!(selected(&bytes, Some("tcp_ack")), some("tcp_ack", ""));
    assert_eq!(
        selected(&bytes, Some("nf_nat:nf_open")),
        some("nf_nat:nf_open", "")
    );
    for other in [
        "tcp_bbr:bbr_main",
        "vmlinux:tcp_ack",
        "nf_nat:tcp_ack",
        "nf_open",
        "tcp_bbr:tcp_ack",
    ] {
        assert_eq!(
            selected(&bytes, Some(other)),
            Err(Refusal::NotAllowed),
            "{other}"
        );
    }
}

#[test]
fn struct_ops_has_type_and_member() {
    let ops = [
        ("tcp_congestion_ops", "init", 0),
        ("tcp_congestion_ops", "ssthresh", 0),
    ];
    let bytes = image(PROG_TYPE_STRUCT_OPS, &ops);
    assert_eq!(selected(&bytes, None), some("tcp_congestion_ops", "init"));
    assert_eq!(
        selected(&bytes, Some("tcp_congestion_ops/ssthresh")),
        some("tcp_congestion_ops", "ssthresh")
    );
    for other in [
        "tcp_congestion_ops/release",
        "tcp_congestion_ops",
        "Qdisc_ops/init",
        "/init",
    ] {
        assert_eq!(
            selected(&bytes, Some(other)),
            Err(Refusal::NotAllowed),
            "{other}"
        );
    }
}

#[test]
fn module_is_before_the_colon() {
    let parts = |text: &'static str| {
        let name = Name::parse(text.as_bytes());
        (
            name.module.map(|m| std::str::from_utf8(m).unwrap()),
            std::str::from_utf8(name.name).unwrap(),
        )
    };
    assert_eq!(parts("do_exit"), (None, "do_exit"));
    assert_eq!(parts("ext4:ext4_sync"), (Some("ext4"), "ext4_sync"));
    assert_eq!(parts("a:b:c"), (Some("a"), "b:c"));
    assert_eq!(parts(":"), (Some(""), ""));
}

#[test]
fn patterns() {
    let cases = [
        ("", "", true),
        ("", "a", false),
        ("*", "", true),
        ("*", "abc", true),
        ("a*", "a", true),
        ("a*c", "abbc", true),
        ("a*c", "abcb", false),
        ("a?c", "abc", true),
        ("a?c", "ac", false),
        ("*a*b*", "xxaxxbxx", true),
        ("*a*b*", "xxbxxaxx", false),
        ("a*a*a", "aa", false),
        ("**", "x", true),
        ("a", "ab", false),
        ("[a]", "a", false),
    ];
    for (pattern, text, want) in cases {
        assert_eq!(
            glob_match(pattern.as_bytes(), text.as_bytes()),
            want,
            "{pattern} {text}"
        );
    }
    // A hostile pattern takes steps in proportion to the product of the lengths, not more.
    let pattern = [&b"a*".repeat(200)[..], b"b"].concat();
    assert!(!glob_match(&pattern, &[b'a'; 2000]));
}
