//! Hostile files: no panic, no hang, no more memory than the file is worth.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use wd_audit::bytes::Bytes;
use wd_audit::checkpoint::{ReadOptions, find};
use wd_audit::file::pickle::Pickle;
use wd_audit::file::safetensors::Safetensors;
use wd_audit::file::torch_legacy;
use wd_audit::file::torch_zip::TorchZip;
use wd_audit::file::zip::Zip;
use wd_audit::limits::Limits;

const LIMITS: Limits = Limits::DEFAULT;

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/files").join(name)
}

/// Reads bytes as each format and looks at everything in them.
fn look(bytes: &Bytes) {
    let _ = TorchZip::read(bytes, LIMITS, true).map(|file| walk(&file.pickle));
    let _ = torch_legacy::read(bytes, LIMITS).map(|(pickle, _)| walk(&pickle));
    let _ = Safetensors::read(bytes, LIMITS).map(|file| file.tensors.len());
}

fn walk(pickle: &Pickle) {
    let root = pickle.root();
    let _ = root.to_value();
    for (key, value) in root.items() {
        let _ = (key.text(), value.number(), value.tensor().map(|tensor| tensor.is_ok()));
    }
}

fn pickle(parts: &[&[u8]]) -> Bytes {
    Bytes::from(parts.concat())
}

fn read(bytes: &Bytes) -> Result<(Pickle, usize), wd_audit::Fault> {
    Pickle::read(bytes, 0, LIMITS)
}

fn within(limit: Duration, what: impl FnOnce()) {
    let start = Instant::now();
    what();
    assert!(start.elapsed() < limit, "{:?}", start.elapsed());
}

const SMALL: [&str; 7] = [
    "torch-2.15/ns.pt",
    "torch-2.15/odd.pt",
    "torch-2.15/legacy.pt",
    "torch-2.15/training_args.bin",
    "torch-2.15/dcp_nested/.metadata",
    "lpips-alex.pth",
    "shards/zero-3/global_step7/zero_pp_rank_0_mp_rank_00_optim_states.pt",
];

#[test]
fn every_truncation_is_refused() {
    for name in SMALL {
        let whole = std::fs::read(file(name)).unwrap();
        for length in 0..whole.len() {
            let cut = Bytes::from(whole[..length].to_vec());
            assert!(TorchZip::read(&cut, LIMITS, false).is_err(), "{name} cut at {length}");
            assert!(torch_legacy::read(&cut, LIMITS).is_err(), "{name} cut at {length}");
        }
    }
    let header = br#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#;
    let whole = [&(header.len() as u64).to_le_bytes()[..], header, &[0; 8]].concat();
    assert!(Safetensors::read(&Bytes::from(whole.clone()), LIMITS).is_ok());
    for length in 0..whole.len() {
        assert!(Safetensors::read(&Bytes::from(whole[..length].to_vec()), LIMITS).is_err());
    }
}

/// How many mutations of each file: `WD_MUTATIONS` of them, or 2,000.
fn mutations() -> usize {
    let asked = std::env::var("WD_MUTATIONS").ok();
    asked.map_or(2_000, |asked| asked.parse().expect("WD_MUTATIONS is a number"))
}

#[test]
fn mutations_never_panic() {
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed as usize
    };
    for name in SMALL {
        let whole = std::fs::read(file(name)).unwrap();
        for _ in 0..mutations() {
            let mut mutated = whole.clone();
            for _ in 0..1 + random() % 4 {
                let at = random() % mutated.len();
                mutated[at] = random() as u8;
            }
            look(&Bytes::from(mutated));
        }
    }
}

#[test]
fn depth_costs_no_stack() {
    const DEPTH: usize = 1_000_000;
    // Lists, then tuples, each in the next; dropped and walked without recursion.
    let lists = pickle(&[&vec![b']'; DEPTH], &vec![b'a'; DEPTH - 1], b"."]);
    let (lists, _) = read(&lists).unwrap();
    let _ = lists.root().to_value();
    let tuples = pickle(&[b"N", &vec![0x85; DEPTH], b"."]);
    let (tuples, _) = read(&tuples).unwrap();
    let _ = tuples.root().to_value();
    let dicts: Vec<u8> = b"}K\x01".iter().copied().cycle().take(3 * DEPTH).collect();
    let dicts = pickle(&[&dicts, b"N", &vec![b's'; DEPTH], b"."]);
    let (dicts, _) = read(&dicts).unwrap();
    let _ = dicts.root().to_value();
    let marks = pickle(&[&vec![b'('; DEPTH], b"."]);
    assert!(read(&marks).is_err());
}

#[test]
fn a_value_that_holds_itself_twice_at_each_level_has_an_end() {
    // A list whose two elements are the list before it, forty times: 2⁴⁰ values if it were a tree.
    let level = b"q\x00]h\x00ah\x00a";
    let bomb = pickle(&[b"]", &level.repeat(40), b"."]);
    let (bomb, _) = read(&bomb).unwrap();
    within(Duration::from_secs(2), || {
        let _ = bomb.root().to_value();
    });
    let cycle = pickle(&[b"]q\x00h\x00a."]);
    let (cycle, _) = read(&cycle).unwrap();
    let _ = cycle.root().to_value();
}

#[test]
fn the_memo_makes_no_holes() {
    // Numbers of the memo that are far apart.
    let mut puts = b"N".to_vec();
    for at in 1..200_000_u32 {
        puts.push(b'r');
        puts.extend_from_slice(&(at * 20_000).to_le_bytes());
    }
    puts.push(b'.');
    within(Duration::from_secs(2), || assert!(read(&Bytes::from(puts)).is_ok()));
}

#[test]
fn copies_of_copies_are_refused() {
    // A long list, made into a new list again and again by a function that copies.
    let mut bomb = b"](".to_vec();
    bomb.extend(vec![b'N'; 100_000]);
    bomb.extend(b"eq\x00cbuiltins\nlist\nq\x01");
    bomb.extend(b"h\x01h\x00\x85R".repeat(100_000));
    bomb.push(b'.');
    within(Duration::from_secs(2), || {
        let error = read(&Bytes::from(bomb)).unwrap_err();
        assert!(error.what.contains("again and again"), "{error}");
    });
}

#[test]
fn long_texts_that_are_used_often_are_read_once() {
    let long = vec![b'a'; 1 << 20];
    let mut names = b"X".to_vec();
    names.extend((long.len() as u32).to_le_bytes());
    names.extend(&long);
    names.extend(b"q\x00");
    names.extend(b"h\x00h\x00\x93".repeat(100_000));
    names.push(b'.');
    within(Duration::from_secs(2), || assert!(read(&Bytes::from(names)).is_ok()));
}

#[test]
fn opcodes_that_reach_outside_are_named() {
    for (opcode, name) in
        [(b"\x82\x01".as_slice(), "EXT"), (b"\x97", "NEXT_BUFFER"), (b"N\x98", "READONLY_BUFFER")]
    {
        let error = read(&pickle(&[opcode, b"."])).unwrap_err();
        assert!(error.what.contains(name), "{error}");
    }
}

#[test]
fn nothing_is_ever_called() {
    let system = pickle(&[b"cos\nsystem\n(X\x04\x00\x00\x00truetR."]);
    let (system, _) = read(&system).unwrap();
    assert_eq!(system.root().class(), Some(("os", "system")));
    assert_eq!(system.root().arguments().next().unwrap().text(), Some("true"));
}

/// A stored entry of an archive: local header, and the record of the directory.
fn entry(name: &str, data: &[u8], start: u32) -> (Vec<u8>, Vec<u8>) {
    let mut sum = flate2::Crc::new();
    sum.update(data);
    let mut common = Vec::new();
    common.extend([20, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    common.extend(sum.sum().to_le_bytes());
    common.extend((data.len() as u32).to_le_bytes());
    common.extend((data.len() as u32).to_le_bytes());
    common.extend((name.len() as u16).to_le_bytes());
    common.extend([0, 0]);
    let local = [b"PK\x03\x04", &common[..], name.as_bytes(), data].concat();
    let mut central = [b"PK\x01\x02\x14\x00", &common[..]].concat();
    central.extend([0; 10]);
    central.extend(start.to_le_bytes());
    central.extend(name.as_bytes());
    (local, central)
}

fn archive(entries: &[(Vec<u8>, Vec<u8>)]) -> Vec<u8> {
    let mut whole: Vec<u8> = entries.iter().flat_map(|(local, _)| local.clone()).collect();
    let start = whole.len() as u32;
    let central: Vec<u8> = entries.iter().flat_map(|(_, central)| central.clone()).collect();
    whole.extend(&central);
    whole.extend(b"PK\x05\x06\0\0\0\0");
    whole.extend((entries.len() as u16).to_le_bytes().repeat(2));
    whole.extend((central.len() as u32).to_le_bytes());
    whole.extend(start.to_le_bytes());
    whole.extend([0, 0]);
    whole
}

fn refusal(archive: Vec<u8>) -> String {
    Zip::read(&Bytes::from(archive), LIMITS).unwrap_err().to_string()
}

#[test]
fn ambiguous_archives_are_refused() {
    let first = entry("a/data.pkl", b"N.", 0);
    let length = first.0.len() as u32;
    let fine = archive(&[first.clone(), entry("a/version", b"3\n", length)]);
    let zip = Zip::read(&Bytes::from(fine.clone()), LIMITS).unwrap();
    assert_eq!(&zip.bytes(zip.entry("a/version").unwrap(), 9).unwrap()[..], b"3\n");
    assert!(TorchZip::read(&Bytes::from(fine), LIMITS, true).is_ok());

    let twice = archive(&[first.clone(), entry("a/data.pkl", b"K\x01.", length)]);
    assert!(refusal(twice).contains("two files named"));
    // Two records of the directory over the same bytes.
    let (_, record) = entry("a/data.pkl", b"N.", 0);
    let overlapping = archive(&[first.clone(), (Vec::new(), record)]);
    assert!(refusal(overlapping).contains("two files named"));
    let (local, mut record) = first.clone();
    record[24] += 40;
    record[20] += 40;
    assert!(!refusal(archive(&[(local, record)])).is_empty());
    let (mut local, record) = first.clone();
    local[30] = b'b';
    assert!(refusal(archive(&[(local, record)])).contains("two ways"));
    let (local, mut record) = first.clone();
    record[8] |= 1;
    assert!(refusal(archive(&[(local, record)])).contains("encrypted"));
    // Bytes before the archive, and a comment that hides another end.
    let shifted = [b"junk", &archive(std::slice::from_ref(&first))[..]].concat();
    assert!(!refusal(shifted).is_empty());
}

#[test]
fn an_entry_that_unpacks_to_more_than_it_says_is_refused() {
    let mut packed = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
    packed.write_all(&vec![0; 10 << 20]).unwrap();
    let packed = packed.finish().unwrap();
    let (mut local, mut record) = entry("a/data.pkl", &packed, 0);
    // Method 8, and a claimed length of 100 bytes.
    (local[8], record[10]) = (8, 8);
    local[22..26].copy_from_slice(&100_u32.to_le_bytes());
    record[24..28].copy_from_slice(&100_u32.to_le_bytes());
    let archive = Bytes::from(archive(&[(local, record)]));
    let error = TorchZip::read(&archive, LIMITS, false).unwrap_err();
    assert!(error.what.contains("unpacked"), "{error}");
}

#[test]
fn headers_of_safetensors_that_lie_are_refused() {
    let cases = [
        (r#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,16]}}"#, "shape"),
        (r#"{"a":{"dtype":"F32","shape":[4],"data_offsets":[0,32]}}"#, "ends before"),
        (r#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,16]}}"#, "hole"),
        (r#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#, "goes on"),
        (
            r#"{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,12]},
                "b":{"dtype":"F32","shape":[2],"data_offsets":[8,16]}}"#,
            "overlaps",
        ),
        (
            r#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},
                "a":{"dtype":"F32","shape":[2],"data_offsets":[8,16]}}"#,
            "two tensors",
        ),
        (r#"{"a":{"dtype":"F33","shape":[4],"data_offsets":[0,16]}}"#, "unknown"),
        (
            r#"{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,16]}}"#,
            "too large",
        ),
    ];
    for (header, reason) in cases {
        let whole = [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), &[0; 16]];
        let error = Safetensors::read(&Bytes::from(whole.concat()), LIMITS).unwrap_err();
        assert!(error.what.contains(reason), "{header}: {error}");
    }
    let nested = [b"{\"a\":", &vec![b'['; 1_000_000][..]].concat();
    let whole = [&(nested.len() as u64).to_le_bytes()[..], &nested].concat();
    assert!(Safetensors::read(&Bytes::from(whole), LIMITS).is_err());
}

#[test]
fn a_storage_that_is_shorter_than_declared_is_refused() {
    let pickle = b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n((X\x07\x00\x00\x00storagectorch\n\
        FloatStorage\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpuK\x64tQK\x00K\x64\x85K\x01\x85\x89}tR.";
    let first = entry("a/data.pkl", pickle, 0);
    let data = entry("a/data/0", &[0; 16], first.0.len() as u32);
    let error = TorchZip::read(&Bytes::from(archive(&[first, data])), LIMITS, false).unwrap_err();
    assert!(error.what.contains("shorter"), "{error}");
}

#[test]
fn damaged_files_end_with_a_reason() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["torch-2.15/adamw.pt", "torch-2.15/legacy.pt"] {
        let whole = std::fs::read(file(name)).unwrap();
        let path = folder.path().join("cut.pt");
        std::fs::write(&path, &whole[..whole.len() / 2]).unwrap();
        let error = find(&path, &ReadOptions::default()).unwrap_err().to_string();
        assert!(error.contains("is damaged"), "{error}");
    }
}
